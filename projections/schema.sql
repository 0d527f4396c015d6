-- What the log adds up to. Everything here may be dropped and rebuilt; `migrate` does so whenever
-- this file changes. Run as the owner role, in the schema syncledger.

DROP TABLE IF EXISTS current_settings, changes;

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
