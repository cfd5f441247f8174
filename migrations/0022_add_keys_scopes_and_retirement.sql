-- What a key is good for, what people call it, until when it works once another has taken its place, and when it was last
-- used. A key that retires stays 'active' until its date has passed, so that a version that knows nothing of dates goes on
-- taking it.
-- +goose Up
ALTER TABLE keys
    ADD COLUMN label        text        NOT NULL DEFAULT '' CHECK (length(label) <= 60),
    ADD COLUMN scopes       text[]      NOT NULL DEFAULT '{all}' CHECK (
        cardinality(scopes) BETWEEN 1 AND 3
        AND scopes <@ ARRAY['publish', 'subscribe', 'query', 'all']
        AND (cardinality(scopes) = 1 OR NOT 'all' = ANY (scopes))
    ),
    ADD COLUMN retires_at   timestamptz,
    -- To the minute, and a minute or so late.
    ADD COLUMN last_used_at timestamptz;

CREATE INDEX keys_retires_at_idx ON keys (retires_at) WHERE state = 'active' AND retires_at IS NOT NULL;
