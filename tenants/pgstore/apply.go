package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// applyLock is the advisory lock that an apply holds; the number means nothing.
const applyLock = 7_253_001

// errDryRun rolls a change back that was only to be looked at.
var errDryRun = errors.New("dry run")

// Apply makes the platform hold what a manifest says, in one transaction, and returns what it changed:
// nothing when it is applied again. With dryRun it changes nothing and returns what it would. The manifest has been
// checked by itself. Errors name the field by its path in the file.
func (s *Store) Apply(ctx context.Context, actor tenants.Actor, m tenants.Manifest, dryRun bool) ([]tenants.Change, error) {
	var done []tenants.Change
	err := s.platformChange(ctx, actor, func(c change) error {
		// One at a time, so that two do not both find a tenant missing.
		if _, err := pgdb.Exec(ctx, c, `SELECT pg_advisory_xact_lock(@lock)`, pgx.NamedArgs{"lock": applyLock}); err != nil {
			return fmt.Errorf("wait for another apply: %w", err)
		}
		for i, t := range m.Tenants {
			a := applying{store: s, change: c, at: fmt.Sprintf("tenants[%d]", i), tenant: t.Name, dryRun: dryRun}
			if err := a.apply(ctx, t); err != nil {
				return err
			}
			done = append(done, a.done...)
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, fmt.Errorf("apply manifest: %w", err)
	}
	return done, nil
}

// applying is one tenant of a manifest on its way into the database.
type applying struct {
	change
	store *Store
	// at is the path of the tenant in the file.
	at, tenant string
	// dryRun leaves out what another run would make differently, such as the ids and keys that it gives.
	dryRun bool
	done   []tenants.Change
}

func (a *applying) did(action, format string, args ...any) {
	a.done = append(a.done, tenants.Change{Action: action, What: a.tenant + fmt.Sprintf(format, args...)})
}

func (a *applying) apply(ctx context.Context, t tenants.ManifestTenant) error {
	tenant, err := a.manifestTenant(ctx, t)
	switch {
	case errors.Is(err, tenants.ErrNotFound) && t.ID != uuid.Nil:
		return &tenants.FieldError{Field: a.at + ".id", Reason: "is the id of no tenant", Kind: tenants.ErrNotFound}
	case errors.Is(err, tenants.ErrNotFound):
		a.Actor.TenantID = newID()
		if err := a.insertTenant(ctx, t.Name); err != nil {
			return err
		}
		a.did("tenant.created", "")
	case err != nil:
		return err
	default:
		a.Actor.TenantID = tenant.ID
	}
	for i, app := range t.Apps {
		path := fmt.Sprintf("%s.apps[%d]", a.at, i)
		if err := a.applyApp(ctx, app); err != nil {
			return at(err, path)
		}
	}
	return nil
}

// insertTenant inserts the actor's tenant, which manifests keep under this name.
func (c change) insertTenant(ctx context.Context, name string) error {
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO tenants (id, name, manifest_name, plan_id)
		VALUES (@id, @name, @name, (SELECT id FROM plans WHERE is_default))`,
		pgx.NamedArgs{"id": c.Actor.TenantID, "name": name})
	if err != nil {
		return fmt.Errorf("insert tenant: %w", err)
	}
	return c.Audit(ctx, "tenant.created", c.Actor.TenantID.String(), pgdb.Created(pgdb.Fields{"name": name}))
}

// tenantRow is what is needed of a tenant to change its apps.
type tenantRow struct{ ID uuid.UUID }

// manifestTenant finds the tenant that a manifest means.
func (c change) manifestTenant(ctx context.Context, t tenants.ManifestTenant) (tenantRow, error) {
	if t.ID != uuid.Nil {
		return pgdb.One[tenantRow](ctx, c, `SELECT id FROM tenants WHERE id = @id`, pgx.NamedArgs{"id": t.ID})
	}
	return pgdb.One[tenantRow](ctx, c, `SELECT id FROM tenants WHERE manifest_name = @name`, pgx.NamedArgs{"name": t.Name})
}

func (a *applying) applyApp(ctx context.Context, want tenants.ManifestApp) error {
	app, err := a.appFor(ctx, want)
	switch {
	case errors.Is(err, tenants.ErrNotFound):
		enabled := want.Enabled == nil || *want.Enabled
		if app, err = a.insertApp(ctx, want.ID, want.Name, enabled); err != nil {
			return err
		}
		a.did("app.created", "/%s%s", app.Name, a.given(want.ID, " (%s)", app.ID))
		var key tenants.Key
		if len(want.Keys) == 0 {
			if key, err = a.store.insertKey(ctx, a.change, tenants.NewKey(app.ID)); err != nil {
				return err
			}
			a.did("key.created", "/%s%s", app.Name, a.given("", " %s", key.Public))
		}
		if err := a.appChanged(ctx, app.ID, "app.created", app.ID, pgdb.Created(createdApp(app, key.Public))); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := a.updateApp(ctx, app, want); err != nil {
			return err
		}
	}
	if err := a.applySettings(ctx, app, want); err != nil {
		return err
	}
	return a.applyKeys(ctx, app, want.Keys)
}

func (a *applying) applySettings(ctx context.Context, app *tenants.App, want tenants.ManifestApp) error {
	_, changed, err := a.updateSettings(ctx, app, want.Settings)
	if err != nil {
		return err
	}
	for _, s := range changed {
		a.did("app.settings_changed", "/%s%s %s", want.Name, a.given(want.ID, " (%s)", app.ID), s)
	}
	return nil
}

// given formats what the file names itself, or what this run made; a dry run made nothing.
func (a *applying) given(inFile, format, value string) string {
	if inFile == "" && a.dryRun {
		return ""
	}
	return fmt.Sprintf(format, value)
}

// appFor finds the app that a manifest means: by its id, or by its name where it has none.
func (a *applying) appFor(ctx context.Context, want tenants.ManifestApp) (*tenants.App, error) {
	if want.ID != "" {
		return a.lockApp(ctx, want.ID)
	}
	row, err := pgdb.One[appRow](ctx, a, `
		SELECT `+appColumns+`
		FROM apps
		WHERE tenant_id = @tenant AND lower(name) = lower(@name)
		FOR UPDATE`,
		pgx.NamedArgs{"tenant": a.Actor.TenantID, "name": want.Name})
	if err != nil {
		return nil, err
	}
	return row.app(), nil
}

func (a *applying) updateApp(ctx context.Context, app *tenants.App, want tenants.ManifestApp) error {
	if want.Name != app.Name {
		if _, err := a.renameApp(ctx, app, want.Name); err != nil {
			return err
		}
		a.did("app.renamed", "/%s (%s) to %s", app.Name, app.ID, want.Name)
	}
	if want.Enabled == nil || *want.Enabled == app.Enabled {
		return nil
	}
	if _, err := a.enableApp(ctx, app.ID, *want.Enabled); err != nil {
		return err
	}
	action := "app.disabled"
	if *want.Enabled {
		action = "app.enabled"
	}
	a.did(action, "/%s (%s)", want.Name, app.ID)
	return nil
}

func (a *applying) applyKeys(ctx context.Context, app *tenants.App, want []tenants.Key) error {
	rows, err := keysOf(ctx, a, app.TenantID, app.ID)
	if err != nil {
		return err
	}
	have, working := map[string]keyRow{}, 0
	for _, r := range rows {
		have[r.Public] = r
		if k := r.key(); k.Works(time.Now()) {
			working++
		}
	}
	for i, k := range want {
		k.AppID = app.ID
		field := fmt.Sprintf("keys[%d]", i)
		row, exists := have[k.Public]
		if !exists {
			if working++; working > MaxActiveKeys {
				return tenants.Invalid(field, fmt.Sprintf("is one too many; an app has at most %d keys that work", MaxActiveKeys))
			}
			if k.Scopes == 0 {
				k.Scopes = tenants.ScopeAll
			}
			key, err := a.store.insertKey(ctx, a.change, k)
			if err != nil {
				return at(err, field)
			}
			if err := a.keyCreated(ctx, key); err != nil {
				return err
			}
			a.did("key.created", "/%s %s", app.Name, k.Public)
			continue
		}
		if err := a.sameKey(row, k); err != nil {
			return at(err, field)
		}
		if k.Label != "" && k.Label != row.Label {
			if _, err := a.renameKey(ctx, row, k.Label); err != nil {
				return at(err, field)
			}
			a.did("key.renamed", "/%s %s to %s", app.Name, k.Public, k.Label)
		}
	}
	return nil
}

// sameKey tells why a key that exists is not the one that a manifest wants. A key never changes, because
// whoever holds it relies on it: another secret or other scopes want another key.
func (a *applying) sameKey(row keyRow, want tenants.Key) error {
	have := row.key()
	if !have.Works(time.Now()) {
		return tenants.Conflict("key", fmt.Sprintf("%s was revoked, and that is for good; use a new key", row.Public))
	}
	got, err := a.store.open(row)
	if err != nil {
		return err
	}
	if got.Secret != want.Secret {
		return tenants.Conflict("secret", fmt.Sprintf("key %s exists with another secret; use a new key", row.Public))
	}
	if want.Scopes != 0 && want.Scopes != have.Scopes {
		return tenants.Conflict("scopes", fmt.Sprintf("key %s exists with the scopes %s; use a new key", row.Public, have.Scopes))
	}
	return nil
}

// at puts the path of what was being applied in front of the field of an error.
func at(err error, path string) error {
	var f *tenants.FieldError
	if errors.As(err, &f) {
		return &tenants.FieldError{Field: path + "." + f.Field, Reason: f.Reason, Kind: f.Kind}
	}
	return err
}
