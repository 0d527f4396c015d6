-- The limit of every append: rows as wide as an entry of the log, without its order or its seal.

-- name: plain_table
CREATE TABLE plain (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    environment text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    type        text COLLATE "C" NOT NULL,
    payload     text COLLATE "C" NOT NULL,
    actor       uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    seal        bytea NOT NULL,
    PRIMARY KEY (environment, position)
);

-- name: plain_insert
INSERT INTO plain (environment, position, type, payload, actor, recorded_at, seal)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: tidy
-- What autovacuum does some time after so many rows.
VACUUM (ANALYZE);
