package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Rotation is a key and the one that has taken its place, without their secrets.
type Rotation struct{ Fresh, Old tenants.Key }

// RotateKey makes a key that takes the place of an active one of the actor's tenant, with the same scopes and label. The old
// one works on for the overlap, or is revoked at once where there is none. Errors: [tenants.ErrNotFound],
// [tenants.ErrState] when the key is not active, [tenants.ErrLimit].
func (s *Store) RotateKey(ctx context.Context, actor tenants.Actor, appID, public string, overlap time.Duration) (Rotation, error) {
	var r Rotation
	err := s.change(ctx, actor, func(c change) error {
		if _, err := c.lockApp(ctx, appID); err != nil {
			return err
		}
		row, err := c.lockKey(ctx, appID, public)
		if err != nil {
			return err
		}
		if row.RetiresAt != nil {
			return fmt.Errorf("key %s retires already: %w", public, tenants.ErrState)
		}
		if r.Old, err = c.retireKey(ctx, row, overlap); err != nil {
			return err
		}
		if err := c.roomForKey(ctx, appID); err != nil {
			return err
		}
		fresh := tenants.NewKey(appID)
		fresh.Label, fresh.Scopes = row.Label, tenants.ReadKeyScopes(row.Scopes)
		if r.Fresh, err = s.insertKey(ctx, c, fresh); err != nil {
			return err
		}
		// One row tells of both: of the key that is rotated, and of the one that takes its place.
		after := keyLife(r.Old)
		after["successor"] = fresh.Public
		return c.appChanged(ctx, appID, "key.rotated", public, pgdb.Changed(keyLife(row.key()), after).Of(appID))
	})
	if err != nil {
		return Rotation{}, fmt.Errorf("rotate key: %w", err)
	}
	return r, nil
}

// keyLife is where a key is in its life, for the audit log.
func keyLife(k tenants.Key) pgdb.Fields {
	f := pgdb.Fields{"state": k.State}
	if !k.RetiresAt.IsZero() {
		f["works_until"] = k.RetiresAt
	}
	return f
}

// retireKey lets an active key that is locked work for so long yet.
func (c change) retireKey(ctx context.Context, row keyRow, overlap time.Duration) (tenants.Key, error) {
	row, err := pgdb.One[keyRow](ctx, c, `
		UPDATE keys
		SET
			state      = CASE WHEN @overlap::interval > '0' THEN 'active' ELSE 'revoked' END,
			retires_at = CASE WHEN @overlap::interval > '0' THEN now() + @overlap::interval END,
			revoked_at = CASE WHEN @overlap::interval > '0' THEN NULL ELSE now() END
		WHERE tenant_id = @tenant AND app_id = @app AND public = @public
		RETURNING `+keyColumns,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "app": row.AppID, "public": row.Public, "overlap": overlap})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("retire key: %w", err)
	}
	return row.key(), nil
}

// KeepKey makes a retiring key of the actor's tenant active again. The key that was to take its place stays. Errors:
// [tenants.ErrNotFound], [tenants.ErrState] when it does not retire, or has.
func (s *Store) KeepKey(ctx context.Context, actor tenants.Actor, appID, public string) (tenants.Key, error) {
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		before, err := c.lockKey(ctx, appID, public)
		if err != nil {
			return err
		}
		if before.RetiresAt == nil {
			return fmt.Errorf("key %s does not retire: %w", public, tenants.ErrState)
		}
		row, err := pgdb.One[keyRow](ctx, c, `
			UPDATE keys
			SET retires_at = NULL
			WHERE tenant_id = @tenant AND app_id = @app AND public = @public
			RETURNING `+keyColumns,
			pgx.NamedArgs{"tenant": actor.TenantID, "app": appID, "public": public})
		if err != nil {
			return err
		}
		key = row.key()
		return c.appChanged(ctx, appID, "key.kept", public, pgdb.Changed(keyLife(before.key()), keyLife(key)).Of(appID))
	})
	if err != nil {
		return tenants.Key{}, fmt.Errorf("keep key: %w", err)
	}
	return key, nil
}

// retireAtOnce is how many keys one call of [Store.RevokeRetired] writes down.
const retireAtOnce = 100

// RevokeRetired writes down that keys whose date has passed are revoked, and returns how many it found. Edges do not wait for
// it. Any number of processes may call it.
func (s *Store) RevokeRetired(ctx context.Context) (int, error) {
	found := 0
	err := s.platformChange(ctx, tenants.Actor{Via: "worker"}, func(c change) error {
		rows, err := pgdb.All[keyRow](ctx, c, `
			UPDATE keys
			SET state = 'revoked', revoked_at = retires_at, retires_at = NULL
			WHERE public IN (
				SELECT public
				FROM keys
				WHERE state = 'active' AND retires_at <= now()
				ORDER BY public
				LIMIT @most
				FOR UPDATE SKIP LOCKED
			)
			RETURNING `+keyColumns,
			pgx.NamedArgs{"most": retireAtOnce})
		if err != nil {
			return err
		}
		found = len(rows)
		for _, r := range rows {
			c.Actor.TenantID = r.TenantID
			if err := c.appChanged(ctx, r.AppID, "key.revoked", r.Public, pgdb.Changed(pgdb.Fields{"state": tenants.KeyRetiring}, keyLife(r.key())).Of(r.AppID)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("revoke keys that have retired: %w", err)
	}
	return found, nil
}

// WriteKeyUses keeps when keys were last used. It makes a [Store] a [tenants.KeyUseSink].
func (s *Store) WriteKeyUses(ctx context.Context, lastUsed map[string]time.Time) error {
	publics, times := make([]string, 0, len(lastUsed)), make([]time.Time, 0, len(lastUsed))
	for public, at := range lastUsed {
		publics, times = append(publics, public), append(times, at)
	}
	err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		// Locked in one order everywhere, so that edges do not wait for one another in a circle.
		_, err := pgdb.Exec(ctx, q, `
			WITH given AS (
				SELECT *
				FROM unnest(@publics::text[], @times::timestamptz[]) AS g (public, at)
			), mine AS (
				SELECT k.public, given.at
				FROM keys k JOIN given USING (public)
				WHERE k.last_used_at IS NULL OR k.last_used_at < given.at
				ORDER BY k.public
				FOR UPDATE OF k
			)
			UPDATE keys
			SET last_used_at = mine.at
			FROM mine
			WHERE keys.public = mine.public`,
			pgx.NamedArgs{"publics": publics, "times": times})
		return err
	})
	if err != nil {
		return fmt.Errorf("write when keys were last used: %w", err)
	}
	return nil
}
