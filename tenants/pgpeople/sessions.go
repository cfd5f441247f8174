package pgpeople

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// seenEvery is how often the use of a session is written down. It makes the idle limit that much shorter.
const seenEvery = time.Minute

// NewSession is one to start.
type NewSession struct {
	User uuid.UUID
	// Login is what the user was found to be who they are by.
	Login Proof
	// Tenant is the one to work in; zero is the one that the user joined first.
	Tenant uuid.UUID
	// Hash is that of the token ([tenants.HashToken]).
	Hash []byte
	// UserAgent and IP are what the user will know the session by.
	UserAgent, IP string
}

// maxUserAgent bounds what is kept of how a browser calls itself.
const maxUserAgent = 400

// CreateSession starts a session of a user, and returns who that is. Errors: [tenants.ErrNotFound] for who belongs to no tenant,
// or not to the one that is asked for, [tenants.ErrState] where the login has been overtaken.
func (s *Store) CreateSession(ctx context.Context, in NewSession) (tenants.Membership, error) {
	agent := in.UserAgent
	if len(agent) > maxUserAgent {
		agent = agent[:maxUserAgent]
	}
	var row membershipRow
	err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) (err error) {
		if err := stillGood(ctx, q, in.User, in.Login); err != nil {
			return err
		}
		row, err = pgdb.One[membershipRow](ctx, q, `
		WITH membership AS (
			SELECT `+membershipColumns+`
			FROM memberships m
			JOIN users u ON u.id = m.user_id
			JOIN tenants t ON t.id = m.tenant_id
			WHERE m.user_id = @user AND (@tenant::uuid IS NULL OR m.tenant_id = @tenant)
			ORDER BY m.created_at, m.tenant_id
			LIMIT 1
		), session AS (
			INSERT INTO sessions (token_hash, user_id, tenant_id, user_agent, ip, expires_at)
			SELECT @hash, user_id, tenant_id, @agent, @ip, now() + @life
			FROM membership
		)
		SELECT user_id, email, operator, email_verified, second_factor, tenant_id, tenant_name, suspended_at, suspended_for, role
		FROM membership`,
			pgx.NamedArgs{
				"user": in.User, "tenant": uuid.NullUUID{UUID: in.Tenant, Valid: in.Tenant != uuid.Nil}, "hash": in.Hash,
				"agent": strings.ToValidUTF8(agent, ""), "ip": pgdb.Nullable(in.IP), "life": tenants.SessionLife,
			})
		return err
	})
	if err != nil {
		return tenants.Membership{}, fmt.Errorf("create session: %w", err)
	}
	return row.membership(), nil
}

// Session returns who a live session belongs to, and notes that it was used. A session that is unknown,
// ended or idle for too long is [tenants.ErrNotFound].
func (s *Store) Session(ctx context.Context, hash []byte) (tenants.Membership, error) {
	type sessionRow struct {
		membershipRow
		Impersonating bool
		Touch         bool
	}
	row, err := pgdb.ReadOne[sessionRow](ctx, s.db, pgdb.Platform(), `
		SELECT `+membershipColumns+`,
			i.tenant IS NOT NULL AS impersonating,
			s.last_seen_at < now() - @seen_every::interval AS touch
		FROM sessions s
		JOIN users u ON u.id = s.user_id
		CROSS JOIN LATERAL (SELECT CASE WHEN u.operator AND s.impersonates_until > now() THEN s.impersonates END AS tenant) i
		JOIN tenants t ON t.id = coalesce(i.tenant, s.tenant_id)
		JOIN LATERAL (
			SELECT m.role
			FROM memberships m
			WHERE i.tenant IS NULL AND m.tenant_id = s.tenant_id AND m.user_id = s.user_id
			UNION ALL
			SELECT 'viewer'
			WHERE i.tenant IS NOT NULL
		) m ON true
		WHERE s.token_hash = @hash
			AND s.expires_at > now()
			AND s.last_seen_at > now() - @idle::interval`,
		pgx.NamedArgs{"hash": hash, "idle": tenants.SessionIdle, "seen_every": seenEvery})
	if err != nil {
		return tenants.Membership{}, fmt.Errorf("session: %w", err)
	}
	if row.Touch {
		if _, err := s.write(ctx, `UPDATE sessions SET last_seen_at = now() WHERE token_hash = @hash`, pgx.NamedArgs{"hash": hash}); err != nil {
			return tenants.Membership{}, fmt.Errorf("note use of session: %w", err)
		}
	}
	m := row.membership()
	m.Impersonating = row.Impersonating
	return m, nil
}

// DeleteSession ends a session. One that does not exist is no error.
func (s *Store) DeleteSession(ctx context.Context, hash []byte) error {
	if _, err := s.write(ctx, `DELETE FROM sessions WHERE token_hash = @hash`, pgx.NamedArgs{"hash": hash}); err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}

// DeleteEndedSessions removes the rows of sessions that can no longer be used and returns their number.
func (s *Store) DeleteEndedSessions(ctx context.Context) (int64, error) {
	n, err := s.write(ctx, `
		DELETE FROM sessions
		WHERE expires_at <= now() OR last_seen_at <= now() - @idle::interval`,
		pgx.NamedArgs{"idle": tenants.SessionIdle})
	if err != nil {
		return 0, fmt.Errorf("delete ended sessions: %w", err)
	}
	return n, nil
}
