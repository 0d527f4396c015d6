-- What the projections are asked and told. Every statement is prepared by a test.

-- name: behind
-- Environments whose row is not where their log is (made, missing, or of an unknown log), and how
-- many entries lie between. $1: these alone, null for all.
SELECT coalesce(head.environment, mine.environment) AS environment,
       greatest(coalesce(head.position, 0) - coalesce(mine.position, 0), 0) AS entries
FROM log_head AS head
FULL JOIN current_settings AS mine USING (environment)
WHERE head.position IS DISTINCT FROM mine.position
  AND ($1::text[] IS NULL OR coalesce(head.environment, mine.environment) = ANY ($1))
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

-- name: keep_deeds
-- Writes nothing where all are there, as nearly always.
INSERT INTO deeds
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    AS deed (id, type, setting, summary)
WHERE NOT EXISTS (
    SELECT FROM deeds AS kept
    WHERE (kept.id, kept.type, kept.setting, kept.summary)
        = (deed.id, deed.type, deed.setting, deed.summary))
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    type = excluded.type, setting = excluded.setting, summary = excluded.summary;

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
SELECT environment, position, change_set, type, setting, summary, actor, recorded_at, before, after
FROM changes LEFT JOIN deeds ON deeds.id = changes.deed
WHERE environment = $1 AND position > $2
ORDER BY position
LIMIT $3;

-- name: last_change
SELECT coalesce(max(position), 0) AS position FROM changes WHERE environment = $1;

-- name: deeds
-- $1: the setting. $2: the beginning of settings. $3: the type. $4: what the sentence or the key is
-- like, whatever its case; of roles, the key with whose they are. Null for any.
SELECT id FROM deeds
WHERE ($1::text IS NULL OR setting = $1)
  AND ($2::text IS NULL OR starts_with(setting, $2))
  AND ($3::text IS NULL OR type = $3)
  AND ($4::text IS NULL OR lower(summary) LIKE lower($4)
       OR lower(setting COLLATE "default") LIKE lower($4))
UNION
SELECT id FROM principals JOIN deeds ON setting = 'role:' || handle
WHERE lower(('role:' || provider_id) COLLATE "default") LIKE lower($4)
  AND ($1::text IS NULL OR setting = $1)
  AND ($2::text IS NULL OR starts_with(setting, $2))
  AND ($3::text IS NULL OR type = $3);

-- name: short_of
-- Of these environments those whose rows do not go as far as that.
SELECT wanted.environment
FROM unnest($1::text[], $2::bigint[]) AS wanted (environment, position)
LEFT JOIN current_settings AS mine USING (environment)
WHERE mine.position IS NULL OR mine.position < wanted.position
ORDER BY wanted.environment;

-- name: reached
-- The first positions of these environments at these times or later, null where there are none.
SELECT (SELECT position FROM changes
        WHERE changes.environment = asked.environment AND changes.position = changes.change_set
          AND changes.recorded_at >= asked.at
        ORDER BY recorded_at LIMIT 1) AS position
FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS asked (environment, at, number)
ORDER BY number;

-- name: reasons
-- Change sets of these environments that were made for a reason like $2, at most $3 of them.
SELECT environment, change_set AS position FROM remarks
WHERE environment = ANY ($1::text[]) AND lower(text) LIKE lower($2)
ORDER BY environment, change_set
LIMIT $3;

-- name: reasons_of_each
-- The same, environment by environment: for what an index cannot find.
SELECT made.environment, made.change_set AS position
FROM unnest($1::text[]) AS asked (environment)
CROSS JOIN LATERAL (
    SELECT environment, change_set FROM remarks
    WHERE environment = asked.environment AND lower(text) LIKE lower($2)
    ORDER BY change_set
    LIMIT $3
) AS made
LIMIT $3;

-- name: reasons_newest_first
-- Where there are many: those nearest, of $1, $2, $3: environments and positions between. $4: how
-- many. $5: what is in the reason, whatever its case.
SELECT first.environment, first.position
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS stretch (environment, above, below)
CROSS JOIN LATERAL (
    SELECT change_set
    FROM remarks
    WHERE (environment, change_set) < (stretch.environment, stretch.below)
      AND (environment, change_set) >= (stretch.environment, (SELECT change_set FROM changes
          WHERE environment = stretch.environment AND position = stretch.above + 1))
      AND strpos(lower(text), lower($5)) > 0
    ORDER BY environment DESC, change_set DESC
    LIMIT $4
) AS made
JOIN changes AS first ON first.environment = stretch.environment
    AND first.position = made.change_set
ORDER BY first.recorded_at DESC, first.environment DESC
LIMIT $4;

-- name: reasons_oldest_first
-- The same from the other end.
SELECT first.environment, first.position
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS stretch (environment, above, below)
CROSS JOIN LATERAL (
    SELECT change_set
    FROM remarks
    WHERE (environment, change_set) < (stretch.environment, stretch.below)
      AND (environment, change_set) >= (stretch.environment, (SELECT change_set FROM changes
          WHERE environment = stretch.environment AND position = stretch.above + 1))
      AND strpos(lower(text), lower($5)) > 0
    ORDER BY environment, change_set
    LIMIT $4
) AS made
JOIN changes AS first ON first.environment = stretch.environment
    AND first.position = made.change_set
