-- How a partition of run_event or log_chunk goes. Owned by the owner role; the application calls it.

-- Drops the partition of p_table that begins with run p_first, if all its runs ended before p_before. Returns
-- 'dropped', or why not: absent, filling, open, unarchived. Dropping locks the whole table for a moment, and whoever
-- writes events waits behind it: so it waits for others half a second and no longer. No resume beside the drop itself.
CREATE OR REPLACE FUNCTION drop_run_partition(p_table text, p_first bigint, p_before timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    v_end bigint := p_first + 100000;
    v_name text := p_table || '_' || p_first;
    v_before timestamptz := least(p_before, engine_now() - interval '1 day');
    v_kept text;
    v_bytes bigint;
BEGIN
    IF p_table NOT IN ('run_event', 'log_chunk') OR p_first % 100000 <> 0 THEN
        RAISE EXCEPTION '% has no partition that begins with run %', p_table, p_first USING ERRCODE = 'data_exception';
    END IF;
    -- Two that looked through it at once would each keep the other from its lock.
    PERFORM pg_advisory_xact_lock(retention_lock() + 1);
    IF to_regclass(v_name) IS NULL THEN
        RETURN 'absent';
    END IF;
    v_kept := partition_in_use(p_first, v_end, v_before);
    IF v_kept IS NOT NULL THEN
        RETURN v_kept;
    END IF;
    -- Before the lock, for it may take minutes. Of runs that ended so long ago nobody writes anything any more.
    IF p_table = 'log_chunk' AND EXISTS (SELECT FROM unarchived_logs(p_first, v_end, 1)) THEN
        RETURN 'unarchived';
    END IF;
    PERFORM pg_advisory_xact_lock(retention_lock());
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', v_name);
    -- A run may have gone on meanwhile, and ended again.
    v_kept := partition_in_use(p_first, v_end, v_before);
    IF v_kept IS NOT NULL THEN
        RETURN v_kept;
    END IF;
    v_bytes := pg_total_relation_size(v_name);
    EXECUTE format('DROP TABLE %I', v_name);
    INSERT INTO dropped_partition (table_name, first_run, end_run, bytes) VALUES (p_table, p_first, v_end, v_bytes);
    RETURN 'dropped';
END $$;

-- Why the partition of runs p_first to p_end (exclusive) has to stay: filling, open, or NULL when nothing of it is
-- younger than p_before.
CREATE OR REPLACE FUNCTION partition_in_use(p_first bigint, p_end bigint, p_before timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM run WHERE id >= p_end AND created_at < p_before) THEN 'filling'
        WHEN EXISTS (SELECT FROM run WHERE id >= p_first AND id < p_end
                     AND (finished_at IS NULL OR finished_at >= p_before)) THEN 'open'
    END
$$;

-- Attempts of runs p_first to p_end (exclusive) whose log has no copy in the store, in the order of their runs.
CREATE OR REPLACE FUNCTION unarchived_logs(p_first bigint, p_end bigint, p_limit integer)
RETURNS TABLE (attempt bigint) LANGUAGE sql STABLE AS $$
    SELECT a.id FROM attempt a
    WHERE a.run_id >= p_first AND a.run_id < p_end
      AND NOT EXISTS (SELECT FROM log_archive l WHERE l.attempt_id = a.id)
      AND EXISTS (SELECT FROM log_chunk c WHERE c.run_id = a.run_id AND c.attempt_id = a.id)
    ORDER BY a.run_id LIMIT p_limit
$$;

DO $$
BEGIN
    REVOKE ALL ON FUNCTION drop_run_partition(text, bigint, timestamptz) FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION drop_run_partition(text, bigint, timestamptz) TO %I', application_role());
END $$;
