-- Who acted, by the address that they had then: people go away, and change their addresses. NULL where a command on the host
-- acted, and in rows that are older than this column, of which the present address is told.
-- +goose Up
ALTER TABLE audit ADD COLUMN actor_email text;
