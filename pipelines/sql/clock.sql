-- The one clock of the product. A test sets it for its session with
--   SET orchestrator.clock = '2026-03-29 01:30:00+00';
-- STABLE, so that an index on a time can be used; the value may still move between two statements
-- of one transaction, which is wanted: a transaction that waited for a lock sees the later time.
CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('orchestrator.clock', true), '')::timestamptz, clock_timestamp());
END
$$;
