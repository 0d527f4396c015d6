-- What the projections are asked and told. Every statement is prepared by a test.

-- name: behind
-- Environments whose row is not where their log is (made, missing, or of an unknown log), and how
-- many entries lie between. $1: this one alone, null for all.
SELECT coalesce(head.environment, mine.environment) AS environment,
       greatest(coalesce(head.position, 0) - coalesce(mine.position, 0), 0) AS entries
FROM log_head AS head
FULL JOIN current_settings AS mine USING (environment)
WHERE head.position IS DISTINCT FROM mine.position
  AND ($1::text IS NULL OR coalesce(head.environment, mine.environment) = $1)
ORDER BY 1;

-- name: known
-- Environments with a log or with rows; those of changes are found by skipping from key to key.
WITH RECURSIVE changed AS (
    (SELECT environment FROM changes ORDER BY environment LIMIT 1)
    UNION ALL
    SELECT (SELECT environment FROM changes WHERE environment > changed.environment
            ORDER BY environment LIMIT 1)
    FROM changed WHERE changed.environment IS NOT NULL
)
SELECT environment FROM changed WHERE environment IS NOT NULL
UNION SELECT environment FROM log_head
UNION SELECT environment FROM current_settings
UNION SELECT environment FROM stored_standings
ORDER BY environment;

-- name: patience
-- Folding a long log leaves the transaction idle for a while, and who waits for it waits nearly as
-- long as a statement may take.
SELECT set_config('idle_in_transaction_session_timeout', '60s', true),
       set_config('lock_timeout', '25s', true);

-- name: lock_free
-- Those of these environments whose rows nobody moves now; from here on nobody else does.
SELECT environment
FROM (SELECT unnest($1::text[]) AS environment ORDER BY 1) AS mine
WHERE pg_try_advisory_xact_lock(hashtextextended(environment, 8302027));

-- name: lock
-- The same for one, waiting for who moves its rows now.
SELECT $1::text AS environment FROM pg_advisory_xact_lock(hashtextextended($1::text, 8302027));

-- name: places
-- Where the rows of these environments are: 0 where there are none, or none that can be built on.
SELECT wanted.environment,
       CASE WHEN mine.position <= head.position THEN mine.position ELSE 0 END AS position
FROM unnest($1::text[]) AS wanted (environment)
LEFT JOIN current_settings AS mine USING (environment)
LEFT JOIN log_head AS head USING (environment);

-- name: forget
DELETE FROM current_settings WHERE environment = ANY ($1::text[]);

-- name: forget_changes
-- What lies beyond a position.
DELETE FROM changes USING unnest($1::text[], $2::bigint[]) AS place (environment, position)
WHERE changes.environment = place.environment AND changes.position > place.position;

-- name: keep
-- Never takes a row back to an earlier position.
INSERT INTO current_settings AS kept
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[],
                     $7::boolean[], $8::boolean[], $9::text[])
    AS row (environment, position, name, kind, state, appointment_attachments, assigned_tasks,
            resource_bookings, mailing_addresses)
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(member.handle ORDER BY member.handle), '{}') AS members
    FROM unnest($10::text[], $11::uuid[]) AS member (environment, handle)
    WHERE member.environment = row.environment
) AS held
ON CONFLICT (environment) DO UPDATE SET
    position = excluded.position, name = excluded.name, kind = excluded.kind,
    state = excluded.state, appointment_attachments = excluded.appointment_attachments,
    assigned_tasks = excluded.assigned_tasks, resource_bookings = excluded.resource_bookings,
    mailing_addresses = excluded.mailing_addresses, members = excluded.members
WHERE excluded.position > kept.position;

-- name: row
SELECT environment, position, name, kind, state, appointment_attachments, assigned_tasks,
       resource_bookings, mailing_addresses, members
FROM current_settings WHERE environment = $1;

-- name: changes
-- A page of one environment's changes after a position. A short page is the end.
SELECT environment, position, setting, before, after, summary
FROM changes
WHERE environment = $1 AND position > $2
ORDER BY position
LIMIT $3;

-- name: last_change
SELECT coalesce(max(position), 0) AS position FROM changes WHERE environment = $1;

