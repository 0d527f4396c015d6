-- Forgetting a person: what names them goes, in one transaction, and no entry of a log is touched.

-- Statistics keep samples of a column, where no DELETE reaches them: those kept go with the type,
-- and none are made from here on.
ALTER TABLE principals
    ALTER provider_id TYPE text COLLATE "C", ALTER provider_id SET STATISTICS 0,
    ALTER name TYPE text, ALTER name SET STATISTICS 0;
ALTER TABLE remarks ALTER text TYPE text, ALTER text SET STATISTICS 0;

-- Deletes whom a handle stands for, every reason of theirs, and those named: reasons of others by
-- their environment and change set. The digests of such requests go too, since they would prove a
-- guess of the reason. Whoever remembers persons is told to forget. For the owner alone.
CREATE FUNCTION erase(person uuid, environments text[], change_sets bigint[],
                      OUT persons bigint, OUT reasons bigint)
LANGUAGE plpgsql SET search_path = syncledger, pg_catalog, pg_temp AS $$
BEGIN
    WITH named AS (
        SELECT * FROM unnest(environments, change_sets) AS named (environment, change_set)
        UNION
        SELECT events.environment, events.change_set FROM events WHERE actor = person
    ), gone AS (
        DELETE FROM remarks USING named
        WHERE (remarks.environment, remarks.change_set) = (named.environment, named.change_set)
        RETURNING remarks.environment, remarks.change_set
    ), asked AS (
        SELECT environment, request_id FROM requests WHERE actor = person
        UNION
        SELECT environment, request_id
        FROM requests JOIN gone USING (environment) WHERE first_position = gone.change_set
        UNION
        -- What changed nothing may have been about somebody whom nobody had met.
        SELECT environment, request_id FROM requests WHERE first_position IS NULL
    ), blurred AS (
        UPDATE requests SET digest = sha256(uuid_send(requests.request_id)) FROM asked
        WHERE (requests.environment, requests.request_id) = (asked.environment, asked.request_id)
            AND digest <> sha256(uuid_send(requests.request_id))
    )
    SELECT count(*) INTO reasons FROM gone;

    DELETE FROM principals WHERE handle = person;
    GET DIAGNOSTICS persons = ROW_COUNT;
    PERFORM pg_notify('syncledger_erased', '');
END $$;

REVOKE ALL ON FUNCTION erase FROM PUBLIC;
