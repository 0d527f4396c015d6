-- The log. Run as the owner role, in the schema syncledger. Facts are written by append() alone.

CREATE TABLE log_head (
    environment text COLLATE "C" PRIMARY KEY,
    position    bigint NOT NULL CHECK (position >= 0),
    seal        bytea NOT NULL CHECK (octet_length(seal) = 32),
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 20);
COMMENT ON TABLE log_head IS 'Where each log ends: its lock, its counter, the seal of its last entry.';

CREATE TABLE events (
    environment text COLLATE "C" NOT NULL,
    position    bigint NOT NULL CHECK (position >= 1),
    change_set  bigint NOT NULL CHECK (change_set BETWEEN 1 AND position),
    type        text COLLATE "C" NOT NULL,
    payload     text COLLATE "C" NOT NULL CHECK (octet_length(payload) <= 1048576),
    actor       uuid NOT NULL,
    reason      bytea CHECK (octet_length(reason) = 32),
    recorded_at timestamptz NOT NULL,
    seal        bytea NOT NULL CHECK (octet_length(seal) = 32),
    PRIMARY KEY (environment, position)
);
COMMENT ON TABLE events IS 'Every fact of every environment, in order, sealed. Never changed.';

-- What must be erasable is not sealed: the log knows persons by handle, and reasons by commitment.
CREATE TABLE principals (
    handle      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    provider_id text COLLATE "C" NOT NULL UNIQUE CHECK (provider_id <> ''),
    name        text
);

CREATE TABLE remarks (
    environment text COLLATE "C" NOT NULL,
    change_set  bigint NOT NULL,
    text        text NOT NULL,
    salt        bytea NOT NULL CHECK (octet_length(salt) = 32),
    PRIMARY KEY (environment, change_set)
);

