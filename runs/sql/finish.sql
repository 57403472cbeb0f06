-- Settles one attempt and gives its worker the next task, in one transaction.
--
-- p_state   succeeded | failed | cancelled | lost; the fence is p_token: when that attempt is not running any more,
--           nothing changes and {"fenced": true} comes back.
-- p_outputs [{name, position, type, value, sha256, address, size, media_type, meta}] of a succeeded attempt
-- p_draw    the random number in [0, 1) of the back-off's jitter; NULL draws one
-- p_claim   also claim for (p_lease, p_queue)
CREATE OR REPLACE FUNCTION engine_finish(
    p_token uuid, p_state text, p_reason text, p_cause text, p_exit integer, p_outputs jsonb, p_provenance jsonb,
    p_dropped bigint, p_pid integer, p_draw float8, p_lease uuid, p_queue text, p_claim boolean
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := engine_now();
    v_run record;
    v_task task_run;
    v_attempt record;
    v_to text;
    v_why text;
    v_due timestamptz;
    v_rows integer;
    v_seq bigint;
    v_freed text[] := '{}';
    v_result jsonb;
BEGIN
    SELECT a.id, a.run_id, a.task_run_id, a.started_at INTO v_attempt FROM attempt a WHERE a.uuid = p_token;
    IF NOT FOUND THEN
        RETURN '{"fenced": true}';
    END IF;
    SELECT r.id, r.state, r.last_seq, r.open_tasks, r.first_failure_id INTO v_run
    FROM run r WHERE r.id = v_attempt.run_id FOR UPDATE;
    -- The worker was told to stop; whether a person or a newer run did that stands in the events.
    IF p_state = 'cancelled' AND p_reason = 'by_person' THEN
        p_reason := coalesce((SELECT e.reason FROM run_event e
                              WHERE e.run_id = v_run.id AND e.kind = 'run' AND e.to_state = 'cancelling'
                              ORDER BY e.seq DESC LIMIT 1), p_reason);
    END IF;
    UPDATE attempt a SET state = p_state, reason = p_reason, cause = p_cause, exit_code = p_exit,
        provenance = p_provenance, code_sha256 = coalesce(p_provenance ->> 'code', ''),
        environment_sha256 = coalesce(p_provenance ->> 'lock', ''), dropped_bytes = p_dropped, pid = coalesce(p_pid, a.pid), finished_at = v_now
    WHERE a.uuid = p_token AND a.state = 'running';
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows <> 1 THEN
        RETURN '{"fenced": true}';
    END IF;
    IF p_outputs IS NOT NULL AND p_state = 'succeeded' THEN
        INSERT INTO attempt_output (uuid, attempt_id, name, position, type, value, sha256, address, size, media_type, meta)
        SELECT gen_random_uuid(), v_attempt.id, o.name, coalesce(o.position, 0), o.type, o.value, coalesce(o.sha256, ''),
               coalesce(o.address, ''), coalesce(o.size, 0), coalesce(o.media_type, ''), coalesce(o.meta, '{}')
        FROM jsonb_to_recordset(p_outputs) AS o (name text, position integer, type text, value jsonb, sha256 text,
             address text, size bigint, media_type text, meta jsonb);
    END IF;

    SELECT * INTO v_task FROM task_run t WHERE t.id = v_attempt.task_run_id;
    IF v_task.needs <> '{}' THEN
        v_freed := engine_free(v_attempt.id, p_state = 'lost' AND p_reason = 'lease');
    END IF;
    IF p_state = 'succeeded' THEN
        v_to := 'succeeded';
        v_why := p_reason;
    ELSE
        SELECT o.state, o.reason, o.due INTO v_to, v_why, v_due
        FROM engine_outcome(v_task, v_run.state, p_state, p_reason, p_draw, v_now) o;
    END IF;
    UPDATE task_run t SET
        state = v_to, reason = v_why,
        retries_used = t.retries_used + CASE WHEN v_to = 'retry_wait' AND p_state = 'failed'
                                              AND p_reason <> 'infrastructure' THEN 1 ELSE 0 END,
        lost = t.lost + CASE WHEN (p_state = 'lost' AND p_reason <> 'drained')
                               OR (p_state = 'failed' AND p_reason = 'infrastructure') THEN 1 ELSE 0 END,
        next_attempt_at = v_due, ready_at = coalesce(v_due, t.ready_at),
        finished_at = CASE WHEN v_to = 'retry_wait' THEN NULL ELSE v_now END
    WHERE t.id = v_task.id AND t.state = 'running';
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows <> 1 THEN
        RAISE EXCEPTION 'attempt % is running but its task % is not', p_token, v_task.id;
    END IF;
    v_seq := engine_tell(v_run.id, v_run.last_seq, ARRAY[v_task.id], 'running', v_to,
                         CASE WHEN v_why = '' THEN p_reason ELSE v_why END, '', v_attempt.id);
    IF v_to = 'failed' THEN
        PERFORM engine_first_failure(v_run.id, v_task.id);
    END IF;
    IF v_to = 'retry_wait' THEN
        UPDATE run SET last_seq = v_seq WHERE id = v_run.id;
        v_result := jsonb_build_object(
            'run', jsonb_build_object('id', v_run.id, 'state', v_run.state, 'last_seq', v_seq),
            'conditions', '[]'::jsonb, 'woken', '{}'::jsonb, 'closed', false);
    ELSE
        v_result := engine_apply(v_run.id, ARRAY[v_task.id], '{}', v_seq, v_run.open_tasks);
    END IF;
    IF cardinality(v_freed) > 0 THEN
        v_result := jsonb_set(v_result, '{woken}', engine_sum(v_result -> 'woken', engine_wanting(v_freed)));
    END IF;
    -- A short attempt without effects or slots may be lost with the machine: it is only done again.
    IF v_now - v_attempt.started_at < interval '2 s' AND NOT (v_result ->> 'closed')::boolean
       AND v_task.needs = '{}' AND v_task.kind NOT IN ('register', 'deploy') THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    v_result := v_result || jsonb_build_object('attempt', v_attempt.id, 'task_state', v_to);
    IF p_claim AND jsonb_array_length(v_result -> 'conditions') = 0 THEN
        v_result := v_result || jsonb_build_object('next', engine_claim(p_lease, p_queue, v_run.id));
    END IF;
    RETURN v_result;
END $$;

-- What becomes of a task whose attempt ended so: its next state, the reason, and when it is due again.
-- delay(n) = draw * min(cap, base * factor^(n-1)) seconds with full jitter, the bound itself with none.
CREATE OR REPLACE FUNCTION engine_outcome(
    p_task task_run, p_run_state text, p_state text, p_reason text, p_draw float8, p_now timestamptz,
    OUT state text, OUT reason text, OUT due timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_free boolean := p_state = 'lost' OR p_reason = 'infrastructure';
    v_n integer := 1 + CASE WHEN p_reason = 'infrastructure' THEN p_task.lost ELSE p_task.retries_used END;
    v_bound float8;
BEGIN
    reason := p_reason;
    IF p_state IN ('succeeded', 'cancelled') THEN
        state := p_state;
    ELSIF p_run_state = 'cancelling' THEN
        state := 'cancelled';
    ELSIF v_free AND p_reason <> 'drained' AND p_task.lost + 1 >= 3 THEN
        state := 'failed';
        reason := CASE WHEN p_reason = 'infrastructure' THEN p_reason ELSE 'poison' END;
    ELSIF p_state = 'lost' THEN
        state := 'retry_wait';
        due := p_now;
    ELSIF v_free OR (p_task.retries_used < coalesce((p_task.retries ->> 'limit')::int, 0)
                     AND coalesce(p_task.retries -> 'on', '["error", "exit", "timeout", "transient"]') ? p_reason) THEN
        state := 'retry_wait';
        v_bound := least(coalesce((p_task.retries ->> 'cap')::float8, 300),
                         coalesce((p_task.retries ->> 'base')::float8, 5)
                         * power(least(coalesce((p_task.retries ->> 'factor')::float8, 2), 1000), least(v_n - 1, 64)));
        IF coalesce(p_task.retries ->> 'jitter', 'full') <> 'none' THEN
            v_bound := v_bound * coalesce(p_draw, random());
        END IF;
        due := p_now + engine_seconds(v_bound);
    ELSE
        state := 'failed';
    END IF;
END $$;

-- The first task of a run that fails beyond its retries: remembered once, and its owner is to be told once.
CREATE OR REPLACE FUNCTION engine_first_failure(p_run bigint, p_task bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_uuid uuid;
BEGIN
    UPDATE run r SET first_failure_id = p_task WHERE r.id = p_run AND r.first_failure_id IS NULL
    RETURNING r.uuid INTO v_uuid;
    IF FOUND THEN
        INSERT INTO chore (kind, key, payload, state, attempts, error)
        VALUES ('alert', v_uuid::text, jsonb_build_object('run', v_uuid, 'task_run', p_task), 'waiting', 0, '')
        ON CONFLICT DO NOTHING;
    END IF;
END $$;
