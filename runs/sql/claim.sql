-- Gives the best runnable task of a queue to a lease; an attempt is born. Returns NULL when nothing is runnable,
-- {"lease": "dead"} when the lease may no longer claim, {"busy": true} when others hold all runs with work.
-- To a lease that cannot give the isolation of the queue nothing is runnable, nor to one that drains. A task that
-- needs slots which are not to be had is passed over.
--
-- p_held: the run whose row this transaction has locked already (after a finish). Another run is locked with
-- SKIP LOCKED; a claim in a transaction of its own waits for one run at most 50 ms, then gives up.
CREATE OR REPLACE FUNCTION engine_claim(p_lease uuid, p_queue text, p_held bigint DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := engine_now();
    v_lease bigint;
    v_levels jsonb;
    v_task record;
    v_first bigint;
    v_busy bigint[] := '{}';
    v_found integer;
    v_lacking text[] := '{}';
    v_slots bigint[];
BEGIN
    SELECT l.id, coalesce(l.labels -> 'isolation', '["shared user"]') INTO v_lease, v_levels FROM worker_lease l
    WHERE l.uuid = p_lease AND l.state = 'live' AND l.expires_at > v_now;
    IF NOT FOUND THEN
        RETURN (SELECT CASE WHEN count(*) = 0 THEN '{"lease": "dead"}'::jsonb END FROM worker_lease l
                WHERE l.uuid = p_lease AND l.state = 'draining' AND l.expires_at > v_now);
    END IF;
    IF EXISTS (SELECT 1 FROM queue q WHERE q.slug = p_queue AND NOT v_levels ? q.isolation) THEN
        RETURN NULL;
    END IF;
    -- A wide run may fill all places of a round while somebody holds its lock: look past it then.
    FOR v_round IN 1..4 LOOP
        v_found := 0;
        FOR v_task IN
            SELECT t.id, t.run_id, t.needs FROM task_run t
            JOIN run r ON r.id = t.run_id
            JOIN pipeline p ON p.id = r.pipeline_id
            WHERE t.queue = p_queue AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
              AND NOT t.run_id = ANY (v_busy) AND NOT t.needs ?| v_lacking
              AND r.state = 'running'
              AND (r.paused_at IS NULL OR r.paused_until <= v_now)
              AND (p.paused_at IS NULL OR p.paused_until <= v_now)
              AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.slug = p_queue AND q.paused_at IS NOT NULL
                              AND (q.paused_until IS NULL OR q.paused_until > v_now))
            ORDER BY t.priority DESC, t.ready_at, t.id LIMIT 16
        LOOP
            v_found := v_found + 1;
            CONTINUE WHEN v_task.run_id = ANY (v_busy) OR v_task.needs ?| v_lacking;
            IF v_task.run_id IS DISTINCT FROM p_held THEN
                PERFORM 1 FROM run r WHERE r.id = v_task.run_id AND r.state = 'running' FOR UPDATE SKIP LOCKED;
                IF NOT FOUND THEN
                    v_busy := v_busy || v_task.run_id;
                    CONTINUE;
                END IF;
            END IF;
            v_slots := '{}';
            IF v_task.needs <> '{}' THEN
                SELECT s.units, v_lacking || s.lacking INTO v_slots, v_lacking FROM engine_slots(v_task.id, v_lease) s;
                CONTINUE WHEN v_slots IS NULL;
            END IF;
            PERFORM 1 FROM task_run t
            WHERE t.id = v_task.id AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
            FOR UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
            RETURN engine_give(v_task.id, v_lease, v_now, v_slots);
        END LOOP;
        EXIT WHEN v_found < 16;
    END LOOP;
    IF p_held IS NOT NULL OR cardinality(v_busy) = 0 THEN
        RETURN NULL;
    END IF;
    -- Every run with work is locked by somebody: wait a moment for the first.
    v_first := v_busy[1];
    BEGIN
        PERFORM set_config('lock_timeout', '50ms', true);
        PERFORM 1 FROM run r WHERE r.id = v_first AND r.state = 'running' FOR UPDATE;
    EXCEPTION WHEN lock_not_available THEN
        RETURN '{"busy": true}';
    END;
    SELECT t.id, t.needs INTO v_task FROM task_run t
    WHERE t.run_id = v_first AND t.queue = p_queue AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
      AND NOT t.needs ?| v_lacking
    ORDER BY t.priority DESC, t.ready_at, t.id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_slots := '{}';
    IF v_task.needs <> '{}' THEN
        SELECT s.units INTO v_slots FROM engine_slots(v_task.id, v_lease) s;
    END IF;
    RETURN CASE WHEN v_slots IS NOT NULL THEN engine_give(v_task.id, v_lease, v_now, v_slots) END;
END $$;

-- {task key: {output name: {id, type, value, sha256, address, size, media_type, meta}}} of succeeded tasks; a
-- task that took over the result of an earlier attempt gives the outputs of that one.
CREATE OR REPLACE FUNCTION engine_outputs(p_run bigint, p_keys jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(x.key, x.outputs), '{}') FROM (
        SELECT t.key, jsonb_object_agg(o.name, jsonb_build_object(
            'id', o.id, 'type', o.type, 'value', o.value, 'sha256', o.sha256, 'address', o.address,
            'size', o.size, 'media_type', o.media_type, 'meta', o.meta)) AS outputs
        FROM task_run t
        JOIN attempt_output o ON o.attempt_id = coalesce(t.reused_from_id, (
            SELECT a.id FROM attempt a WHERE a.task_run_id = t.id AND a.state = 'succeeded'))
        WHERE t.run_id = p_run AND t.state = 'succeeded'
          AND t.key IN (SELECT jsonb_array_elements_text(p_keys))
        GROUP BY t.key
    ) x
$$;
