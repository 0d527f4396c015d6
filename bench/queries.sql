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

-- name: all_of_it
-- The limit of every export: the same columns by COPY, of these environments.
SELECT events.*, changes.before, changes.after, deeds.setting, deeds.summary, remarks.text,
       requests.request_id, principals.provider_id, principals.name
FROM changes
JOIN events USING (environment, position)
JOIN deeds ON deeds.id = changes.deed
LEFT JOIN remarks ON remarks.environment = events.environment
    AND remarks.change_set = events.change_set
LEFT JOIN requests ON requests.environment = events.environment
    AND requests.first_position = events.change_set
LEFT JOIN principals ON principals.handle = events.actor
WHERE changes.environment = ANY ($1::text[])
ORDER BY events.recorded_at, events.environment, events.position;

-- name: tidy
-- What autovacuum does some time after so many rows.
VACUUM (ANALYZE);
