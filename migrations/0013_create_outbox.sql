-- Mails that wait to be sent. One is written in the transaction of what it tells of, and removed when it is sent.
-- +goose Up
CREATE TABLE outbox (
    id          uuid        PRIMARY KEY,
    -- NULL where a mail is about a user and no tenant, such as one with a link to set another password.
    tenant_id   uuid        REFERENCES tenants (id) ON DELETE CASCADE,
    recipient   text        NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    subject     text        NOT NULL,
    -- The text, under the key-encryption key: a link in it may be as good as a password.
    sealed      bytea       NOT NULL,
    sealed_with text        NOT NULL,
    attempts    integer     NOT NULL DEFAULT 0,
    -- When it is to be tried next. While somebody tries, it lies far enough ahead for nobody else to.
    next_at     timestamptz NOT NULL DEFAULT now(),
    -- From when on it is not worth sending.
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX outbox_next_at_idx ON outbox (next_at);
CREATE INDEX outbox_expires_at_idx ON outbox (expires_at);

-- Who changes something of a tenant may have a mail sent, and read none.
GRANT INSERT ON outbox TO peal_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO peal_platform;

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON outbox TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_all ON outbox TO peal_platform USING (true);
