-- What the log is asked. Every statement is prepared by a test.

-- name: append
-- The only way in. The arguments are those of arguments() in transact.py.
SELECT append($1, $2, $3, $4, $5) AS elsewhere;

-- name: stands
-- Which of these entries are in the log: what became of a commit whose answer was lost.
SELECT events.environment
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS mine (environment, position, seal)
JOIN events USING (environment, position, seal);

-- name: clock
SELECT clock_timestamp() AS now;

-- name: entries
-- A page of one log after a position, up to a position. A short page is the end.
SELECT environment, position, change_set, type, payload, actor, reason, recorded_at, seal
FROM events
WHERE environment = $1 AND position > $2 AND position <= $3
ORDER BY position
LIMIT $4;

-- name: entries_at
-- Single entries, with what may have been erased since: the reason in plain words.
SELECT events.environment, events.position, events.payload, events.seal, remarks.text AS reason,
       requests.request_id
FROM unnest($1::text[], $2::bigint[]) AS wanted (environment, position)
JOIN events USING (environment, position)
LEFT JOIN remarks USING (environment, change_set)
LEFT JOIN requests ON requests.environment = events.environment
    AND requests.first_position = events.change_set;

-- name: heads
SELECT environment, position, seal, recorded_at FROM log_head ORDER BY environment;

-- name: head
SELECT environment, position, seal, recorded_at FROM log_head WHERE environment = $1;

-- name: pulse
-- Changes exactly when some log grew: heads are only added and positions only grow.
SELECT count(*) AS logs, coalesce(sum(position), 0)::bigint AS entries FROM log_head;

-- name: requests
-- Requests seen before, among these.
SELECT requests.environment, requests.request_id, digest, actor, first_position, last_position
FROM unnest($1::text[], $2::uuid[]) AS asked (environment, request_id)
JOIN requests USING (environment, request_id);

-- name: principal
SELECT handle, provider_id, name FROM principal($1, $2);

-- name: principals
SELECT handle, provider_id, name FROM principals WHERE handle = ANY ($1::uuid[]);

-- name: remarks
SELECT environment, change_set, text, salt FROM remarks WHERE environment = $1 ORDER BY change_set;

-- name: listen
LISTEN syncledger;

-- name: ring
-- Carries no news: whoever hears it reads the heads.
NOTIFY syncledger;

-- name: environments
-- Found by skipping from key to key: a head may be missing, and so may be the entries.
WITH RECURSIVE logged AS (
    (SELECT environment FROM events ORDER BY environment LIMIT 1)
    UNION ALL
    SELECT (SELECT environment FROM events WHERE environment > logged.environment
            ORDER BY environment LIMIT 1)
    FROM logged WHERE logged.environment IS NOT NULL
)
SELECT environment FROM logged WHERE environment IS NOT NULL
UNION SELECT environment FROM log_head
ORDER BY environment;
