-- What an app may be set to: features, origins, limits. Rows that are there get what held for them before. The ranges
-- are those of tenants.LimitFields; a test compares them.
-- +goose Up
ALTER TABLE apps
    ADD COLUMN feature_client_events          boolean NOT NULL DEFAULT true,
    ADD COLUMN feature_subscription_count     boolean NOT NULL DEFAULT false,
    ADD COLUMN feature_watchlist              boolean NOT NULL DEFAULT false,
    ADD COLUMN feature_authorized_connections boolean NOT NULL DEFAULT false,
    ADD COLUMN feature_tls_only               boolean NOT NULL DEFAULT false,
    ADD COLUMN feature_compression            boolean NOT NULL DEFAULT false,
    -- Whose pages may connect; none means everybody's.
    ADD COLUMN origins text[] NOT NULL DEFAULT '{}' CHECK (cardinality(origins) <= 100 AND array_position(origins, NULL) IS NULL),
    -- NULL is the default of the platform, which may change with it.
    ADD COLUMN limit_connections                   integer CHECK (limit_connections BETWEEN 0 AND 10000000),
    ADD COLUMN limit_messages_per_second           integer CHECK (limit_messages_per_second BETWEEN 0 AND 10000000),
    ADD COLUMN limit_client_events_per_second      integer CHECK (limit_client_events_per_second BETWEEN 1 AND 1000),
    ADD COLUMN limit_payload_bytes                 integer CHECK (limit_payload_bytes BETWEEN 1 AND 1048576),
    ADD COLUMN limit_channel_name_length           integer CHECK (limit_channel_name_length BETWEEN 1 AND 200),
    ADD COLUMN limit_event_name_length             integer CHECK (limit_event_name_length BETWEEN 1 AND 1000),
    ADD COLUMN limit_channels_per_publish          integer CHECK (limit_channels_per_publish BETWEEN 1 AND 1000),
    ADD COLUMN limit_events_per_batch              integer CHECK (limit_events_per_batch BETWEEN 1 AND 100),
    ADD COLUMN limit_channels_per_socket           integer CHECK (limit_channels_per_socket BETWEEN 1 AND 100000),
    ADD COLUMN limit_presence_members              integer CHECK (limit_presence_members BETWEEN 1 AND 10000),
    ADD COLUMN limit_member_info_bytes             integer CHECK (limit_member_info_bytes BETWEEN 2 AND 16384),
    ADD COLUMN limit_watchlist_users               integer CHECK (limit_watchlist_users BETWEEN 1 AND 1000),
    ADD COLUMN limit_cache_ttl_seconds             integer CHECK (limit_cache_ttl_seconds BETWEEN 1 AND 1800),
    ADD COLUMN limit_activity_timeout_seconds      integer CHECK (limit_activity_timeout_seconds BETWEEN 1 AND 3600),
    ADD COLUMN limit_authorization_timeout_seconds integer CHECK (limit_authorization_timeout_seconds BETWEEN 1 AND 600);
