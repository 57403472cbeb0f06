-- Gives the best runnable task of a queue to a lease; an attempt is born. Returns NULL when nothing is runnable,
-- {"lease": "dead"} when the lease may no longer claim, {"busy": true} when others hold all runs with work.
-- To a lease that cannot give the isolation of the queue nothing is runnable.
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
BEGIN
    SELECT l.id, coalesce(l.labels -> 'isolation', '["shared user"]') INTO v_lease, v_levels FROM worker_lease l
    WHERE l.uuid = p_lease AND l.state = 'live' AND l.expires_at > v_now;
    IF NOT FOUND THEN
        RETURN '{"lease": "dead"}';
    END IF;
    IF EXISTS (SELECT 1 FROM queue q WHERE q.slug = p_queue AND NOT v_levels ? q.isolation) THEN
        RETURN NULL;
    END IF;
    -- A wide run may fill all places of a round while somebody holds its lock: look past it then.
    FOR v_round IN 1..4 LOOP
        v_found := 0;
        FOR v_task IN
            SELECT t.id, t.run_id FROM task_run t
            JOIN run r ON r.id = t.run_id
            JOIN pipeline p ON p.id = r.pipeline_id
            WHERE t.queue = p_queue AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
              AND NOT t.run_id = ANY (v_busy)
              AND r.state = 'running'
              AND (r.paused_at IS NULL OR r.paused_until <= v_now)
              AND (p.paused_at IS NULL OR p.paused_until <= v_now)
              AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.slug = p_queue AND q.paused_at IS NOT NULL
                              AND (q.paused_until IS NULL OR q.paused_until > v_now))
            ORDER BY t.priority DESC, t.ready_at, t.id LIMIT 16
        LOOP
            v_found := v_found + 1;
            CONTINUE WHEN v_task.run_id = ANY (v_busy);
            IF v_task.run_id IS DISTINCT FROM p_held THEN
                PERFORM 1 FROM run r WHERE r.id = v_task.run_id AND r.state = 'running' FOR UPDATE SKIP LOCKED;
                IF NOT FOUND THEN
                    v_busy := v_busy || v_task.run_id;
                    CONTINUE;
                END IF;
            END IF;
            PERFORM 1 FROM task_run t
            WHERE t.id = v_task.id AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
            FOR UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
            RETURN engine_give(v_task.id, v_lease, v_now);
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
    SELECT t.id INTO v_task FROM task_run t
    WHERE t.run_id = v_first AND t.queue = p_queue AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
    ORDER BY t.priority DESC, t.ready_at, t.id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN engine_give(v_task.id, v_lease, v_now);
END $$;

-- The task is locked and runnable: write the attempt, move the task, describe the work.
CREATE OR REPLACE FUNCTION engine_give(p_task bigint, p_lease bigint, p_now timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_task task_run;
    v_run record;
    v_attempt record;
    v_from text;
    v_seq bigint;
    v_isolation text;
BEGIN
    SELECT * INTO v_task FROM task_run t WHERE t.id = p_task;
    -- `deploy` runs code of the product alone, which writes where no team's user may.
    SELECT q.isolation INTO v_isolation FROM queue q WHERE q.slug = v_task.queue AND v_task.kind <> 'deploy';
    -- What is built in needs the packages of the product, which no image has.
    IF v_isolation = 'container' AND v_task.kind IN ('check', 'register') THEN
        v_isolation := 'own user';
    END IF;
    v_isolation := coalesce(v_isolation, 'shared user');
    v_from := v_task.state;
    UPDATE run r SET last_seq = r.last_seq + 1, started_at = coalesce(r.started_at, p_now)
    WHERE r.id = v_task.run_id
    RETURNING r.id, r.uuid, r.team_id, r.version_id, r.number, r.params, r.resume_no, r.last_seq, r.has_conditions,
              r.pipeline_id INTO v_run;
    UPDATE task_run t SET state = 'running', reason = '', attempts_made = t.attempts_made + 1,
        started_at = CASE WHEN t.attempts_made = 0 OR t.started_at IS NULL THEN p_now ELSE t.started_at END,
        next_attempt_at = NULL
    WHERE t.id = p_task AND t.state = v_from;
    INSERT INTO attempt (uuid, team_id, run_id, task_run_id, lease_id, no, resume_no, state, reason, cause, isolation,
                         started_at, timeout_at, code_sha256, environment_sha256, cache_key, dropped_bytes)
    VALUES (gen_random_uuid(), v_run.team_id, v_run.id, p_task, p_lease, v_task.attempts_made + 1, v_run.resume_no,
            'running', '', '', v_isolation, p_now, p_now + engine_seconds(v_task.timeout), '', '',
            CASE WHEN v_isolation = 'container' THEN '' ELSE v_task.cache_key END, 0)
    RETURNING id, uuid, no, timeout_at INTO v_attempt;
    PERFORM engine_tell(v_run.id, v_run.last_seq - 1, ARRAY[p_task], v_from, 'running', '', '', v_attempt.id);
    RETURN jsonb_build_object(
        'attempt', jsonb_build_object('id', v_attempt.id, 'uuid', v_attempt.uuid, 'no', v_attempt.no,
                                      'resume_no', v_run.resume_no, 'isolation', v_isolation,
                                      'seconds', v_task.timeout),
        'task', jsonb_build_object('id', p_task, 'uuid', v_task.uuid, 'key', v_task.key, 'kind', v_task.kind,
                                   'task_id', v_task.task_id, 'queue', v_task.queue),
        'run', jsonb_build_object('id', v_run.id, 'uuid', v_run.uuid, 'number', v_run.number,
                                  'team_id', v_run.team_id, 'version_id', v_run.version_id,
                                  'pipeline_id', v_run.pipeline_id, 'last_seq', v_run.last_seq,
                                  'has_conditions', v_run.has_conditions, 'params', v_run.params),
        'spec', (SELECT k.spec FROM task k WHERE k.id = v_task.task_id),
        'upstream', CASE WHEN v_task.reads = '[]' THEN '{}' ELSE engine_outputs(v_run.id, v_task.reads) END);
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
