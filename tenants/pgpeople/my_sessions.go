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

// MyTenants lists what a user is in which tenants, in the order of joining.
func (s *Store) MyTenants(ctx context.Context, user uuid.UUID) ([]tenants.Membership, error) {
	rows, err := pgdb.ReadAll[membershipRow](ctx, s.db, pgdb.Platform(), `
		SELECT `+membershipColumns+`
		FROM memberships m
		JOIN users u ON u.id = m.user_id
		JOIN tenants t ON t.id = m.tenant_id
		WHERE m.user_id = @user
		ORDER BY m.created_at, m.tenant_id`,
		pgx.NamedArgs{"user": user})
	if err != nil {
		return nil, fmt.Errorf("list a user's tenants: %w", err)
	}
	list := make([]tenants.Membership, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.membership())
	}
	return list, nil
}

// SwitchTenant has a session work in another tenant of its user. Errors: [tenants.ErrNotFound].
func (s *Store) SwitchTenant(ctx context.Context, session []byte, tenant uuid.UUID) error {
	n, err := s.write(ctx, `
		UPDATE sessions s
		SET tenant_id = m.tenant_id
		FROM memberships m
		WHERE s.token_hash = @hash AND m.tenant_id = @tenant AND m.user_id = s.user_id`,
		pgx.NamedArgs{"hash": session, "tenant": tenant})
	if err == nil && n == 0 {
		err = tenants.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("switch tenant: %w", err)
	}
	return nil
}

// RotateSession gives a session another token, so that whoever has the one before has nothing.
func (s *Store) RotateSession(ctx context.Context, before, after []byte) error {
	n, err := s.write(ctx, `UPDATE sessions SET token_hash = @after WHERE token_hash = @before`, pgx.NamedArgs{"before": before, "after": after})
	if err == nil && n == 0 {
		err = tenants.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("rotate session: %w", err)
	}
	return nil
}

// Sessions lists those of a user that can be used: the one with this hash first, the others by their last use.
func (s *Store) Sessions(ctx context.Context, user uuid.UUID, current []byte) ([]tenants.SessionInfo, error) {
	type sessionRow struct {
		ID         uuid.UUID
		UserAgent  string
		IP         string
		TenantName string
		CreatedAt  time.Time
		LastSeenAt time.Time
		Current    bool
	}
	rows, err := pgdb.ReadAll[sessionRow](ctx, s.db, pgdb.Platform(), `
		SELECT s.id, s.user_agent, coalesce(host(s.ip), '') AS ip, t.name AS tenant_name, s.created_at, s.last_seen_at,
			s.token_hash = @hash AS current
		FROM sessions s
		JOIN tenants t ON t.id = s.tenant_id
		WHERE s.user_id = @user AND s.expires_at > now() AND s.last_seen_at > now() - @idle::interval
		ORDER BY current DESC, s.last_seen_at DESC, s.id`,
		pgx.NamedArgs{"user": user, "hash": current, "idle": tenants.SessionIdle})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list := make([]tenants.SessionInfo, 0, len(rows))
	for _, r := range rows {
		list = append(list, tenants.SessionInfo(r))
	}
	return list, nil
}

// RevokeSession ends a session of the actor. Errors: [tenants.ErrNotFound].
func (s *Store) RevokeSession(ctx context.Context, actor tenants.Actor, id uuid.UUID) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		n, err := pgdb.Exec(ctx, c, `DELETE FROM sessions WHERE user_id = @user AND id = @id`, pgx.NamedArgs{"user": actor.UserID, "id": id})
		if err != nil {
			return err
		}
		if n == 0 {
			return tenants.ErrNotFound
		}
		return c.auditUser(ctx, actor.UserID, "session.revoked", pgdb.Removed(pgdb.Fields{"session": id}))
	})
	if err != nil {
		return fmt.Errorf("revoke session: %w", err)
	}
	return nil
}

// RevokeOtherSessions ends all sessions of the actor but the one with this hash, and returns how many.
func (s *Store) RevokeOtherSessions(ctx context.Context, actor tenants.Actor, current []byte) (int, error) {
	var n int64
	err := s.platformChange(ctx, actor, func(c change) (err error) {
		if n, err = c.endSessions(ctx, actor.UserID, current); err != nil {
			return err
		}
		return c.auditUser(ctx, actor.UserID, "session.others_revoked", pgdb.Removed(pgdb.Fields{"sessions": n}))
	})
	if err != nil {
		return 0, fmt.Errorf("revoke other sessions: %w", err)
	}
	return int(n), nil
}

// endSessions ends the sessions of a user, but for the one with this hash where there is one.
func (c change) endSessions(ctx context.Context, user uuid.UUID, but []byte) (int64, error) {
	n, err := pgdb.Exec(ctx, c, `DELETE FROM sessions WHERE user_id = @user AND token_hash IS DISTINCT FROM @hash`, pgx.NamedArgs{"user": user, "hash": but})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}
