-- What erasing a person asks, as the owner.

-- name: logs
-- Where they acted, asked for something, or are named as who holds a role.
SELECT environment FROM events
WHERE actor = $1::uuid OR strpos(payload, '"principal":"' || $1::uuid || '"') > 0
UNION SELECT environment FROM requests WHERE actor = $1::uuid
ORDER BY environment;

-- name: reasons
-- Every reason, and whether it is theirs.
SELECT remarks.environment, remarks.change_set, text, coalesce(actor = $1::uuid, false) AS own
FROM remarks
LEFT JOIN events ON events.environment = remarks.environment AND position = remarks.change_set;

-- name: sealed
-- Entries that name somebody, whatever the case. $1: as the names stand in a payload.
SELECT environment, count(*) AS entries FROM events
WHERE EXISTS (SELECT FROM unnest($1::text[]) AS name
              WHERE strpos(lower(payload COLLATE "default"), lower(name)) > 0)
GROUP BY environment
ORDER BY environment;

-- name: attempts
SELECT environment, number, asked FROM attempts;

-- name: erase_attempts
-- They are still counted, and no number is given again.
UPDATE attempts SET asked = 'Erased'
FROM unnest($1::text[], $2::bigint[]) AS named (environment, number)
WHERE (attempts.environment, attempts.number) = (named.environment, named.number);

-- name: erase
SELECT persons, reasons FROM erase($1, $2, $3);

-- name: sweep
-- Takes away what was deleted, from the indexes too; it may not run inside a transaction.
VACUUM (INDEX_CLEANUP ON) principals, remarks, requests, attempts;
