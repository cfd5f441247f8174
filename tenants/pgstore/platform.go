package pgstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants/pgdb"
)

// PlatformID returns the id that this database was given when it was made. All edges of a platform share it.
func (s *Store) PlatformID(ctx context.Context) (uuid.UUID, error) {
	row, err := pgdb.ReadOne[struct{ ID uuid.UUID }](ctx, s.db, pgdb.Platform(), `
		SELECT id
		FROM platform`,
		pgx.NamedArgs{})
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("read the platform's id: %w", err)
	}
	return row.ID, nil
}
