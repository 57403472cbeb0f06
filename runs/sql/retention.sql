-- Retention: events and logs go by whole partitions, leases in batches. Owned by the owner role; the
-- application, which may delete nothing, calls these and nothing else.
SELECT make_append_only('log_archive');
SELECT make_append_only('dropped_partition');

-- The advisory lock between a resume, which holds it shared, and the drop of a partition.
CREATE OR REPLACE FUNCTION retention_lock() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 209371443 $$;

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
BEGIN
    REVOKE ALL ON FUNCTION delete_old_leases(timestamptz, integer) FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION delete_old_leases(timestamptz, integer) TO %I', application_role());
END $$;
