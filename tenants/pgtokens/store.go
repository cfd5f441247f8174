// Package pgtokens keeps API tokens in PostgreSQL, by the hashes of their texts. It never decides what a token may do: it tells
// what the token was given, and what its owner is at the moment of the call.
//
// Start with [Store].
package pgtokens

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// usedEvery is how often the use of a token is written down.
const usedEvery = time.Minute

// Store reads and changes API tokens. Its methods may be called at once.
type Store struct{ db *pgdb.DB }

// New returns a store.
func New(db *pgdb.DB) *Store { return &Store{db: db} }

type tokenRow struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	Email      string
	Name       string
	Hint       string
	Scopes     []string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt *time.Time
	LastUsedIP string
}

func (r tokenRow) token() tenants.APIToken {
	t := tenants.APIToken{
		ID: r.ID, Owner: tenants.User{ID: r.UserID, Email: r.Email}, Name: r.Name, Hint: r.Hint,
		CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedIP: r.LastUsedIP,
	}
	for _, s := range r.Scopes {
		t.Scopes = append(t.Scopes, tenants.Permission(s))
	}
	if r.LastUsedAt != nil {
		t.LastUsedAt = *r.LastUsedAt
	}
	return t
}

// tokenColumns are what a [tokenRow] is read from, of api_tokens k and users u.
//
//nolint:gosec // They hold no secret.
const tokenColumns = `
	k.id, k.user_id, u.email, k.name, k.hint, k.scopes, k.created_at, k.expires_at, k.last_used_at,
	coalesce(host(k.last_used_ip), '') AS last_used_ip`

// NewToken is one to make. The values have been checked.
type NewToken struct {
	Name   string
	Scopes []tenants.Permission
	Life   time.Duration
	Hint   string
	// Hash is that of the text ([tenants.HashToken]).
	Hash []byte
}

// Create makes a token for the actor in the actor's tenant. Errors: [tenants.ErrLimit].
func (s *Store) Create(ctx context.Context, actor tenants.Actor, in NewToken) (tenants.APIToken, error) {
	var row tokenRow
	err := s.db.Change(ctx, actor, func(c pgdb.Change) error {
		id := uuid.Must(uuid.NewV7())
		args := pgx.NamedArgs{
			"id": id, "tenant": actor.TenantID, "user": actor.UserID, "hash": in.Hash, "name": in.Name, "hint": in.Hint,
			"scopes": in.Scopes, "life": in.Life,
		}
		have, err := pgdb.One[struct{ N int }](ctx, c, `
			SELECT count(*) AS n
			FROM api_tokens
			WHERE tenant_id = @tenant AND user_id = @user AND expires_at > now()`, args)
		if err != nil {
			return err
		}
		if have.N >= tenants.MaxUserTokens {
			return tenants.Refuse(tenants.ErrLimit, fmt.Sprintf("you have %d API tokens, and there may be no more; revoke one first", have.N))
		}
		_, err = pgdb.Exec(ctx, c, `
			INSERT INTO api_tokens (id, token_hash, tenant_id, user_id, name, hint, scopes, expires_at)
			VALUES (@id, @hash, @tenant, @user, @name, @hint, @scopes, now() + @life)`, args)
		if err != nil {
			return err
		}
		row, err = pgdb.One[tokenRow](ctx, c, `
			SELECT `+tokenColumns+`
			FROM api_tokens k
			JOIN users u ON u.id = k.user_id
			WHERE k.tenant_id = @tenant AND k.id = @id`, args)
		if err != nil {
			return err
		}
		return c.Audit(ctx, "token.created", id.String(), pgdb.Created(pgdb.Fields{"name": in.Name, "scopes": in.Scopes, "expires_at": row.ExpiresAt}))
	})
	if err != nil {
		return tenants.APIToken{}, fmt.Errorf("create token: %w", err)
	}
	return row.token(), nil
}

// List lists the tokens of a tenant, newest first: of one user, or of all for uuid.Nil.
func (s *Store) List(ctx context.Context, tenant, user uuid.UUID) ([]tenants.APIToken, error) {
	rows, err := pgdb.ReadAll[tokenRow](ctx, s.db, pgdb.Tenant(tenant), `
		SELECT `+tokenColumns+`
		FROM api_tokens k
		JOIN users u ON u.id = k.user_id
		WHERE k.tenant_id = @tenant AND (@user::uuid IS NULL OR k.user_id = @user)
		ORDER BY k.created_at DESC, k.id`,
		pgx.NamedArgs{"tenant": tenant, "user": uuid.NullUUID{UUID: user, Valid: user != uuid.Nil}})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	list := make([]tenants.APIToken, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.token())
	}
	return list, nil
}

