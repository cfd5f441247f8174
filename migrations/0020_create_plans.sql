-- Plans, which give limits to tenants, and the suspension of tenants. Both are an operator's to change: a tenant reads its own.
-- +goose Up
CREATE TABLE plans (
    id         text        PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    is_default boolean     NOT NULL DEFAULT false,
    -- By the names of tenants.PlanLimitFields. Of those that are missing the plan says nothing.
    limits     jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- New tenants get the one default, if there is one.
CREATE UNIQUE INDEX plans_is_default_key ON plans (is_default) WHERE is_default;

ALTER TABLE tenants
    ADD COLUMN plan_id       text REFERENCES plans (id),
    ADD COLUMN suspended_at  timestamptz,
    ADD COLUMN suspended_for text CHECK (length(suspended_for) BETWEEN 1 AND 500),
    ADD CHECK ((suspended_at IS NULL) = (suspended_for IS NULL));

CREATE INDEX tenants_plan_id_idx ON tenants (plan_id);

ALTER TABLE apps
    ADD COLUMN limit_messages_per_day integer CHECK (limit_messages_per_day BETWEEN 0 AND 2000000000);

-- How many messages of a UTC day were published, by whom: an app, or a tenant with all its apps. It is what was known last; while
-- edges run they keep count among themselves.
CREATE TABLE message_days (
    tenant_id uuid   NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- The id of an app, or of the tenant.
    owner     text   NOT NULL,
    day       date   NOT NULL,
    messages  bigint NOT NULL CHECK (messages >= 0),
    PRIMARY KEY (owner, day)
);

CREATE INDEX message_days_day_idx ON message_days (day);
CREATE INDEX message_days_tenant_id_idx ON message_days (tenant_id);

GRANT SELECT ON plans, message_days TO peal_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON plans, message_days TO peal_platform;
-- An edge learns what a tenant's apps may do together, and whether they may do anything.
GRANT SELECT (id, limits) ON plans TO peal_edge;
GRANT SELECT (id, plan_id, suspended_at) ON tenants TO peal_edge;

ALTER TABLE plans        ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_days ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON plans        TO peal_tenant USING (
    EXISTS (SELECT FROM tenants t WHERE t.plan_id = plans.id AND t.id = peal_tenant_id())
);
CREATE POLICY of_tenant ON message_days TO peal_tenant USING (tenant_id = peal_tenant_id());

CREATE POLICY of_all ON plans        TO peal_platform USING (true);
CREATE POLICY of_all ON message_days TO peal_platform USING (true);

CREATE POLICY of_edge ON plans   TO peal_edge USING (true);
CREATE POLICY of_edge ON tenants TO peal_edge USING (true);
