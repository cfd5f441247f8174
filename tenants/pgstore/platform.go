package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// PlatformID returns the id that this database was given when it was made. All edges of a platform share it.
func (s *Store) PlatformID(ctx context.Context) (uuid.UUID, error) {
	row, err := one[struct{ ID uuid.UUID }](ctx, s.pool, `
		SELECT id
		FROM platform`,
		pgx.NamedArgs{})
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("read the platform's id: %w", err)
	}
	return row.ID, nil
}

// Server is what the database's server tells of itself.
type Server struct {
	// Version is as people know it, such as 15.13; Major is its first number.
	Version string
	Major   int
	// Now is what its clock shows.
	Now time.Time
}

// Server asks the server about itself.
func (s *Store) Server(ctx context.Context) (Server, error) {
	server, err := one[Server](ctx, s.pool, `
		SELECT
			split_part(current_setting('server_version'), ' ', 1) AS version,
			current_setting('server_version_num')::int / 10000    AS major,
			clock_timestamp()                                     AS now`,
		pgx.NamedArgs{})
	if err != nil {
		return Server{}, fmt.Errorf("ask the database's server: %w", err)
	}
	return server, nil
}
