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

// MaxActiveKeys bounds the keys of one app that work, those that retire included: every request is compared with the keys
// of its app.
const MaxActiveKeys = 20

// keyColumns are what a [keyRow] is read from, in every statement on keys.
const keyColumns = `public, app_id, tenant_id, label, sealed, sealed_with, scopes, state, created_at, retires_at, revoked_at, last_used_at`

type keyRow struct {
	Public     string
	AppID      string
	TenantID   uuid.UUID
	Label      string
	Sealed     []byte
	SealedWith string
	Scopes     []string
	State      string
	CreatedAt  time.Time
	RetiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time
}

// key returns the row without its secret.
func (r keyRow) key() tenants.Key {
	k := tenants.Key{
		Public: r.Public, AppID: r.AppID, Label: r.Label, Scopes: tenants.ReadKeyScopes(r.Scopes),
		State: tenants.KeyState(r.State), CreatedAt: r.CreatedAt, LastUsedAt: timeOf(r.LastUsedAt), RevokedAt: timeOf(r.RevokedAt),
	}
	if k.State == tenants.KeyActive && r.RetiresAt != nil {
		k.State, k.RetiresAt = tenants.KeyRetiring, *r.RetiresAt
	}
	return k
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// open returns the row with its secret.
func (s *Store) open(r keyRow) (tenants.Key, error) {
	k := r.key()
	secret, err := s.sealer.Open(r.TenantID, k, tenants.Sealed{Bytes: r.Sealed, With: r.SealedWith})
	k.Secret = secret
	return k, err
}

// KeyWish is what somebody wants of a new key.
type KeyWish struct {
	Label  string
	Scopes tenants.KeyScopes
}

// CreateKey gives an app of the actor's tenant another key, which comes without its secret. Errors:
// [tenants.ErrNotFound], [tenants.ErrLimit].
func (s *Store) CreateKey(ctx context.Context, actor tenants.Actor, appID string, want KeyWish) (tenants.Key, error) {
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		if _, err := c.lockApp(ctx, appID); err != nil {
			return err
		}
		if err := c.roomForKey(ctx, appID); err != nil {
			return err
		}
		k := tenants.NewKey(appID)
		k.Label, k.Scopes = want.Label, want.Scopes
		var err error
		if key, err = s.insertKey(ctx, c, k); err != nil {
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
	after := pgdb.Fields{"state": k.State, "scopes": k.Scopes.Names()}
	if k.Label != "" {
		after["label"] = k.Label
	}
	return c.appChanged(ctx, k.AppID, "key.created", k.Public, pgdb.Created(after).Of(k.AppID))
}

// roomForKey tells whether an app that is locked may have one more key.
func (c change) roomForKey(ctx context.Context, appID string) error {
	working, err := pgdb.One[struct{ N int }](ctx, c, `
		SELECT count(*) AS n
		FROM keys
		WHERE tenant_id = @tenant AND app_id = @app AND state = 'active' AND coalesce(retires_at > now(), true)`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "app": appID})
	if err != nil {
		return err
	}
	if working.N >= MaxActiveKeys {
		return fmt.Errorf("app %s has %d keys that work: %w", appID, working.N, tenants.ErrLimit)
	}
	return nil
}

// insertKey stores a key of an app and returns it without its secret. The caller tells of it.
func (s *Store) insertKey(ctx context.Context, c change, k tenants.Key) (tenants.Key, error) {
	sealed := s.sealer.Seal(c.Actor.TenantID, k)
	row, err := pgdb.One[keyRow](ctx, c, `
		INSERT INTO keys (public, app_id, tenant_id, label, sealed, sealed_with, scopes)
		VALUES (@public, @app, @tenant, @label, @sealed, @with, @scopes)
		RETURNING `+keyColumns,
		pgx.NamedArgs{
			"public": k.Public, "app": k.AppID, "tenant": c.Actor.TenantID, "label": k.Label,
			"sealed": sealed.Bytes, "with": sealed.With, "scopes": k.Scopes.Names(),
		})
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
		keys = append(keys, r.key().At(time.Now()))
	}
	return keys, nil
}

func keysOf(ctx context.Context, q pgdb.Querier, tenant uuid.UUID, appID string) ([]keyRow, error) {
	return pgdb.All[keyRow](ctx, q, `
		SELECT `+keyColumns+`
		FROM keys
		WHERE tenant_id = @tenant AND app_id = @app
		ORDER BY created_at, public`,
		pgx.NamedArgs{"tenant": tenant, "app": appID})
}

// RevealKey returns a key of the actor's tenant that works with its secret, and audits that it was seen.
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
		before, err := c.lockKey(ctx, appID, public)
		if err != nil {
			return err
		}
		row, err := pgdb.One[keyRow](ctx, c, `
			UPDATE keys
			SET state = 'revoked', retires_at = NULL, revoked_at = now()
			WHERE tenant_id = @tenant AND app_id = @app AND public = @public
			RETURNING `+keyColumns,
			pgx.NamedArgs{"tenant": actor.TenantID, "app": appID, "public": public})
		if err != nil {
			return err
		}
		key = row.key()
		return c.appChanged(ctx, appID, "key.revoked", public,
			pgdb.Changed(keyLife(before.key()), keyLife(key)).Of(appID))
	})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("revoke key: %w", err)
	}
	return key, nil
}

// RenameKey gives a key of the actor's tenant that works another label. Errors: [tenants.ErrNotFound], [tenants.ErrState]
// when it is revoked.
func (s *Store) RenameKey(ctx context.Context, actor tenants.Actor, appID, public, label string) (tenants.Key, error) {
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		row, err := c.lockKey(ctx, appID, public)
		if err != nil || row.Label == label {
			key = row.key()
			return err
		}
		key, err = c.renameKey(ctx, row, label)
		return err
	})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("rename key: %w", err)
	}
	return key, nil
}

// renameKey gives a key that is locked another label. No edge needs to know.
func (c change) renameKey(ctx context.Context, before keyRow, label string) (tenants.Key, error) {
	row, err := pgdb.One[keyRow](ctx, c, `
		UPDATE keys
		SET label = @label
		WHERE tenant_id = @tenant AND app_id = @app AND public = @public
		RETURNING `+keyColumns,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "app": before.AppID, "public": before.Public, "label": label})
	if err != nil {
		return tenants.Key{}, err
	}
	return row.key(), c.Audit(ctx, "key.renamed", row.Public, pgdb.Changed(pgdb.Fields{"label": before.Label}, pgdb.Fields{"label": label}).Of(row.AppID))
}

// lockKey returns a key of the actor's tenant that works, and keeps others from changing it.
func (c change) lockKey(ctx context.Context, appID, public string) (keyRow, error) {
	row, err := pgdb.One[keyRow](ctx, c, `
		SELECT `+keyColumns+`
		FROM keys
		WHERE tenant_id = @tenant AND app_id = @app AND public = @public
		FOR UPDATE`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "app": appID, "public": public})
	if err != nil {
		return row, err
	}
	if k := row.key(); !k.Works(time.Now()) {
		return row, fmt.Errorf("key %s is revoked: %w", public, tenants.ErrState)
	}
	return row, nil
}
