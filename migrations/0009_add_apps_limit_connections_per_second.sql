-- How many clients of an app may connect in a second. NULL is the default of the platform, as for its other limits.
-- +goose Up
ALTER TABLE apps
    ADD COLUMN limit_connections_per_second integer CHECK (limit_connections_per_second BETWEEN 0 AND 1000000);
