package pgpeople

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Operator is a user who operates the platform.
type Operator struct {
	UserID    uuid.UUID
	Email     string
	CreatedAt time.Time
}

// Operators returns all operators, by their addresses.
func (s *Store) Operators(ctx context.Context) ([]Operator, error) {
	list, err := pgdb.ReadAll[Operator](ctx, s.db, pgdb.Platform(), `
		SELECT id AS user_id, email, created_at
		FROM users
		WHERE operator
		ORDER BY lower(email)`, nil)
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	return list, nil
}

// Account is a user as the host sees one.
type Account struct {
	CreatedAt     time.Time
	EmailVerified bool
}

// AccountOf returns the account that has an address. The error may be [tenants.ErrNotFound].
func (s *Store) AccountOf(ctx context.Context, email string) (Account, error) {
	a, err := pgdb.ReadOne[Account](ctx, s.db, pgdb.Platform(), `
		SELECT created_at, email_verified_at IS NOT NULL AS email_verified
		FROM users
		WHERE lower(email) = lower(@email)`, pgx.NamedArgs{"email": email})
	if err != nil {
		return Account{}, fmt.Errorf("account of %s: %w", email, err)
	}
	return a, nil
}

// SetOperator makes the user with this address an operator, or an operator a user like others. The error may be
// [tenants.ErrNotFound], and [tenants.ErrState] where it is so already.
func (s *Store) SetOperator(ctx context.Context, actor tenants.Actor, email string, operator bool) error {
	actor.TenantID = uuid.Nil // It concerns no tenant.
	err := s.platformChange(ctx, actor, func(c change) error {
		row, err := pgdb.One[struct {
			ID       uuid.UUID
			Operator bool
		}](ctx, c, `
			SELECT id, operator
			FROM users
			WHERE lower(email) = lower(@email)
			FOR UPDATE`, pgx.NamedArgs{"email": email})
		if err != nil {
			return err
		}
		if row.Operator == operator {
			return tenants.ErrState
		}
		if _, err := pgdb.Exec(ctx, c, `UPDATE users SET operator = @operator WHERE id = @id`,
			pgx.NamedArgs{"id": row.ID, "operator": operator}); err != nil {
			return err
		}
		action := "operator.removed"
		if operator {
			action = "operator.added"
		}
		return c.Audit(ctx, action, row.ID.String(), pgdb.Changed(pgdb.Fields{"operator": !operator}, pgdb.Fields{"operator": operator}))
	})
	if err != nil {
		return fmt.Errorf("operator %s: %w", email, err)
	}
	return nil
}
