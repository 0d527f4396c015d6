-- append() takes rows as JSON (a driver encodes an array element by element, and this by the
-- group), and believes less: heads only move on, and nothing is written but what belongs together.

DROP FUNCTION append;

-- The outermost frame alone is looked at: an inner one may quote a statement of anybody's.
CREATE OR REPLACE FUNCTION refuse_all_but_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    called_by text;
BEGIN
    GET DIAGNOSTICS called_by = PG_CONTEXT;
    IF current_user <> 'syncledger_owner' OR pg_catalog.split_part(called_by, E'\n', -1) NOT LIKE
        'PL/pgSQL function append(timestamp with time zone,jsonb,jsonb,jsonb,jsonb) line % at SQL statement'
    THEN
        RAISE EXCEPTION '% on %: facts are written by append() alone', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

-- Appends what one process has decided, for any number of environments, in one commit.
-- `heads`: for each environment the position its head is expected at, the position and seal it
-- moves to (the same ones where only a request or a look is asked for). `entries` fill the way;
-- `remarks` belong to their change sets, `requests` to what these heads were asked.
-- An environment that is elsewhere is left alone and returned; it holds up no other.
CREATE FUNCTION append(at timestamptz, heads jsonb, entries jsonb, remarks jsonb, requests jsonb)
RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = syncledger, pg_catalog, pg_temp AS $$
DECLARE
    elsewhere text[];
    latest    timestamptz;
    astray    bigint;
    due       bigint;
    filled    bigint;
BEGIN
    IF heads @? '$[*] ? (@.expected == 0)' THEN
        -- Where there is no head to lock yet, who looks must wait for who registers all the same.
        PERFORM pg_advisory_xact_lock(8302026);
        INSERT INTO log_head (environment, position, seal, recorded_at)
        SELECT wish.environment, 0, decode(repeat('00', 32), 'hex'), '-infinity'
        FROM jsonb_to_recordset(heads) AS wish (environment text, expected bigint, tip bigint)
        WHERE wish.expected = 0 AND wish.tip > 0 AND wish.environment ~ '^[a-z0-9-]{1,63}$'
        ORDER BY wish.environment
        ON CONFLICT (environment) DO NOTHING;
    END IF;

    WITH wish AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(heads)
            AS wish (environment text, expected bigint, tip bigint, seal bytea)
    ), head AS MATERIALIZED (
        SELECT environment, position, recorded_at FROM log_head
        WHERE environment IN (SELECT environment FROM wish) ORDER BY environment FOR UPDATE
    ), mine AS MATERIALIZED (
        SELECT wish.environment, wish.expected, wish.tip, wish.seal,
               coalesce(head.position, 0) = wish.expected AS here, head.recorded_at
        FROM wish LEFT JOIN head USING (environment)
    ), moving AS (
        UPDATE log_head SET position = mine.tip, seal = mine.seal, recorded_at = at
        FROM mine
        WHERE log_head.environment = mine.environment AND mine.here AND mine.tip > mine.expected
        RETURNING mine.environment, mine.expected, mine.tip
    ), inserted AS (
        INSERT INTO events (environment, position, change_set, type, payload, actor, reason,
                            recorded_at, seal)
        SELECT entry.environment, entry.position, entry.change_set, entry.type, entry.payload,
               entry.actor, entry.reason, at, entry.seal
        FROM jsonb_to_recordset(entries)
            AS entry (environment text, position bigint, change_set bigint, type text,
                      payload text, actor uuid, reason bytea, seal bytea)
        JOIN moving ON moving.environment = entry.environment
            AND entry.position > moving.expected AND entry.position <= moving.tip
        RETURNING 1
    )
    SELECT array_agg(mine.environment) FILTER (WHERE NOT mine.here),
           count(*) FILTER (WHERE (mine.tip >= mine.expected) IS NOT TRUE)
               + count(*) - count(DISTINCT mine.environment),
           coalesce(sum(mine.tip - mine.expected) FILTER (WHERE mine.here), 0),
           max(mine.recorded_at) FILTER (WHERE mine.here AND mine.tip > mine.expected),
           (SELECT count(*) FROM inserted)
    INTO elsewhere, astray, due, latest, filled
    FROM mine;

    IF astray > 0 THEN
        RAISE EXCEPTION '% heads would move back or twice', astray
            USING ERRCODE = 'check_violation';
    END IF;
    IF filled <> due THEN
        RAISE EXCEPTION 'the heads move by %, but % entries fill the way', due, filled
            USING ERRCODE = 'check_violation';
    END IF;
    IF due > 0 AND (latest >= at OR at NOT BETWEEN clock_timestamp() - interval '5 seconds'
                                               AND clock_timestamp() + interval '1 second') THEN
        RAISE EXCEPTION 'the time % cannot be recorded: the clock says %, the log %',
            at, clock_timestamp(), latest USING ERRCODE = 'SL001';
    END IF;

    IF remarks <> '[]' THEN
        WITH mine AS (
            SELECT remark.*, entry.position IS NOT NULL AS fits
            FROM jsonb_to_recordset(append.remarks)
                AS remark (environment text, change_set bigint, text text, salt bytea)
            LEFT JOIN jsonb_to_recordset(entries) AS entry (environment text, position bigint)
                ON entry.environment = remark.environment AND entry.position = remark.change_set
            WHERE elsewhere IS NULL OR remark.environment <> ALL (elsewhere)
        ), inserted AS (
            INSERT INTO remarks (environment, change_set, text, salt)
            SELECT environment, change_set, text, salt FROM mine WHERE fits
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM mine) - (SELECT count(*) FROM inserted) INTO astray;
        IF astray > 0 THEN
            RAISE EXCEPTION '% remarks belong to no change set of this append', astray
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;

    IF requests <> '[]' THEN
        WITH mine AS (
            SELECT request.*,
                   request.last BETWEEN wish.expected AND wish.tip
                   AND (request.first IS NULL
                        OR request.first > wish.expected AND request.first <= request.last) AS fits
            FROM jsonb_to_recordset(append.requests)
                AS request (environment text, request_id uuid, digest bytea, actor uuid,
                            first bigint, last bigint)
            LEFT JOIN jsonb_to_recordset(heads)
                AS wish (environment text, expected bigint, tip bigint) USING (environment)
            WHERE elsewhere IS NULL OR request.environment <> ALL (elsewhere)
        ), inserted AS (
            INSERT INTO requests (environment, request_id, digest, actor, first_position,
                                  last_position)
            SELECT environment, request_id, digest, actor, first, last FROM mine WHERE fits
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM mine) - (SELECT count(*) FROM inserted) INTO astray;
        IF astray > 0 THEN
            RAISE EXCEPTION '% requests were not asked of these heads', astray
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;

    RETURN elsewhere;
END $$;

REVOKE ALL ON FUNCTION append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append TO syncledger_app;
