-- What the log is asked. Every statement is prepared by a test.

-- name: append
-- The only way in. The arguments are those of arguments() in append.py.
SELECT append($1, $2, $3, $4, $5) AS elsewhere;

-- name: stands
-- Which of these entries are in the log: what became of a commit whose answer was lost.
SELECT events.environment
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS mine (environment, position, seal)
JOIN events USING (environment, position, seal);

-- name: end_backend
-- What a line that was lost may still have to say, nobody is to hear any more.
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE pid = $1 AND application_name = 'syncledger' AND usename = session_user;

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

-- name: principal_known
SELECT handle, provider_id, name FROM principals WHERE provider_id = $1;

-- name: principals
SELECT handle, provider_id, name FROM principals WHERE handle = ANY ($1::uuid[]);

-- name: remarks
SELECT environment, change_set, text, salt FROM remarks WHERE environment = $1 ORDER BY change_set;

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
UNION SELECT environment FROM remarks
UNION SELECT environment FROM requests
ORDER BY environment;

-- name: requests_astray
-- Requests that do not begin and end a change set of the same actor; or, where nothing had to be
-- changed, do not stand where one ends.
SELECT requests.request_id, requests.last_position
FROM requests
LEFT JOIN events AS last ON last.environment = requests.environment
    AND last.position = requests.last_position
LEFT JOIN events AS next ON next.environment = requests.environment
    AND next.position = requests.last_position + 1
WHERE requests.environment = $1
  AND (last.position IS NULL OR next.change_set = last.change_set
       OR requests.first_position IS NOT NULL
           AND (last.change_set, last.actor) <> (requests.first_position, requests.actor))
ORDER BY requests.last_position, requests.request_id;

-- name: note_attempts
SELECT note_attempts($1);

-- name: attempts
-- $2, $3: the numbers between. $4: from the newest back. $5: how many.
SELECT number, at, actor, asked, about, refusals, more FROM attempts
WHERE environment = $1 AND number > $2 AND number < $3
ORDER BY CASE WHEN $4::boolean THEN number END DESC, CASE WHEN NOT $4::boolean THEN number END
LIMIT $5;
