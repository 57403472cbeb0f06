-- Runs that wait for others of their pipeline.

-- The first queued run of a pipeline begins when no run before it is under way. One with a task in quarantine stays
-- behind, and lets those after it go past: later it waits for them, but not for what goes beside others by its own
-- document. NULL when none begins.
CREATE OR REPLACE FUNCTION engine_admit(p_pipeline bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_roots bigint[];
BEGIN
    SELECT r.id, r.last_seq, r.open_tasks INTO v_run FROM run r
    WHERE r.pipeline_id = p_pipeline AND r.state = 'queued' AND NOT engine_quarantined(r.id)
    ORDER BY r.id LIMIT 1 FOR UPDATE;
    IF NOT FOUND OR EXISTS (
        SELECT 1 FROM run o WHERE o.pipeline_id = p_pipeline AND o.state IN ('running', 'cancelling')
          AND (o.id < v_run.id OR engine_has_overlap(o.version_id))
    ) THEN
        RETURN NULL;
    END IF;
    UPDATE run SET state = 'running' WHERE id = v_run.id AND state = 'queued';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % has moved, although its row was locked', v_run.id;
    END IF;
    INSERT INTO run_event (run_id, seq, kind, from_state, to_state)
    VALUES (v_run.id, v_run.last_seq + 1, 'run', 'queued', 'running');
    SELECT array_agg(t.id ORDER BY t.id) INTO v_roots FROM task_run t
    WHERE t.run_id = v_run.id AND t.parent_id IS NULL AND t.waiting_on = 0 AND t.state = 'pending';
    RETURN engine_apply(v_run.id, '{}', v_roots, v_run.last_seq + 1, v_run.open_tasks);
END $$;

-- Does the document of this version say how its runs go beside others? Versions published by 0.1 hold `queue` where
-- it says nothing: theirs counts only where somebody wrote it.
CREATE OR REPLACE FUNCTION engine_has_overlap(p_version bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT v.spec ->> 'overlap' IS NOT NULL AND (
        v.spec ->> 'overlap' <> 'queue'
        OR v.text ~ '(^|[\n{,])[ \t]*["'']?overlap["'']?[ \t]*:[ \t]*["'']?queue\M')
    FROM pipeline_version v WHERE v.id = p_version
$$;

-- Is a task of this run in quarantine?
CREATE OR REPLACE FUNCTION engine_quarantined(p_run bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM run r
        JOIN quarantine q ON q.version_id = r.version_id AND q.lifted_at IS NULL
        JOIN task_run t ON t.run_id = r.id AND t.key = q.task_key
        WHERE r.id = p_run);
END $$;
