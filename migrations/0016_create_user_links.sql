-- Links in mails to users: each is good once and for a time. Only the SHA-256 of a link's token is here.
-- +goose Up
CREATE TABLE user_links (
    token_hash bytea       PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- verify: the address is the user's. change: it is, and becomes the one to sign in with. reset: set another password.
    purpose    text        NOT NULL CHECK (purpose IN ('verify', 'change', 'reset')),
    -- The address that the mail went to.
    email      text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- A later link takes the place of the one before.
CREATE UNIQUE INDEX user_links_user_id_purpose_key ON user_links (user_id, purpose);
CREATE INDEX user_links_expires_at_idx ON user_links (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON user_links TO peal_platform;
ALTER TABLE user_links ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_all ON user_links TO peal_platform USING (true);