// Revoke ends a token of the actor's tenant: of one user, or whosever it is for uuid.Nil. Errors: [tenants.ErrNotFound].
func (s *Store) Revoke(ctx context.Context, actor tenants.Actor, user, id uuid.UUID) error {
	err := s.db.Change(ctx, actor, func(c pgdb.Change) error {
		row, err := pgdb.One[struct {
			Name  string
			Owner uuid.UUID
		}](ctx, c, `
			DELETE FROM api_tokens
			WHERE tenant_id = @tenant AND id = @id AND (@user::uuid IS NULL OR user_id = @user)
			RETURNING name, user_id AS owner`,
			pgx.NamedArgs{"tenant": actor.TenantID, "id": id, "user": uuid.NullUUID{UUID: user, Valid: user != uuid.Nil}})
		if err != nil {
			return err
		}
		return c.Audit(ctx, "token.revoked", id.String(), pgdb.Removed(pgdb.Fields{"name": row.Name, "owner": row.Owner}))
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// Use returns the token with this hash, and what its owner is at the moment, and notes where it was used. Errors:
// [tenants.ErrNotFound] for one that is unknown, revoked or over, or whose owner is no member any more.
func (s *Store) Use(ctx context.Context, hash []byte, ip string) (tenants.APIToken, tenants.Membership, error) {
	type useRow struct {
		tokenRow
		TenantID      uuid.UUID
		TenantName    string
		Role          string
		EmailVerified bool
		SecondFactor  bool
		Operator      bool
		SuspendedAt   *time.Time
		SuspendedFor  *string
		Touch         bool
	}
	args := pgx.NamedArgs{"hash": hash, "every": usedEvery, "ip": pgdb.Nullable(ip)}
	r, err := pgdb.ReadOne[useRow](ctx, s.db, pgdb.Platform(), `
		SELECT `+tokenColumns+`, t.id AS tenant_id, t.name AS tenant_name, t.suspended_at, t.suspended_for, m.role, u.operator,
			u.email_verified_at IS NOT NULL AS email_verified,
			EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS second_factor,
			k.last_used_at IS NULL OR k.last_used_at < now() - @every::interval AS touch
		FROM api_tokens k
		JOIN users u ON u.id = k.user_id
		JOIN tenants t ON t.id = k.tenant_id
		JOIN memberships m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
		WHERE k.token_hash = @hash AND k.expires_at > now()`, args)
	if err != nil {
		return tenants.APIToken{}, tenants.Membership{}, fmt.Errorf("token: %w", err)
	}
	if r.Touch {
		err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
			// Whoever comes at the same moment finds it written already.
			_, err := pgdb.Exec(ctx, q, `
				UPDATE api_tokens
				SET last_used_at = now(), last_used_ip = coalesce(@ip::inet, last_used_ip)
				WHERE token_hash = @hash AND (last_used_at IS NULL OR last_used_at < now() - @every::interval)`, args)
			return err
		})
		if err != nil {
			return tenants.APIToken{}, tenants.Membership{}, fmt.Errorf("note use of token: %w", err)
		}
	}
	owner := tenants.User{ID: r.UserID, Email: r.Email, Operator: r.Operator, EmailVerified: r.EmailVerified, SecondFactor: r.SecondFactor}
	t := r.token()
	t.Owner = owner
	m := tenants.Membership{User: owner, Tenant: tenants.Tenant{ID: r.TenantID, Name: r.TenantName}, Role: tenants.Role(r.Role)}
	if r.SuspendedAt != nil && r.SuspendedFor != nil {
		m.Tenant.SuspendedAt, m.Tenant.SuspendedFor = *r.SuspendedAt, *r.SuspendedFor
	}
	return t, m, nil
}

// RemoveEnded removes the tokens that have been over for a month, until when their owners see that they are.
func (s *Store) RemoveEnded(ctx context.Context) error {
	err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		_, err := pgdb.Exec(ctx, q, `DELETE FROM api_tokens WHERE expires_at <= now() - interval '30 days'`, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove ended tokens: %w", err)
	}
	return nil
}
