-- Apps and their keys. A tenant's id stands in every row, so that every statement can name it.
-- +goose Up
-- Ids that Peal gives; ids that a customer brings may be any other number.
CREATE SEQUENCE app_id_seq START 100001;

CREATE TABLE apps (
    id         text        PRIMARY KEY CHECK (id ~ '^[1-9][0-9]{0,17}$'),
    tenant_id  uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    enabled    boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id)
);

CREATE UNIQUE INDEX apps_tenant_id_name_key ON apps (tenant_id, lower(name));
CREATE INDEX apps_tenant_id_created_at_idx ON apps (tenant_id, created_at DESC, id DESC);

CREATE TABLE keys (
    public     text        PRIMARY KEY CHECK (public ~ '^[A-Za-z0-9_-]{1,64}$'),
    app_id     text        NOT NULL,
    tenant_id  uuid        NOT NULL,
    -- AES-256-GCM under the key-encryption key named by sealed_with; see tenants.Sealer.
    sealed     bytea       NOT NULL,
    sealed_with text       NOT NULL,
    state      text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'revoked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz CHECK ((revoked_at IS NOT NULL) = (state = 'revoked')),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX keys_app_id_idx ON keys (app_id, created_at);
