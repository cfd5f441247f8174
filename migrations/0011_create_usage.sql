-- What apps have used, by minute, hour and day, as docs/usage.md says. Rows outlive the app that they tell of, so nothing here
-- is a foreign key.
-- +goose Up
CREATE TABLE usage (
    tenant_id        uuid        NOT NULL,
    -- Empty in the rows of all apps of the tenant together, whose peak is no sum of theirs.
    app_id           text        NOT NULL,
    step             text        NOT NULL CHECK (step IN ('minute', 'hour', 'day')),
    start            timestamptz NOT NULL,
    peak_connections bigint      NOT NULL,
    -- How long connections were open, all together, in microseconds.
    connection_us    bigint      NOT NULL,
    messages_in      bigint      NOT NULL,
    messages_out     bigint      NOT NULL,
    bytes_in         bigint      NOT NULL,
    bytes_out        bigint      NOT NULL,
    api_calls        bigint      NOT NULL,
    webhooks         bigint      NOT NULL,
    -- How many were refused, by the names of usage.Reasons; those that are none are left out.
    rejections       jsonb       NOT NULL CHECK (jsonb_typeof(rejections) = 'object'),
    -- Of a minute: the peaks of its six intervals, each the sum over all edges. Their maximum is the peak.
    slots            bigint[]    CHECK ((step = 'minute') = (slots IS NOT NULL) AND cardinality(slots) = 6),
    PRIMARY KEY (tenant_id, app_id, step, start)
);

CREATE INDEX usage_step_start_idx ON usage (step, start);

-- For how many intervals of ten seconds at least one edge has counted. It tells nothing of any tenant.
CREATE TABLE usage_coverage (
    step      text        NOT NULL CHECK (step IN ('interval', 'minute', 'hour', 'day')),
    start     timestamptz NOT NULL,
    intervals integer     NOT NULL,
    PRIMARY KEY (step, start)
);

-- Which intervals of which edges are in the numbers, so that none is added twice.
CREATE TABLE usage_reports (
    edge  text        NOT NULL,
    seq   bigint      NOT NULL,
    start timestamptz NOT NULL,
    PRIMARY KEY (edge, seq)
);

CREATE INDEX usage_reports_start_idx ON usage_reports (start);

-- Adds numbers by their names.
CREATE FUNCTION peal_add_counts(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
    RETURN CASE
        WHEN b = '{}' THEN a
        WHEN a = '{}' THEN b
        ELSE (
            SELECT jsonb_object_agg(one.key, one.n)
            FROM (
                SELECT every.key, sum(every.value::bigint) AS n
                FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS every
                GROUP BY every.key
            ) AS one
        )
    END;

CREATE AGGREGATE peal_sum_counts(jsonb) (SFUNC = peal_add_counts, STYPE = jsonb, INITCOND = '{}');

-- Adds numbers by their places.
CREATE FUNCTION peal_add_slots(a bigint[], b bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE
    RETURN ARRAY(SELECT pair.x + pair.y FROM unnest(a, b) WITH ORDINALITY AS pair(x, y, n) ORDER BY pair.n);

CREATE FUNCTION peal_highest(a bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (SELECT max(one) FROM unnest(a) AS one);

GRANT SELECT ON usage, usage_coverage TO peal_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage, usage_coverage, usage_reports TO peal_platform;

ALTER TABLE usage          ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_coverage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_reports  ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON usage          TO peal_tenant USING (tenant_id = peal_tenant_id());
CREATE POLICY of_tenant ON usage_coverage TO peal_tenant USING (true);

CREATE POLICY of_all ON usage          TO peal_platform USING (true);
CREATE POLICY of_all ON usage_coverage TO peal_platform USING (true);
CREATE POLICY of_all ON usage_reports  TO peal_platform USING (true);