ORDER BY first.recorded_at, first.environment
LIMIT $4;

-- name: change_sets
-- Where the change sets that begin there end: before the next one.
SELECT asked.environment, asked.position - 1 AS above, next.position AS below
FROM unnest($1::text[], $2::bigint[]) AS asked (environment, position)
LEFT JOIN LATERAL (
    SELECT position FROM changes
    WHERE environment = asked.environment AND position = change_set
      AND recorded_at > (SELECT recorded_at FROM changes
          WHERE environment = asked.environment AND position = asked.position)
    ORDER BY recorded_at LIMIT 1
) AS next ON true;

-- name: history_newest_first
-- $1, $2, $3: environments and positions between, each walked; $4, $5, $6, $7: likewise, each probed
-- for a deed. $8: how many of each at most, $9: and of all. The rest narrows, null for any: $10 who,
-- $11 which deeds of what is walked, $12 which deeds, or else $13 what is in the reason. Conditions
-- are such that one index alone serves them: the planner takes a stretch for shorter than it is.
SELECT events.*, changes.before, changes.after, changes.deed
FROM (
    SELECT found.recorded_at, found.environment, found.position
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS walked (environment, above, below)
    CROSS JOIN LATERAL (
        SELECT recorded_at, environment, position
        FROM changes
        WHERE environment = walked.environment
          AND ($10::uuid IS NULL AND position > walked.above AND position < walked.below
               OR $10 IS NOT NULL AND actor = $10 AND (actor, position) > ($10, walked.above)
               AND (actor, position) < ($10, walked.below))
          AND ($11::bigint[] IS NULL OR deed + 0 = ANY ($11))
          AND ($12::bigint[] IS NULL OR deed + 0 = ANY ($12) OR $13::text IS NOT NULL
               AND (SELECT strpos(lower(text), lower($13)) > 0 FROM remarks
                    WHERE remarks.environment = changes.environment
                      AND remarks.change_set = changes.change_set))
        ORDER BY position DESC
        LIMIT $8
    ) AS found
    UNION
    SELECT found.recorded_at, found.environment, found.position
    FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
        AS probed (environment, above, below, deed)
    CROSS JOIN LATERAL (
        SELECT recorded_at, environment, position
        FROM changes
        WHERE environment = probed.environment AND deed = probed.deed
          AND (deed, position) > (probed.deed, probed.above)
          AND (deed, position) < (probed.deed, probed.below)
          AND coalesce(actor = $10, true)
          AND ($12::bigint[] IS NULL OR deed + 0 = ANY ($12) OR $13::text IS NOT NULL
               AND (SELECT strpos(lower(text), lower($13)) > 0 FROM remarks
                    WHERE remarks.environment = changes.environment
                      AND remarks.change_set = changes.change_set))
        ORDER BY position DESC
        LIMIT $8
    ) AS found
    ORDER BY recorded_at DESC, environment DESC, position DESC
    LIMIT $9
) AS page
JOIN changes USING (environment, position)
JOIN events USING (environment, position)
ORDER BY page.recorded_at DESC, environment DESC, position DESC;

-- name: history_oldest_first
-- The same from the other end.
SELECT events.*, changes.before, changes.after, changes.deed
FROM (
    SELECT found.recorded_at, found.environment, found.position
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS walked (environment, above, below)
    CROSS JOIN LATERAL (
        SELECT recorded_at, environment, position
        FROM changes
        WHERE environment = walked.environment
          AND ($10::uuid IS NULL AND position > walked.above AND position < walked.below
               OR $10 IS NOT NULL AND actor = $10 AND (actor, position) > ($10, walked.above)
               AND (actor, position) < ($10, walked.below))
          AND ($11::bigint[] IS NULL OR deed + 0 = ANY ($11))
          AND ($12::bigint[] IS NULL OR deed + 0 = ANY ($12) OR $13::text IS NOT NULL
               AND (SELECT strpos(lower(text), lower($13)) > 0 FROM remarks
                    WHERE remarks.environment = changes.environment
                      AND remarks.change_set = changes.change_set))
        ORDER BY position
        LIMIT $8
    ) AS found
    UNION
    SELECT found.recorded_at, found.environment, found.position
    FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
        AS probed (environment, above, below, deed)
    CROSS JOIN LATERAL (
        SELECT recorded_at, environment, position
        FROM changes
        WHERE environment = probed.environment AND deed = probed.deed
          AND (deed, position) > (probed.deed, probed.above)
          AND (deed, position) < (probed.deed, probed.below)
          AND coalesce(actor = $10, true)
          AND ($12::bigint[] IS NULL OR deed + 0 = ANY ($12) OR $13::text IS NOT NULL
               AND (SELECT strpos(lower(text), lower($13)) > 0 FROM remarks
                    WHERE remarks.environment = changes.environment
                      AND remarks.change_set = changes.change_set))
        ORDER BY position
        LIMIT $8
    ) AS found
    ORDER BY recorded_at, environment, position
    LIMIT $9
) AS page
JOIN changes USING (environment, position)
JOIN events USING (environment, position)
ORDER BY page.recorded_at, environment, position;

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
