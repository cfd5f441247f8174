-- Who is invited to a tenant, and who has shown that an address is theirs.
-- +goose Up
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;

CREATE TABLE invitations (
    id         uuid        PRIMARY KEY,
    tenant_id  uuid        NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email      text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    role       text        NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    -- The SHA-256 of the link's token: a copy of this table lets nobody in.
    token_hash bytea       NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- Whether the token went out by mail, so that who has it has shown that the address is theirs.
    by_mail    boolean     NOT NULL,
    invited_by uuid        REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX invitations_tenant_id_email_key ON invitations (tenant_id, lower(email));
CREATE INDEX invitations_invited_by_idx ON invitations (invited_by);
CREATE INDEX invitations_expires_at_idx ON invitations (expires_at);

-- Who is taken in is decided above the tenant, as with memberships; a token's hash is of no use to who only looks.
GRANT SELECT (id, tenant_id, email, role, by_mail, invited_by, created_at, expires_at) ON invitations TO peal_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON invitations TO peal_platform;
GRANT SELECT (email_verified_at) ON users TO peal_tenant;

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON invitations TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_all ON invitations TO peal_platform USING (true);
