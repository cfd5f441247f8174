package pgpeople

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Impersonate has an operator's session look at the actor's tenant for [tenants.ImpersonationLife]. The reason is in the
// tenant's audit log. Errors: [tenants.ErrNotFound].
func (s *Store) Impersonate(ctx context.Context, actor tenants.Actor, session []byte, reason string) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		args := pgx.NamedArgs{"hash": session, "user": actor.UserID, "tenant": actor.TenantID, "life": tenants.ImpersonationLife}
		n, err := pgdb.Exec(ctx, c, `
			UPDATE sessions
			SET impersonates = t.id, impersonates_until = now() + @life
			FROM tenants t, users u
			WHERE token_hash = @hash AND t.id = @tenant AND u.id = user_id AND u.id = @user AND u.operator`, args)
		if err == nil && n == 0 {
			err = tenants.ErrNotFound
		}
		if err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.impersonated", actor.TenantID.String(), pgdb.Created(pgdb.Fields{"reason": reason}))
	})
	if err != nil {
		return fmt.Errorf("impersonate: %w", err)
	}
	return nil
}

// StopImpersonating has a session be its user's again. The actor's tenant is the one that was looked at. Errors:
// [tenants.ErrState] for a session that looks at none.
func (s *Store) StopImpersonating(ctx context.Context, actor tenants.Actor, session []byte) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		n, err := pgdb.Exec(ctx, c, `
			UPDATE sessions
			SET impersonates = NULL, impersonates_until = NULL
			WHERE token_hash = @hash AND impersonates IS NOT NULL`, pgx.NamedArgs{"hash": session})
		if err == nil && n == 0 {
			err = tenants.ErrState
		}
		if err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.impersonation_ended", actor.TenantID.String(), nil)
	})
	if err != nil {
		return fmt.Errorf("stop impersonating: %w", err)
	}
	return nil
}
