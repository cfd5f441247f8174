-- Row-level security: what a transaction may see is decided by the role that it takes on (tenants/pgdb.Scope), and none of
-- these roles owns a table, may log in, or may bypass the policies.
--
--   peal_tenant    the rows of the tenant that the setting peal.tenant names
--   peal_platform  the rows of all tenants
--   peal_edge      reads apps and keys, whosever they are, and nothing else
--
-- Every later table that has tenants' rows needs its policies and grants too; a test looks for those that have none.
-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['peal_tenant', 'peal_platform', 'peal_edge'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION
            -- Roles belong to the whole server; another database was migrated at this moment.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'this user may not create the role %', name USING HINT = format(
                    'have an administrator run: CREATE ROLE %I NOLOGIN; GRANT %I TO %I; for peal_tenant, peal_platform and peal_edge',
                    name, name, current_user);
        END;
        BEGIN
            EXECUTE format('GRANT %I TO %I', name, current_user);
        EXCEPTION
            -- Whoever may not grant it must have been given it.
            WHEN insufficient_privilege THEN
                IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
                    RAISE EXCEPTION 'this user is not a member of the role %', name USING HINT = format(
                        'have an administrator run: GRANT %I TO %I', name, current_user);
                END IF;
        END;
    END LOOP;
END;
$$;
-- +goose StatementEnd

-- The tenant whose rows this transaction is about, or NULL, which no row's tenant is.
CREATE FUNCTION peal_tenant_id() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('peal.tenant', true), '')::uuid;

GRANT USAGE ON SCHEMA public TO peal_tenant, peal_platform, peal_edge;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, users, memberships, sessions, apps, keys TO peal_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON apps, keys TO peal_tenant;
-- Who belongs to a tenant is decided above it: who could write memberships could see anybody by taking them in.
GRANT SELECT ON tenants, memberships TO peal_tenant;
GRANT SELECT (id, email, created_at) ON users TO peal_tenant;
GRANT SELECT ON apps, keys TO peal_edge;
-- The log of changes is only ever added to.
GRANT SELECT, INSERT ON audit TO peal_tenant, peal_platform;
GRANT SELECT ON platform, goose_db_version TO peal_platform;
GRANT USAGE ON SEQUENCE app_id_seq TO peal_tenant, peal_platform;

ALTER TABLE tenants     ENABLE ROW LEVEL SECURITY;
ALTER TABLE users       ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions    ENABLE ROW LEVEL SECURITY;
ALTER TABLE apps        ENABLE ROW LEVEL SECURITY;
ALTER TABLE keys        ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit       ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON tenants     TO peal_tenant USING (id = peal_tenant_id());
CREATE POLICY of_tenant ON users       TO peal_tenant USING (
    EXISTS (SELECT FROM memberships m WHERE m.user_id = users.id AND m.tenant_id = peal_tenant_id())
);
CREATE POLICY of_tenant ON memberships TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_tenant ON apps        TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_tenant ON keys        TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_tenant ON audit       TO peal_tenant USING (tenant_id = peal_tenant_id());

CREATE POLICY of_all ON tenants     TO peal_platform USING (true);
CREATE POLICY of_all ON users       TO peal_platform USING (true);
CREATE POLICY of_all ON memberships TO peal_platform USING (true);
CREATE POLICY of_all ON sessions    TO peal_platform USING (true);
CREATE POLICY of_all ON apps        TO peal_platform USING (true);
CREATE POLICY of_all ON keys        TO peal_platform USING (true);
CREATE POLICY of_all ON audit       TO peal_platform USING (true);

CREATE POLICY of_edge ON apps    TO peal_edge USING (true);
CREATE POLICY of_edge ON keys    TO peal_edge USING (true);
