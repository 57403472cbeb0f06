-- Retention: events and logs go by whole partitions, leases in batches. Owned by the owner role; the
-- application, which may delete nothing, calls these and nothing else.
SELECT make_append_only('log_archive');
SELECT make_append_only('dropped_partition');

-- The advisory lock between a resume, which holds it shared, and the drop of a partition.
CREATE OR REPLACE FUNCTION retention_lock() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 209371443 $$;

-- Drops the partition of p_table (run_event, log_chunk) that begins with run p_first, if all its runs ended
-- before p_before. Returns 'dropped', or why not: absent, filling, open, unarchived. Dropping locks the whole table
-- for a moment, and whoever writes events waits behind it: so it waits for others half a second and no longer.
CREATE OR REPLACE FUNCTION drop_run_partition(p_table text, p_first bigint, p_before timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    v_end bigint := p_first + 100000;
    v_name text := p_table || '_' || p_first;
    v_before timestamptz := least(p_before, engine_now() - interval '1 day');
    v_bytes bigint;
BEGIN
    IF p_table NOT IN ('run_event', 'log_chunk') OR p_first % 100000 <> 0 THEN
        RAISE EXCEPTION '% has no partition that begins with run %', p_table, p_first USING ERRCODE = 'data_exception';
    END IF;
    PERFORM pg_advisory_xact_lock(retention_lock());
    IF to_regclass(v_name) IS NULL THEN
        RETURN 'absent';
    END IF;
    -- What is being written is committed when this lock is had, and seen below.
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', v_name);
    IF NOT EXISTS (SELECT FROM run WHERE id >= v_end AND created_at < v_before) THEN
        RETURN 'filling';
    END IF;
    IF EXISTS (
        SELECT FROM run WHERE id >= p_first AND id < v_end AND (finished_at IS NULL OR finished_at >= v_before)
    ) THEN
        RETURN 'open';
    END IF;
    IF p_table = 'log_chunk' AND EXISTS (SELECT FROM unarchived_logs(p_first, v_end, 1)) THEN
        RETURN 'unarchived';
    END IF;
    v_bytes := pg_total_relation_size(v_name);
    EXECUTE format('DROP TABLE %I', v_name);
    INSERT INTO dropped_partition (table_name, first_run, end_run, bytes) VALUES (p_table, p_first, v_end, v_bytes);
    RETURN 'dropped';
END $$;

-- Attempts of runs p_first to p_end (exclusive) whose log has no copy in the store, in the order of their runs.
CREATE OR REPLACE FUNCTION unarchived_logs(p_first bigint, p_end bigint, p_limit integer)
RETURNS TABLE (attempt bigint) LANGUAGE sql STABLE AS $$
    SELECT a.id FROM attempt a
    WHERE a.run_id >= p_first AND a.run_id < p_end
      AND NOT EXISTS (SELECT FROM log_archive l WHERE l.attempt_id = a.id)
      AND EXISTS (SELECT FROM log_chunk c WHERE c.run_id = a.run_id AND c.attempt_id = a.id)
    ORDER BY a.run_id LIMIT p_limit
$$;

-- Deletes at most p_limit leases that ended before p_before and never had an attempt; returns how many. Those
-- that attempts name stay: who carried an attempt out is part of its record.
CREATE OR REPLACE FUNCTION delete_old_leases(p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_count integer;
BEGIN
    DELETE FROM worker_lease WHERE id IN (
        SELECT l.id FROM worker_lease l
        WHERE l.state IN ('closed', 'lost') AND l.closed_at < least(p_before, engine_now() - interval '1 day')
          AND NOT EXISTS (SELECT FROM attempt a WHERE a.lease_id = l.id)
        ORDER BY l.id LIMIT p_limit);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- An ended lease never changes; only retention removes one, and none that has not ended.
DROP TRIGGER ended_stays ON worker_lease;
CREATE TRIGGER ended_stays BEFORE UPDATE ON worker_lease
    FOR EACH ROW WHEN (OLD.state IN ('closed', 'lost')) EXECUTE FUNCTION refuse_change_of_ended();
CREATE OR REPLACE FUNCTION refuse_delete_of_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % has not ended (%) and cannot be deleted', TG_TABLE_NAME, OLD.id, OLD.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER open_stays BEFORE DELETE ON worker_lease
    FOR EACH ROW WHEN (OLD.state IN ('live', 'draining')) EXECUTE FUNCTION refuse_delete_of_open();

DO $$
DECLARE
    v_verb text;
BEGIN
    FOREACH v_verb IN ARRAY ARRAY['drop_run_partition(text, bigint, timestamptz)', 'delete_old_leases(timestamptz, integer)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_verb);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_verb, application_role());
    END LOOP;
END $$;
