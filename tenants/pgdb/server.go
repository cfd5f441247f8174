package pgdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is what the database's server tells of itself.
type Server struct {
	// Version is as people know it, such as 15.13; Major is its first number.
	Version string
	Major   int
	// Now is what its clock shows.
	Now time.Time
}

// Server asks the server about itself.
func (db *DB) Server(ctx context.Context) (Server, error) {
	var server Server
	err := db.Read(ctx, login(), func(q Querier) (err error) {
		server, err = One[Server](ctx, q, `
			SELECT
				split_part(current_setting('server_version'), ' ', 1) AS version,
				current_setting('server_version_num')::int / 10000    AS major,
				clock_timestamp()                                     AS now`,
			pgx.NamedArgs{})
		return err
	})
	if err != nil {
		return Server{}, fmt.Errorf("ask the database's server: %w", err)
	}
	return server, nil
}
