package pgseal

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
)

// TestEveryTableWithSomethingSealedIsAPlace: what is not listed would be lost when its key-encryption key is thrown away.
func TestEveryTableWithSomethingSealedIsAPlace(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'sealed_with' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, p := range places() {
		listed = append(listed, p.table)
	}
	slices.Sort(listed)
	if !slices.Equal(tables, listed) {
		t.Errorf("tables %v, places %v", tables, listed)
	}
}
