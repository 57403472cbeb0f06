-- The task is locked and runnable, and so are the slots it needs: write the attempt, move the task, describe the work.
CREATE OR REPLACE FUNCTION engine_give(p_task bigint, p_lease bigint, p_now timestamptz, p_slots bigint[] DEFAULT '{}')
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_task task_run;
    v_run record;
    v_attempt record;
    v_from text;
    v_seq bigint;
    v_isolation text;
    v_slots jsonb := '[]';
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
    IF cardinality(p_slots) > 0 THEN
        v_slots := engine_hold(v_attempt.id, p_task, p_slots);
    END IF;
    PERFORM engine_tell(v_run.id, v_run.last_seq - 1, ARRAY[p_task], v_from, 'running', '', '', v_attempt.id);
    RETURN jsonb_build_object(
        'attempt', jsonb_build_object('id', v_attempt.id, 'uuid', v_attempt.uuid, 'no', v_attempt.no,
                                      'resume_no', v_run.resume_no, 'isolation', v_isolation,
                                      'seconds', v_task.timeout, 'slots', v_slots),
        'task', jsonb_build_object('id', p_task, 'uuid', v_task.uuid, 'key', v_task.key, 'kind', v_task.kind,
                                   'task_id', v_task.task_id, 'queue', v_task.queue),
        'run', jsonb_build_object('id', v_run.id, 'uuid', v_run.uuid, 'number', v_run.number,
                                  'team_id', v_run.team_id, 'version_id', v_run.version_id,
                                  'pipeline_id', v_run.pipeline_id, 'last_seq', v_run.last_seq,
                                  'has_conditions', v_run.has_conditions, 'params', v_run.params),
        'spec', (SELECT k.spec FROM task k WHERE k.id = v_task.task_id),
        'upstream', CASE WHEN v_task.reads = '[]' THEN '{}' ELSE engine_outputs(v_run.id, v_task.reads) END);
END $$;
