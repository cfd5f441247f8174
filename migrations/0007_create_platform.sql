-- One row that says which platform this is, so that two platforms on one Redis notice each other.
-- +goose Up
CREATE TABLE platform (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO platform DEFAULT VALUES;
