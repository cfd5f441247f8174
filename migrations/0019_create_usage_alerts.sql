-- Which alerts were raised for which app: each once a day of UTC, by whichever worker writes the row first. Rows tell of apps
-- that may be gone, so nothing here is a foreign key.
-- +goose Up
CREATE TABLE usage_alerts (
    tenant_id  uuid        NOT NULL,
    app_id     text        NOT NULL,
    limit_name text        NOT NULL,
    -- In percent of the limit.
    threshold  smallint    NOT NULL CHECK (threshold IN (80, 100)),
    day        date        NOT NULL,
    used       bigint      NOT NULL,
    bound      bigint      NOT NULL,
    raised_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, app_id, limit_name, threshold, day)
);

CREATE INDEX usage_alerts_day_idx ON usage_alerts (day);

-- Whether the owners and admins of a tenant want mail when an alert is raised.
ALTER TABLE tenants ADD COLUMN alerts_by_mail boolean NOT NULL DEFAULT true;

GRANT SELECT ON usage_alerts TO peal_tenant;
GRANT SELECT, INSERT, DELETE ON usage_alerts TO peal_platform;
GRANT UPDATE (alerts_by_mail) ON tenants TO peal_tenant;

ALTER TABLE usage_alerts ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON usage_alerts TO peal_tenant   USING (tenant_id = peal_tenant_id());
CREATE POLICY of_all    ON usage_alerts TO peal_platform USING (true);
