-- The name under which manifests keep a tenant. People choose names freely when they sign up, so a tenant that
-- somebody signed up as is never found by its name.
-- +goose Up
ALTER TABLE tenants ADD COLUMN manifest_name text UNIQUE;
