-- An operator looks at a tenant as its members see it, for a while, in a session of their own.
-- +goose Up
ALTER TABLE sessions
    ADD COLUMN impersonates       uuid REFERENCES tenants (id) ON DELETE SET NULL,
    ADD COLUMN impersonates_until timestamptz;