-- first_position is null where nothing had to change; last_position is where the log ended then.
CREATE TABLE requests (
    environment    text COLLATE "C" NOT NULL,
    request_id     uuid NOT NULL,
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    actor          uuid NOT NULL,
    first_position bigint,
    last_position  bigint NOT NULL,
    PRIMARY KEY (environment, request_id)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% on %: history is never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION refuse_all_but_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    called_by text;
BEGIN
    GET DIAGNOSTICS called_by = PG_CONTEXT;
    IF pg_catalog.strpos(called_by, E'\nPL/pgSQL function append(') = 0 THEN
        RAISE EXCEPTION '% on %: facts are written by append() alone', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_come_from_append AFTER INSERT ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_all_but_append();
CREATE TRIGGER log_head_stays BEFORE DELETE OR TRUNCATE ON log_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_head_moves_with_append AFTER INSERT OR UPDATE ON log_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_all_but_append();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_stay;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_come_from_append;
ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_stays;
ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_moves_with_append;

-- Appends what one process has decided, for any number of environments, in one commit.
-- Row i of the first four arrays is an environment: the position its head is expected at, the
-- position and seal it moves to (the same ones where only a request or a look is asked for).
-- An environment that is elsewhere is left alone and returned; it holds up no other.
CREATE FUNCTION append(
    at                   timestamptz,
    environments         text[],
    expected             bigint[],
    tips                 bigint[],
    tip_seals            bytea[],
    entry_environments   text[],
    entry_positions      bigint[],
    entry_change_sets    bigint[],
    entry_types          text[],
    entry_payloads       text[],
    entry_actors         uuid[],
    entry_reasons        bytea[],
    entry_seals          bytea[],
    remark_environments  text[] DEFAULT '{}',
    remark_change_sets   bigint[] DEFAULT '{}',
    remark_texts         text[] DEFAULT '{}',
    remark_salts         bytea[] DEFAULT '{}',
    request_environments text[] DEFAULT '{}',
    request_ids          uuid[] DEFAULT '{}',
    request_digests      bytea[] DEFAULT '{}',
    request_actors       uuid[] DEFAULT '{}',
    request_firsts       bigint[] DEFAULT '{}',
    request_lasts        bigint[] DEFAULT '{}'
) RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = syncledger, pg_catalog, pg_temp AS $$
DECLARE
    elsewhere text[];
    latest    timestamptz;
    due       bigint;
    filled    bigint;
BEGIN
    IF 0 = ANY (expected) THEN
        -- Where there is no head to lock yet, who looks must wait for who registers all the same.
        PERFORM pg_advisory_xact_lock(8302026);
        INSERT INTO log_head (environment, position, seal, recorded_at)
        SELECT mine.environment, 0, decode(repeat('00', 32), 'hex'), '-infinity'
        FROM unnest(environments, expected, tips) AS mine (environment, expected, tip)
        WHERE mine.expected = 0 AND mine.tip > 0 AND mine.environment ~ '^[a-z0-9-]{1,63}$'
        ORDER BY mine.environment
        ON CONFLICT (environment) DO NOTHING;
    END IF;

    WITH head AS MATERIALIZED (
        SELECT environment, position, recorded_at FROM log_head
        WHERE environment = ANY (environments) ORDER BY environment FOR UPDATE
    ), mine AS MATERIALIZED (
        SELECT wish.environment, wish.expected, wish.tip, wish.tip_seal,
               coalesce(head.position, 0) = wish.expected AS here, head.recorded_at
        FROM unnest(environments, expected, tips, tip_seals)
            AS wish (environment, expected, tip, tip_seal)
        LEFT JOIN head USING (environment)
    ), moving AS (
        UPDATE log_head SET position = mine.tip, seal = mine.tip_seal, recorded_at = at
        FROM mine
        WHERE log_head.environment = mine.environment AND mine.here AND mine.tip > mine.expected
        RETURNING mine.environment, mine.expected, mine.tip
    ), inserted AS (
        INSERT INTO events (environment, position, change_set, type, payload, actor, reason,
                            recorded_at, seal)
        SELECT entry.environment, entry.position, entry.change_set, entry.type, entry.payload,
               entry.actor, entry.reason, at, entry.seal
        FROM unnest(entry_environments, entry_positions, entry_change_sets, entry_types,
                    entry_payloads, entry_actors, entry_reasons, entry_seals)
            AS entry (environment, position, change_set, type, payload, actor, reason, seal)
        JOIN moving ON moving.environment = entry.environment
            AND entry.position > moving.expected AND entry.position <= moving.tip
        RETURNING 1
    )
    SELECT array_agg(mine.environment) FILTER (WHERE NOT mine.here),
           coalesce(sum(mine.tip - mine.expected) FILTER (WHERE mine.here), 0),
           max(mine.recorded_at) FILTER (WHERE mine.here AND mine.tip > mine.expected),
           (SELECT count(*) FROM inserted)
    INTO elsewhere, due, latest, filled
    FROM mine;

    IF filled <> due THEN
        RAISE EXCEPTION 'the heads move by %, but % entries fill the way', due, filled
            USING ERRCODE = 'check_violation';
    END IF;
    IF due > 0 AND (latest >= at OR at NOT BETWEEN clock_timestamp() - interval '5 seconds'
                                               AND clock_timestamp() + interval '1 second') THEN
        RAISE EXCEPTION 'the time % cannot be recorded: the clock says %, the log %',
            at, clock_timestamp(), latest USING ERRCODE = 'SL001';
    END IF;

    IF cardinality(remark_environments) > 0 THEN
        INSERT INTO remarks (environment, change_set, text, salt)
        SELECT remark.*
        FROM unnest(remark_environments, remark_change_sets, remark_texts, remark_salts)
            AS remark (environment, change_set, text, salt)
        WHERE elsewhere IS NULL OR remark.environment <> ALL (elsewhere);
    END IF;

    IF cardinality(request_environments) > 0 THEN
        INSERT INTO requests (environment, request_id, digest, actor, first_position,
                              last_position)
        SELECT request.*
        FROM unnest(request_environments, request_ids, request_digests, request_actors,
                    request_firsts, request_lasts)
            AS request (environment, request_id, digest, actor, first_position, last_position)
        WHERE elsewhere IS NULL OR request.environment <> ALL (elsewhere);
    END IF;

    RETURN elsewhere;
END $$;

-- The handle of a person or service, made at the first sight of it; a name known to the identity
-- provider replaces the one kept.
CREATE FUNCTION principal(known_as text, called text) RETURNS SETOF principals
LANGUAGE sql SECURITY DEFINER SET search_path = syncledger, pg_catalog, pg_temp AS $$
    INSERT INTO principals AS kept (provider_id, name) VALUES (known_as, called)
    ON CONFLICT (provider_id) DO UPDATE SET name = coalesce(excluded.name, kept.name)
    RETURNING kept.*;
$$;

REVOKE ALL ON FUNCTION append, principal, refuse_change, refuse_all_but_append FROM PUBLIC;
GRANT USAGE ON SCHEMA syncledger TO syncledger_app;
GRANT SELECT ON log_head, events, principals, remarks, requests TO syncledger_app;
GRANT EXECUTE ON FUNCTION append, principal TO syncledger_app;
