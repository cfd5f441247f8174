-- What a user needs to know a session by.
-- +goose Up
ALTER TABLE sessions
    ADD COLUMN id         uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    ADD COLUMN user_agent text NOT NULL DEFAULT '',
    ADD COLUMN ip         inet;
