-- What the log adds up to. Everything here may be dropped and rebuilt; `migrate` does so whenever
-- this file changes. Run as the owner role, in the schema syncledger.

DROP TABLE IF EXISTS current_settings, changes, stored_standings;

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

-- One row a change: what the log does not say itself. How far they go, the row of current_settings
-- tells.
CREATE TABLE changes (
    environment text COLLATE "C" NOT NULL,
    position    bigint NOT NULL CHECK (position >= 1),
    setting     text COLLATE "C" NOT NULL,
    before      text,
    after       text,
    summary     text NOT NULL,
    PRIMARY KEY (environment, position)
);

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
