-- The second factor of users: TOTP, and recovery codes for when the authenticator is lost.
-- +goose Up
CREATE TABLE second_factors (
    user_id       uuid        PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- The seed, under the key-encryption key.
    sealed        bytea       NOT NULL,
    sealed_with   text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    -- NULL until the first code was right; only then it is asked for.
    confirmed_at  timestamptz,
    -- The last step of time whose code was used: no code is good twice.
    last_step     bigint      NOT NULL DEFAULT 0,
    -- Wrong codes in a row, and until when no other is looked at.
    failures      integer     NOT NULL DEFAULT 0,
    blocked_until timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE recovery_codes (
    user_id   uuid  NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    PRIMARY KEY (user_id, code_hash)
);

-- Logins whose password was right and whose code is still to come.
CREATE TABLE login_challenges (
    token_hash bytea       PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);

CREATE INDEX login_challenges_user_id_idx ON login_challenges (user_id);
CREATE INDEX login_challenges_expires_at_idx ON login_challenges (expires_at);

-- A tenant may know which of its members have one.
GRANT SELECT (user_id, confirmed_at) ON second_factors TO peal_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factors, recovery_codes, login_challenges TO peal_platform;

ALTER TABLE second_factors   ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes   ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_challenges ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON second_factors TO peal_tenant USING (
    EXISTS (SELECT FROM memberships m WHERE m.user_id = second_factors.user_id AND m.tenant_id = peal_tenant_id())
);
CREATE POLICY of_all ON second_factors   TO peal_platform USING (true);
CREATE POLICY of_all ON recovery_codes   TO peal_platform USING (true);
CREATE POLICY of_all ON login_challenges TO peal_platform USING (true);
