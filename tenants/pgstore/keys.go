package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// MaxActiveKeys bounds the active keys of one app: every request is compared with the keys of its app.
const MaxActiveKeys = 20

type keyRow struct {
	Public     string
	AppID      string
	TenantID   uuid.UUID
	Sealed     []byte
	SealedWith string
	State      string
	CreatedAt  time.Time
	RevokedAt  *time.Time
}

// key returns the row without its secret.
func (r keyRow) key() tenants.Key {
	k := tenants.Key{Public: r.Public, AppID: r.AppID, State: tenants.KeyState(r.State), CreatedAt: r.CreatedAt}
	if r.RevokedAt != nil {
		k.RevokedAt = *r.RevokedAt
	}
	return k
}

// open returns the row with its secret.
func (s *Store) open(r keyRow) (tenants.Key, error) {
	k := r.key()
	secret, err := s.sealer.Open(r.TenantID, k, tenants.Sealed{Bytes: r.Sealed, With: r.SealedWith})
	k.Secret = secret
	return k, err
}

// CreateKey gives an app of the actor's tenant another key, which comes without its secret. Errors:
// [tenants.ErrNotFound], [tenants.ErrLimit].
func (s *Store) CreateKey(ctx context.Context, actor tenants.Actor, appID string) (tenants.Key, error) {
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		if _, err := c.lockApp(ctx, appID); err != nil {
			return err
		}
		active, err := pgdb.One[struct{ N int }](ctx, c, `
			SELECT count(*) AS n
			FROM keys
			WHERE tenant_id = @tenant AND app_id = @app AND state = 'active'`,
			pgx.NamedArgs{"tenant": actor.TenantID, "app": appID})
		if err != nil {
			return err
		}
		if active.N >= MaxActiveKeys {
			return fmt.Errorf("app %s has %d active keys: %w", appID, active.N, tenants.ErrLimit)
		}
		if key, err = s.insertKey(ctx, c, tenants.NewKey(appID)); err != nil {
			return err
		}
		return c.keyCreated(ctx, key)
	})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("create key: %w", err)
	}
	return key, nil
}

// keyCreated tells of a key that was made for an app that was there.
func (c change) keyCreated(ctx context.Context, k tenants.Key) error {
	return c.appChanged(ctx, k.AppID, "key.created", k.Public, pgdb.Created(pgdb.Fields{"state": k.State}).Of(k.AppID))
}

// insertKey stores a key of an app and returns it without its secret. The caller tells of it.
func (s *Store) insertKey(ctx context.Context, c change, k tenants.Key) (tenants.Key, error) {
	sealed := s.sealer.Seal(c.Actor.TenantID, k)
	row, err := pgdb.One[keyRow](ctx, c, `
		INSERT INTO keys (public, app_id, tenant_id, sealed, sealed_with)
		VALUES (@public, @app, @tenant, @sealed, @with)
		RETURNING public, app_id, tenant_id, sealed, sealed_with, state, created_at, revoked_at`,
		pgx.NamedArgs{"public": k.Public, "app": k.AppID, "tenant": c.Actor.TenantID, "sealed": sealed.Bytes, "with": sealed.With})
	if pgdb.Violates(err, "keys_pkey") {
		return tenants.Key{}, tenants.Conflict("key", "is a key of another app on this platform")
	}
	if err != nil {
		return tenants.Key{}, fmt.Errorf("insert key: %w", err)
	}
	return row.key(), nil
}

// Keys lists the keys of an app of a tenant, oldest first, without their secrets.
func (s *Store) Keys(ctx context.Context, tenant uuid.UUID, appID string) ([]tenants.Key, error) {
	var rows []keyRow
	err := s.db.Read(ctx, pgdb.Tenant(tenant), func(q pgdb.Querier) error {
		_, err := appOf(ctx, q, tenant, appID)
		if err == nil {
			rows, err = keysOf(ctx, q, tenant, appID)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	keys := make([]tenants.Key, 0, len(rows))
	for _, r := range rows {
		keys = append(keys, r.key())
	}
	return keys, nil
}

func keysOf(ctx context.Context, q pgdb.Querier, tenant uuid.UUID, appID string) ([]keyRow, error) {
	return pgdb.All[keyRow](ctx, q, `
		SELECT public, app_id, tenant_id, sealed, sealed_with, state, created_at, revoked_at
		FROM keys
		WHERE tenant_id = @tenant AND app_id = @app
		ORDER BY created_at, public`,
		pgx.NamedArgs{"tenant": tenant, "app": appID})
}

// RevealKey returns an active key of the actor's tenant with its secret, and audits that it was seen.
// Errors: [tenants.ErrNotFound], [tenants.ErrState] when it is revoked.
func (s *Store) RevealKey(ctx context.Context, actor tenants.Actor, appID, public string) (tenants.Key, error) {
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		row, err := c.lockKey(ctx, appID, public)
		if err != nil {
			return err
		}
		if key, err = s.open(row); err != nil {
			return err
		}
		return c.Audit(ctx, "key.revealed", public, pgdb.Detail{}.Of(appID))
	})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("reveal key: %w", err)
	}
	return key, nil
}

// RevokeKey ends a key of the actor's tenant for good. Errors: [tenants.ErrNotFound], [tenants.ErrState] when
// it is revoked already.
func (s *Store) RevokeKey(ctx context.Context, actor tenants.Actor, appID, public string) (tenants.Key, error) {
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		if _, err := c.lockKey(ctx, appID, public); err != nil {
			return err
		}
		row, err := pgdb.One[keyRow](ctx, c, `
			UPDATE keys
			SET state = 'revoked', revoked_at = now()
			WHERE tenant_id = @tenant AND app_id = @app AND public = @public
			RETURNING public, app_id, tenant_id, sealed, sealed_with, state, created_at, revoked_at`,
			pgx.NamedArgs{"tenant": actor.TenantID, "app": appID, "public": public})
		if err != nil {
			return err
		}
		key = row.key()
		return c.appChanged(ctx, appID, "key.revoked", public,
			pgdb.Changed(pgdb.Fields{"state": tenants.KeyActive}, pgdb.Fields{"state": key.State}).Of(appID))
	})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("revoke key: %w", err)
	}
	return key, nil
}

// lockKey returns an active key of the actor's tenant and keeps others from changing it.
func (c change) lockKey(ctx context.Context, appID, public string) (keyRow, error) {
	row, err := pgdb.One[keyRow](ctx, c, `
		SELECT public, app_id, tenant_id, sealed, sealed_with, state, created_at, revoked_at
		FROM keys
		WHERE tenant_id = @tenant AND app_id = @app AND public = @public
		FOR UPDATE`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "app": appID, "public": public})
	if err != nil {
		return row, err
	}
	if tenants.KeyState(row.State) == tenants.KeyRevoked {
		return row, fmt.Errorf("key %s is revoked: %w", public, tenants.ErrState)
	}
	return row, nil
}
