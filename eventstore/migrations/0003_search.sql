-- Reasons are found by their words. The operators of pg_trgm are where an administrator put them;
-- `migrate` has seen to it that they are somewhere.

DO $$
BEGIN
    EXECUTE format(
        'CREATE INDEX remarks_by_words ON remarks USING gin (lower(text) %s.gin_trgm_ops)'
        -- An append leaves little to be sorted in by a reader.
        ' WITH (gin_pending_list_limit = 256)',
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;
