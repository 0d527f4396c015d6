-- What `migrate` runs, as the owner. Every statement may be run again.

-- name: lock
-- One migration at a time, whoever starts it.
SELECT pg_advisory_lock(8302025);

-- name: roles
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'syncledger_owner') THEN
        CREATE ROLE syncledger_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'syncledger_app') THEN
        CREATE ROLE syncledger_app LOGIN NOINHERIT;
    END IF;
    -- From 16 on, who creates a role may grant it but not yet become it.
    IF NOT pg_has_role('syncledger_owner', CASE
        WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER'
    END) THEN
        GRANT syncledger_owner TO CURRENT_USER;
    END IF;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO syncledger_app', current_database());
END $$;

-- name: extension
-- Finds words by an index, where this Postgres has it; without, they are looked for one by one. Not
-- in our own schema, since a dump of that one does not have it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')
        AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')
        AND has_schema_privilege(current_user, to_regnamespace('public'), 'CREATE')
    THEN
        CREATE EXTENSION pg_trgm SCHEMA public;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_trgm may not be added: %', SQLERRM;
END $$;

-- name: schema
CREATE SCHEMA IF NOT EXISTS syncledger AUTHORIZATION syncledger_owner;

-- name: become_owner
SET ROLE syncledger_owner;

-- name: search_path
SET search_path = syncledger;

-- name: table
CREATE TABLE IF NOT EXISTS migrations (
    name       text PRIMARY KEY,
    digest     bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: visible
GRANT SELECT ON migrations TO syncledger_app;

-- name: words
-- The index of reasons by their words; an append leaves little in it to be put in order by who reads.
DO $$
DECLARE
    place regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'pg_trgm'
                           AND has_schema_privilege(extnamespace, 'USAGE'));
BEGIN
    IF place IS NOT NULL AND to_regclass('remarks_by_words') IS NULL THEN
        EXECUTE format('CREATE INDEX remarks_by_words ON remarks
                        USING gin (lower(text) %s.gin_trgm_ops)
                        WITH (gin_pending_list_limit = 256)', place);
        -- No samples of them are kept where erasing does not reach.
        ALTER INDEX remarks_by_words ALTER COLUMN 1 SET STATISTICS 0;
    END IF;
END $$;

-- name: applied
SELECT name, digest FROM migrations ORDER BY name;

-- name: record
INSERT INTO migrations (name, digest) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, applied_at = clock_timestamp();

-- name: current
SELECT name, digest FROM syncledger.migrations ORDER BY name;

-- name: exists
SELECT to_regclass('syncledger.migrations') IS NOT NULL AS migrated;