-- name: history_newest_first
-- $2, $3: the positions between. $4: how many. The rest narrows, null for any: actor, setting, the
-- beginning of settings, type, since, until, and a text whatever its case.
SELECT events.*, changes.setting, changes.before, changes.after
FROM events
JOIN changes USING (environment, position)
LEFT JOIN remarks USING (environment, change_set)
WHERE environment = $1 AND position > $2 AND position < $3
  AND ($5::uuid IS NULL OR actor = $5)
  AND ($6::text IS NULL OR setting = $6)
  AND ($7::text IS NULL OR starts_with(setting, $7))
  AND ($8::text IS NULL OR type = $8)
  AND ($9::timestamptz IS NULL OR recorded_at >= $9)
  AND ($10::timestamptz IS NULL OR recorded_at < $10)
  AND ($11::text IS NULL OR strpos(
      lower(concat_ws(' ', summary, setting, remarks.text) COLLATE "default"), lower($11)) > 0)
ORDER BY position DESC
LIMIT $4;

-- name: history_oldest_first
-- The same from the other end.
SELECT events.*, changes.setting, changes.before, changes.after
FROM events
JOIN changes USING (environment, position)
LEFT JOIN remarks USING (environment, change_set)
WHERE environment = $1 AND position > $2 AND position < $3
  AND ($5::uuid IS NULL OR actor = $5)
  AND ($6::text IS NULL OR setting = $6)
  AND ($7::text IS NULL OR starts_with(setting, $7))
  AND ($8::text IS NULL OR type = $8)
  AND ($9::timestamptz IS NULL OR recorded_at >= $9)
  AND ($10::timestamptz IS NULL OR recorded_at < $10)
  AND ($11::text IS NULL OR strpos(
      lower(concat_ws(' ', summary, setting, remarks.text) COLLATE "default"), lower($11)) > 0)
ORDER BY position
LIMIT $4;

-- name: search
-- By key. $1: whose environments, null for every one. $2, $3: the keys between. $4: backwards.
-- $5: how many. The rest narrows, null for any. $6 is looked for in key and name, whatever its case.
SELECT environment FROM current_settings
WHERE ($1::uuid IS NULL OR members @> ARRAY[$1::uuid])
  AND ($2::text IS NULL OR environment > $2::text)
  AND ($3::text IS NULL OR environment < $3::text)
  AND ($6::text IS NULL OR strpos(lower((environment || ' ' || name) COLLATE "default"), lower($6::text)) > 0)
  AND ($7::text IS NULL OR kind = $7::text)
  AND ($8::text IS NULL OR state = $8::text)
  AND ($9::boolean IS NULL OR appointment_attachments = $9::boolean)
  AND ($10::boolean IS NULL OR assigned_tasks = $10::boolean)
  AND ($11::boolean IS NULL OR resource_bookings = $11::boolean)
  AND ($12::text IS NULL OR mailing_addresses = $12::text)
ORDER BY CASE WHEN $4::boolean THEN environment END DESC,
         CASE WHEN NOT $4::boolean THEN environment END
LIMIT $5;

-- name: count
SELECT count(*) AS total FROM current_settings
WHERE ($1::uuid IS NULL OR members @> ARRAY[$1::uuid])
  AND ($2::text IS NULL OR strpos(lower((environment || ' ' || name) COLLATE "default"), lower($2::text)) > 0)
  AND ($3::text IS NULL OR kind = $3::text)
  AND ($4::text IS NULL OR state = $4::text)
  AND ($5::boolean IS NULL OR appointment_attachments = $5::boolean)
  AND ($6::boolean IS NULL OR assigned_tasks = $6::boolean)
  AND ($7::boolean IS NULL OR resource_bookings = $7::boolean)
  AND ($8::text IS NULL OR mailing_addresses = $8::text);

-- name: stored_standing
-- The nearest at a position or earlier. $3: the form that is understood.
SELECT environment, position, recorded_at, form, standing
FROM stored_standings
WHERE environment = $1 AND position <= $2 AND form = $3
ORDER BY position DESC
LIMIT 1;

-- name: stored_standing_time
-- Where the nearest of a time or earlier is.
SELECT position
FROM stored_standings
WHERE environment = $1 AND recorded_at <= $2 AND form = $3
ORDER BY recorded_at DESC, position DESC
LIMIT 1;

-- name: next_stored_standing
SELECT environment, position, recorded_at, form, standing
FROM stored_standings
WHERE environment = $1 AND position > $2 AND form = $3
ORDER BY position
LIMIT 1;

-- name: last_stored_standing
SELECT coalesce(max(position), 0) AS position
FROM stored_standings
WHERE environment = $1 AND form = $2;

-- name: forget_stored_standings
-- What lies beyond a position, of every form.
DELETE FROM stored_standings USING unnest($1::text[], $2::bigint[]) AS place (environment, position)
WHERE stored_standings.environment = place.environment
  AND stored_standings.position > place.position;
