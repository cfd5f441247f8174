-- API tokens: each works in one tenant, for one member of it, and goes when the membership does.
-- +goose Up
CREATE TABLE api_tokens (
    id           uuid        PRIMARY KEY,
    -- The SHA-256 of the text: a copy of this table calls nothing.
    token_hash   bytea       NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    tenant_id    uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    name         text        NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    -- How the text begins.
    hint         text        NOT NULL,
    -- Permissions by their names (tenants.Permission). What a name that is not known allows is nothing.
    scopes       text[]      NOT NULL CHECK (cardinality(scopes) > 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    last_used_ip inet,
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);

CREATE INDEX api_tokens_tenant_id_user_id_idx ON api_tokens (tenant_id, user_id);
CREATE INDEX api_tokens_expires_at_idx ON api_tokens (expires_at);

GRANT SELECT (id, tenant_id, user_id, name, hint, scopes, created_at, expires_at, last_used_at, last_used_ip), INSERT, DELETE
    ON api_tokens TO peal_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_tokens TO peal_platform;

ALTER TABLE api_tokens ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON api_tokens TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_all ON api_tokens TO peal_platform USING (true);
