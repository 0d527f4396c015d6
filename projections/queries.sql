-- What the projections are asked and told. Every statement is prepared by a test.

-- name: behind
-- Environments whose row is not where their log is: made, missing, or of an unknown log.
SELECT coalesce(head.environment, mine.environment) AS environment
FROM log_head AS head
FULL JOIN current_settings AS mine USING (environment)
WHERE head.position IS DISTINCT FROM mine.position
ORDER BY 1;

-- name: logs
SELECT environment FROM log_head ORDER BY environment;

-- name: forget
DELETE FROM current_settings;

-- name: forget_one
DELETE FROM current_settings WHERE environment = ANY ($1::text[]);

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

-- name: rows_without_log
SELECT environment FROM current_settings
WHERE environment NOT IN (SELECT environment FROM log_head) ORDER BY environment;

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
