package pgstore_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pealhq/peal/tenants/pgdb"
)

// The second wall: what a transaction sees is decided by PostgreSQL, also for a statement that forgot the tenant.

// count runs a statement that counts, in a scope.
func (w *world) count(t *testing.T, scope pgdb.Scope, sql string) int {
	t.Helper()
	row, err := pgdb.ReadOne[struct{ N int }](t.Context(), w.database, scope, sql, pgx.NamedArgs{})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return row.N
}

func TestATenantSeesNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app(t, w.ann, "Chat")
	w.app(t, w.bo, "Chat")
	bo := pgdb.Tenant(w.bo.TenantID)
	for table, own := range map[string]int{"tenants": 1, "users": 1, "memberships": 1, "apps": 1, "keys": 1} {
		if n := w.count(t, bo, `SELECT count(*) AS n FROM `+table); n != own {
			t.Errorf("a statement without a tenant sees %d rows of %s, want %d", n, table, own)
		}
		if n := w.count(t, pgdb.Platform(), `SELECT count(*) AS n FROM `+table); n <= own {
			t.Errorf("the platform sees %d rows of %s", n, table)
		}
	}
	if n := w.count(t, bo, `SELECT count(*) AS n FROM audit WHERE tenant_id <> '`+w.bo.TenantID.String()+`'`); n != 0 {
		t.Errorf("a tenant sees %d audit rows of others", n)
	}
	err := w.Write(t.Context(), bo, func(q pgdb.Querier) error {
		n, err := pgdb.Exec(t.Context(), q, `UPDATE apps SET name = 'taken' WHERE id = @id`, pgx.NamedArgs{"id": app.ID})
		if n != 0 {
			t.Errorf("a tenant changed %d rows of another", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// refused tells whether PostgreSQL refused a statement for want of a right or because of a policy.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}

func TestWhatEachScopeMayNotDo(t *testing.T) {
	w := newWorld(t)
	w.app(t, w.ann, "Chat")
	ann, bo := w.ann.TenantID.String(), pgdb.Tenant(w.bo.TenantID)
	for _, c := range []struct {
		name  string
		scope pgdb.Scope
		sql   string
	}{
		{"a row for another tenant", bo, `INSERT INTO apps (id, tenant_id, name) VALUES ('99', '` + ann + `', 'x')`},
		{"a row given to another tenant", bo, `INSERT INTO audit (tenant_id, via, action, target) VALUES ('` + ann + `', 'x', 'x', 'x')`},
		{"a tenant changes the audit log", bo, `UPDATE audit SET action = 'x'`},
		{"a tenant deletes from the audit log", bo, `DELETE FROM audit`},
		{"the platform changes the audit log", pgdb.Platform(), `UPDATE audit SET action = 'x'`},
		{"the platform deletes from the audit log", pgdb.Platform(), `DELETE FROM audit`},
		{"the platform empties the audit log", pgdb.Platform(), `TRUNCATE audit`},
		{"a tenant takes somebody in", bo, `INSERT INTO memberships (tenant_id, user_id, role) VALUES ('` + w.bo.TenantID.String() + `', '` +
			w.ann.UserID.String() + `', 'viewer')`},
		{"a tenant reads passwords", bo, `SELECT password_hash FROM users`},
		{"a tenant reads sessions", bo, `SELECT 1 FROM sessions`},
		{"a tenant changes itself", bo, `UPDATE tenants SET manifest_name = 'x'`},
		{"an edge reads tenants", pgdb.Edge(), `SELECT name FROM tenants`},
		{"a tenant changes users", bo, `UPDATE users SET password_hash = 'x'`},
		{"a tenant makes a tenant", bo, `INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 'x')`},
		{"a tenant gives itself a plan", bo, `UPDATE tenants SET plan_id = NULL`},
		{"a tenant changes plans", bo, `UPDATE plans SET limits = '{}'`},
		{"an edge reads people", pgdb.Edge(), `SELECT 1 FROM users`},
		{"an edge reads the audit log", pgdb.Edge(), `SELECT 1 FROM audit`},
		{"an edge changes apps", pgdb.Edge(), `UPDATE apps SET enabled = false`},
		{"the platform changes the schema", pgdb.Platform(), `CREATE POLICY mine ON apps TO peal_platform USING (true)`},
	} {
		err := w.Write(t.Context(), c.scope, func(q pgdb.Querier) error {
			_, err := pgdb.Exec(t.Context(), q, c.sql, nil)
			return err
		})
		if !refused(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := w.Read(t.Context(), pgdb.Scope{}, func(pgdb.Querier) error { return nil }); err == nil {
		t.Error("a transaction without a scope")
	}
}

func TestEveryTableIsBehindTheWall(t *testing.T) {
	w := newWorld(t)
	// platform says which platform this is, and goose keeps its own table: neither has rows of tenants.
	open := w.query(t, `
		SELECT c.relname::text
		FROM pg_class c
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
			AND c.relname NOT IN ('platform', 'goose_db_version')
			AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))`)
	if len(open) > 0 {
		t.Errorf("tables without row-level security: %v", open)
	}
	roles := w.query(t, `
		SELECT rolname::text
		FROM pg_roles
		WHERE rolname LIKE 'peal\_%' AND NOT rolsuper AND NOT rolbypassrls AND NOT rolcanlogin AND NOT rolcreaterole
		ORDER BY 1`)
	if want := []string{"peal_edge", "peal_platform", "peal_tenant"}; !slices.Equal(roles, want) {
		t.Errorf("roles that can bypass nothing: %v, want %v", roles, want)
	}
	owned := w.query(t, `SELECT relname::text FROM pg_class WHERE relowner IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'peal\_%')`)
	if len(owned) > 0 {
		t.Errorf("the roles own %v", owned)
	}
}
