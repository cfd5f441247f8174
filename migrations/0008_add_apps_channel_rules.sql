-- What holds for channels by their names: a list, of which the first rule that fits counts. It is one value, because it is
-- read and replaced as a whole. The ranges are those of tenants.CheckChannelRules; a test compares them.
-- +goose Up
ALTER TABLE apps
    ADD COLUMN channel_rules jsonb NOT NULL DEFAULT '[]' CHECK (
        jsonb_typeof(channel_rules) = 'array'
        AND jsonb_array_length(channel_rules) <= 50
        AND jsonb_array_length(channel_rules) = jsonb_array_length(jsonb_path_query_array(channel_rules,
            'strict $[*] ? (
                @.pattern like_regex "^[A-Za-z0-9_=@,.;*-]{1,200}$"
                && @.log.size >= 1 && @.log.size <= 10000
                && @.log.ttl_seconds >= 1 && @.log.ttl_seconds <= 86400
            )'))
    );
