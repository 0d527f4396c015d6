-- What the log adds up to. Everything here may be dropped and rebuilt; `migrate` does so whenever
-- this file changes. Run as the owner role, in the schema syncledger.

DROP TABLE IF EXISTS current_settings, changes, deeds, stored_standings;

-- One row an environment: its settings now, for search across environments. A row's position is
-- its checkpoint. `members` holds the handles of everyone with a role.
CREATE TABLE current_settings (
    environment             text COLLATE "C" PRIMARY KEY,
    position                bigint NOT NULL,
    name                    text NOT NULL,
    kind                    text NOT NULL,
    state                   text NOT NULL,
    appointment_attachments boolean NOT NULL,
    assigned_tasks          boolean NOT NULL,
    resource_bookings       boolean NOT NULL,
    mailing_addresses       text NOT NULL,
    members                 uuid[] NOT NULL
);
CREATE INDEX current_settings_by_member ON current_settings USING gin (members);

GRANT SELECT, INSERT, UPDATE, DELETE ON current_settings TO syncledger_app;

-- What can happen, each once: changes are many, deeds few, and what is looked for in their words is
-- looked for here.
CREATE TABLE deeds (
    id      bigint PRIMARY KEY,
    type    text COLLATE "C" NOT NULL,
    setting text COLLATE "C" NOT NULL,
    summary text NOT NULL
);
DO $$
DECLARE
    place regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'pg_trgm'
                           AND has_schema_privilege(extnamespace, 'USAGE'));
BEGIN
    IF place IS NOT NULL THEN
        EXECUTE format('CREATE INDEX deeds_by_words ON deeds
                        USING gin (lower(summary) %1$s.gin_trgm_ops,
                                   lower(setting COLLATE "default") %1$s.gin_trgm_ops)', place);
    END IF;
END $$;

GRANT SELECT, INSERT, UPDATE ON deeds TO syncledger_app;

-- One row a change: what the log does not say itself, and what a history is narrowed by. How far
-- they go, the row of current_settings tells.
CREATE TABLE changes (
    environment text COLLATE "C" NOT NULL,
    position    bigint NOT NULL CHECK (position >= 1),
    change_set  bigint NOT NULL,
    deed        bigint NOT NULL,
    actor       uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    before      text,
    after       text,
    PRIMARY KEY (environment, position)
);
CREATE INDEX changes_by_deed ON changes (environment, deed, position);
CREATE INDEX changes_by_actor ON changes (environment, actor, position);
-- The first of a change set has its time.
CREATE INDEX changes_by_time ON changes (environment, recorded_at) INCLUDE (position)
    WHERE position = change_set;
-- So that a rare deed is known for one, and found by its index.
ALTER TABLE changes ALTER deed SET STATISTICS 1000;

GRANT SELECT, INSERT, DELETE ON changes TO syncledger_app;

-- Standings of the past, one every so many positions, so that a past point is folded from near by.
-- Any of them may be missing. The form of their text is 1: an edit here makes all of them anew.
CREATE TABLE stored_standings (
    environment text COLLATE "C" NOT NULL,
    position    bigint NOT NULL CHECK (position >= 1),
    recorded_at timestamptz NOT NULL,
    form        integer NOT NULL,
    standing    text NOT NULL,
    PRIMARY KEY (environment, position)
);
CREATE INDEX stored_standings_by_time ON stored_standings (environment, recorded_at, position);

GRANT SELECT, INSERT, DELETE ON stored_standings TO syncledger_app;
