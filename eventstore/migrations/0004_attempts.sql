-- What was asked for and refused, beside the log: no facts, since nothing happened. Persons are
-- known by handle, as in the log, and the table cannot grow beyond bounds.

CREATE TABLE attempts (
    environment text COLLATE "C" NOT NULL,
    number      bigint NOT NULL CHECK (number >= 1),
    at          timestamptz NOT NULL,
    actor       uuid NOT NULL,
    asked       text NOT NULL CHECK (length(asked) <= 12000),
    about       uuid,
    refusals    text[] NOT NULL,
    more        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (environment, number)
);
COMMENT ON TABLE attempts IS 'What was refused, the newest of each environment. Not facts.';
CREATE INDEX attempts_by_actor ON attempts (environment, actor, at);

-- Of an actor, 60 an hour are kept of each environment, and the rest is counted with the last of
-- them (`more`); of an environment, the newest 10,000. Where there is no log, nothing is kept.
CREATE FUNCTION note_attempts(attempts jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = syncledger, pg_catalog, pg_temp AS $$
DECLARE
    new    record;
    kept   bigint;
    latest bigint;
    last   bigint;
BEGIN
    FOR new IN
        SELECT attempt.*
        FROM jsonb_to_recordset(note_attempts.attempts)
            AS attempt (environment text, at timestamptz, actor uuid, asked text, about uuid,
                        refusals jsonb)
        JOIN log_head USING (environment)
        ORDER BY attempt.environment, attempt.at
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended(new.environment, 8302028));
        SELECT count(*), max(number) INTO kept, latest FROM attempts
        WHERE attempts.environment = new.environment AND attempts.actor = new.actor
            AND attempts.at > new.at - interval '1 hour';
        IF kept >= 60 THEN
            UPDATE attempts SET more = more + 1
            WHERE environment = new.environment AND number = latest;
            CONTINUE;
        END IF;
        SELECT coalesce(max(number), 0) + 1 INTO last FROM attempts
        WHERE attempts.environment = new.environment;
        INSERT INTO attempts (environment, number, at, actor, asked, about, refusals)
        VALUES (new.environment, last, new.at, new.actor, new.asked, new.about,
                ARRAY(SELECT jsonb_array_elements_text(new.refusals)));
        DELETE FROM attempts
        WHERE attempts.environment = new.environment AND attempts.number <= last - 10000;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION note_attempts FROM PUBLIC;
GRANT SELECT ON attempts TO syncledger_app;
GRANT EXECUTE ON FUNCTION note_attempts TO syncledger_app;
