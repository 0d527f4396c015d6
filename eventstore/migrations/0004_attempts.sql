-- What was asked for and refused, beside the log: no facts, since nothing happened. Persons are
-- known by handle, as in the log, and the table cannot grow beyond bounds.

-- `kind`: the sort of thing that was asked for. `stranger`: whether the actor may not even know of
-- the environment. `more`: as many like it followed, and were not kept.
CREATE TABLE attempts (
    environment text COLLATE "C" NOT NULL,
    number      bigint NOT NULL CHECK (number >= 1),
    at          timestamptz NOT NULL,
    actor       uuid NOT NULL,
    kind        text NOT NULL,
    asked       text NOT NULL CHECK (length(asked) <= 20000),
    about       uuid,
    refusals    text[] NOT NULL,
    stranger    boolean NOT NULL,
    more        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (environment, number)
);
COMMENT ON TABLE attempts IS 'What was refused, the newest of each environment. Not facts.';
CREATE INDEX attempts_by_actor ON attempts (environment, actor, kind, at);
CREATE INDEX attempts_by_strangers ON attempts (environment, stranger, number);
-- Statistics keep samples of a column, where erasing does not reach them.
ALTER TABLE attempts ALTER asked SET STATISTICS 0;

-- Kept are, of each kind, and apart whether it is about somebody who is known there, 20 an hour of a
-- member, and of all strangers to an environment together 200 an hour; what is beyond is counted
-- with the last one that is like it. Of an environment the newest 10,000 of members and 2,000 of
-- strangers stay. Where there is no log, nothing is kept.
CREATE FUNCTION note_attempts(attempts jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = syncledger, pg_catalog, pg_temp AS $$
DECLARE
    new    record;
    kept   bigint;
    latest bigint;
BEGIN
    FOR new IN
        SELECT attempt.*
        FROM jsonb_to_recordset(note_attempts.attempts)
            AS attempt (environment text, at timestamptz, actor uuid, kind text, asked text,
                        about uuid, refusals jsonb, stranger boolean)
        JOIN log_head USING (environment)
        ORDER BY attempt.environment, attempt.at
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended(new.environment, 8302028));
        IF new.stranger THEN
            SELECT count(*), max(number) INTO kept, latest FROM (
                SELECT number, at FROM attempts WHERE environment = new.environment AND stranger
                ORDER BY number DESC LIMIT 200
            ) AS last WHERE last.at > new.at - interval '1 hour';
        ELSE
            SELECT count(*), max(number) INTO kept, latest FROM attempts
            WHERE environment = new.environment AND actor = new.actor AND kind = new.kind
                AND (about IS NULL) = (new.about IS NULL) AND NOT stranger
                AND at > new.at - interval '1 hour';
        END IF;
        IF kept >= (CASE WHEN new.stranger THEN 200 ELSE 20 END) THEN
            UPDATE attempts SET more = more + 1
            WHERE environment = new.environment AND number = latest;
            CONTINUE;
        END IF;
        INSERT INTO attempts (environment, number, at, actor, kind, asked, about, refusals,
                              stranger)
        SELECT new.environment, coalesce(max(number), 0) + 1, new.at, new.actor, new.kind,
               new.asked, new.about, ARRAY(SELECT jsonb_array_elements_text(new.refusals)),
               new.stranger
        FROM attempts WHERE environment = new.environment;
        DELETE FROM attempts
        WHERE environment = new.environment AND stranger = new.stranger AND number <= (
            SELECT number FROM attempts
            WHERE environment = new.environment AND stranger = new.stranger
            ORDER BY number DESC
            OFFSET CASE WHEN new.stranger THEN 2000 ELSE 10000 END LIMIT 1
        );
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION note_attempts FROM PUBLIC;
GRANT SELECT ON attempts TO syncledger_app;
GRANT EXECUTE ON FUNCTION note_attempts TO syncledger_app;
