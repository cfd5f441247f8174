-- Every change of the control plane, written in the transaction that makes it. Rows outlive what they tell
-- of, so nothing here is a foreign key.
-- +goose Up
CREATE TABLE audit (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    tenant_id  uuid        NOT NULL,
    -- NULL where a command on the host acted, not a user.
    user_id    uuid,
    -- What acted: "dashboard", "seed", "apply".
    via        text        NOT NULL,
    ip         inet,
    request_id text,
    -- What was done, as noun.verb: "app.created", "key.revoked".
    action     text        NOT NULL,
    -- The id of what it was done to.
    target     text        NOT NULL,
    -- What changed, without secrets.
    detail     jsonb       NOT NULL DEFAULT '{}'
);

CREATE INDEX audit_tenant_id_id_idx ON audit (tenant_id, id DESC);

-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are never changed';
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER audit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
