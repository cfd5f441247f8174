-- Operators of the platform. Only commands on the host make one; a tenant cannot even see who is.
-- +goose Up
ALTER TABLE users ADD COLUMN operator boolean NOT NULL DEFAULT false;
