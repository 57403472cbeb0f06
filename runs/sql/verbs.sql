-- A task that no worker holds ends or begins by a person, the clock or its condition.

-- awaiting_approval -> succeeded | failed, or any other end outside a worker. NULL when somebody was faster.
CREATE OR REPLACE FUNCTION engine_end_task(p_task bigint, p_from text, p_to text, p_reason text, p_actor text)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_seq bigint;
BEGIN
    SELECT r.id, r.last_seq, r.open_tasks INTO v_run FROM run r
    WHERE r.id = (SELECT t.run_id FROM task_run t WHERE t.id = p_task) FOR UPDATE;
    UPDATE task_run t SET state = p_to, reason = p_reason, finished_at = engine_now()
    WHERE t.id = p_task AND t.state = p_from;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_seq := engine_tell(v_run.id, v_run.last_seq, ARRAY[p_task], p_from, p_to, p_reason, p_actor);
    IF p_to = 'failed' AND p_reason <> 'by_person' THEN
        PERFORM engine_first_failure(v_run.id, p_task);
    END IF;
    RETURN engine_apply(v_run.id, ARRAY[p_task], '{}', v_seq, v_run.open_tasks);
END $$;

-- Pending tasks of one run whose edges are satisfied have been judged (in this transaction, under the run's lock).
-- p_begin: these begin; p_skip: the condition of these is false; p_error: that of these could not be evaluated.
-- NULL when none of them is pending any more.
CREATE OR REPLACE FUNCTION engine_judged(p_run bigint, p_begin bigint[], p_skip bigint[], p_error bigint[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_seq bigint;
    v_ready bigint[];
    v_wait bigint[];
    v_approve bigint[];
    v_woken jsonb := '{}';
    v_judge bigint[];
    v_scopes bigint[];
    v_skipped bigint[];
    v_failed bigint[];
    v_result jsonb;
BEGIN
    SELECT r.id, r.last_seq, r.open_tasks INTO v_run FROM run r WHERE r.id = p_run FOR UPDATE;
    IF NOT EXISTS (SELECT 1 FROM task_run t WHERE t.id = ANY (p_begin || p_skip || p_error)
                   AND t.run_id = p_run AND t.state = 'pending') THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(t.id ORDER BY t.id) FILTER (WHERE t.begins_as = 'ready'),
           array_agg(t.id ORDER BY t.id) FILTER (WHERE t.begins_as = 'waiting'),
           array_agg(t.id ORDER BY t.id) FILTER (WHERE t.begins_as = 'awaiting_approval')
    INTO v_ready, v_wait, v_approve
    FROM task_run t WHERE t.id = ANY (p_begin) AND t.run_id = p_run AND t.state = 'pending';
    SELECT b.p_seq, b.woken, b.judge, b.scopes INTO v_seq, v_woken, v_judge, v_scopes
    FROM engine_begin(p_run, v_ready, v_wait, v_approve, v_run.last_seq, v_woken) b;
    SELECT u.p_seq, u.ended INTO v_seq, v_skipped
    FROM engine_unbegun(p_run, p_skip, 'skipped', 'condition_false', v_seq) u;
    SELECT u.p_seq, u.ended INTO v_seq, v_failed
    FROM engine_unbegun(p_run, p_error, 'failed', 'condition_error', v_seq) u;
    IF cardinality(v_failed) > 0 THEN
        PERFORM engine_first_failure(p_run, v_failed[1]);
    END IF;
    v_result := engine_apply(p_run, v_skipped || v_failed, v_judge, v_seq, v_run.open_tasks, v_scopes);
    RETURN jsonb_set(v_result, '{woken}', engine_sum(v_result -> 'woken', v_woken));
END $$;

-- Pending tasks of one run succeed at once with what equal ones have made (found in this transaction, under the run's
-- lock). p_sources: the attempt that did the work of each; p_keys: what each is made from. NULL when none of them is
-- pending any more.
CREATE OR REPLACE FUNCTION engine_reuse(p_run bigint, p_tasks bigint[], p_sources bigint[], p_keys text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_foreign bigint;
    v_taken bigint[];
    v_seq bigint;
BEGIN
    SELECT r.id, r.team_id, r.resume_no, r.last_seq, r.open_tasks INTO v_run FROM run r WHERE r.id = p_run FOR UPDATE;
    SELECT s INTO v_foreign FROM unnest(p_sources) s
    WHERE NOT EXISTS (SELECT 1 FROM attempt a
                      WHERE a.id = s AND a.state = 'succeeded' AND a.team_id = v_run.team_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'attempt % cannot be reused in run %: it did not succeed, or is of another team', v_foreign, p_run;
    END IF;
    WITH moved AS (
        UPDATE task_run t SET state = 'succeeded', reason = 'reused', reused_from_id = g.source, cache_key = g.key,
            finished_at = engine_now()
        FROM unnest(p_tasks, p_sources, p_keys) AS g (task, source, key)
        WHERE t.id = g.task AND t.run_id = p_run AND t.state = 'pending' AND t.may_reuse
        RETURNING t.id, g.source, g.key
    ), written AS (
        INSERT INTO task_reuse (task_run_id, resume_no, source_id, cache_key)
        SELECT m.id, v_run.resume_no, m.source, m.key FROM moved m ORDER BY m.id
    )
    SELECT array_agg(m.id ORDER BY m.id) INTO v_taken FROM moved m;
    IF v_taken IS NULL THEN
        RETURN NULL;
    END IF;
    v_seq := engine_tell(p_run, v_run.last_seq, v_taken, 'pending', 'succeeded', 'reused');
    RETURN engine_apply(p_run, v_taken, '{}', v_seq, v_run.open_tasks);
END $$;

-- Tasks of a run that only wait for the decision whether they take a result over, at most p_limit, first the oldest.
-- The run is locked; none when it does not go on.
CREATE OR REPLACE FUNCTION engine_undecided(p_run bigint, p_limit integer) RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM run r WHERE r.id = p_run AND r.state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT t.id FROM task_run t LEFT JOIN task_run p ON p.id = t.parent_id
        WHERE t.run_id = p_run AND t.state = 'pending' AND t.may_reuse AND t.waiting_on = 0
          AND (t.parent_id IS NULL OR p.state = 'waiting')
        ORDER BY t.id LIMIT p_limit);
END $$;

-- {queue: n} + {queue: n}
CREATE OR REPLACE FUNCTION engine_sum(p_a jsonb, p_b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, n), '{}') FROM (
        SELECT key, sum(value::int) AS n FROM (
            SELECT * FROM jsonb_each_text(p_a) UNION ALL SELECT * FROM jsonb_each_text(p_b)
        ) both_sides GROUP BY key
    ) summed
$$;

-- A retry that waits starts now. NULL when the task is not waiting for its retry.
CREATE OR REPLACE FUNCTION engine_retry_now(p_task bigint, p_actor text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_queue text;
BEGIN
    SELECT r.id, r.state, r.last_seq INTO v_run FROM run r
    WHERE r.id = (SELECT t.run_id FROM task_run t WHERE t.id = p_task) FOR UPDATE;
    UPDATE task_run t SET next_attempt_at = engine_now(), ready_at = engine_now()
    WHERE t.id = p_task AND t.state = 'retry_wait' RETURNING t.queue INTO v_queue;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO run_event (run_id, seq, kind, task_run_id, actor, from_state, to_state, reason)
    VALUES (v_run.id, v_run.last_seq + 1, 'retry_now', p_task, p_actor, 'retry_wait', 'retry_wait', 'by_person');
    UPDATE run SET last_seq = last_seq + 1 WHERE id = v_run.id;
    RETURN jsonb_build_object('run', jsonb_build_object('id', v_run.id, 'state', v_run.state, 'last_seq', v_run.last_seq + 1),
                              'conditions', '[]'::jsonb, 'woken', jsonb_build_object(v_queue, 1), 'closed', false);
END $$;

-- Stops a run: what has not begun ends now, what runs is asked to stop. NULL when the run is not open.
-- p_reason: by_person, or overlap where a newer run takes its place.
CREATE OR REPLACE FUNCTION engine_cancel(p_run bigint, p_actor text, p_reason text DEFAULT 'by_person') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_seq bigint;
    v_old text;
    v_count integer;
    v_open integer;
    v_leases jsonb;
BEGIN
    SELECT r.id, r.state, r.last_seq INTO v_run FROM run r WHERE r.id = p_run AND r.state IN ('queued', 'running') FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE run SET state = 'cancelling' WHERE id = p_run AND state = v_run.state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % has moved, although its row was locked', p_run;
    END IF;
    INSERT INTO run_event (run_id, seq, kind, actor, from_state, to_state, reason)
    VALUES (p_run, v_run.last_seq + 1, 'run', p_actor, v_run.state, 'cancelling', p_reason);
    v_seq := v_run.last_seq + 1;
    FOREACH v_old IN ARRAY ARRAY['pending', 'ready', 'retry_wait', 'waiting', 'awaiting_approval'] LOOP
        WITH moved AS (
            UPDATE task_run t SET state = 'cancelled', reason = p_reason, finished_at = engine_now(), next_attempt_at = NULL
            WHERE t.run_id = p_run AND t.state = v_old RETURNING t.id
        ), told AS (
            INSERT INTO run_event (run_id, seq, at, kind, task_run_id, actor, from_state, to_state, reason)
            SELECT p_run, v_seq + row_number() OVER (ORDER BY m.id), engine_now(), 'task', m.id, p_actor, v_old, 'cancelled', p_reason
            FROM moved m RETURNING 1
        )
        SELECT count(*) INTO v_count FROM told;
        v_seq := v_seq + v_count;
    END LOOP;
    v_open := engine_recount(p_run);
    UPDATE attempt a SET cancel_requested_at = engine_now()
    WHERE a.run_id = p_run AND a.state = 'running' AND a.cancel_requested_at IS NULL;
    SELECT coalesce(jsonb_agg(DISTINCT l.uuid), '[]') INTO v_leases FROM attempt a JOIN worker_lease l ON l.id = a.lease_id
    WHERE a.run_id = p_run AND a.state = 'running';
    RETURN engine_apply(p_run, '{}', '{}', v_seq, v_open) || jsonb_build_object('leases', v_leases);
END $$;

-- Counts waiting_on, open_children and open_tasks anew from the edges; returns open_tasks.
CREATE OR REPLACE FUNCTION engine_recount(p_run bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_open integer;
BEGIN
    UPDATE task_run t SET waiting_on = n.n FROM (
        SELECT d.id, count(u.id) FILTER (WHERE u.state NOT IN ('succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled'))::int AS n
        FROM task_run d LEFT JOIN task_edge e ON e.down_id = d.id LEFT JOIN task_run u ON u.id = e.up_id
        WHERE d.run_id = p_run GROUP BY d.id
    ) n WHERE t.id = n.id AND t.waiting_on <> n.n;
    UPDATE task_run t SET open_children = n.n FROM (
        SELECT p.id, count(c.id) FILTER (WHERE c.state NOT IN ('succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled'))::int AS n
        FROM task_run p LEFT JOIN task_run c ON c.parent_id = p.id
        WHERE p.run_id = p_run AND p.begins_as = 'waiting' GROUP BY p.id
    ) n WHERE t.id = n.id AND t.open_children <> n.n;
    SELECT count(*)::int INTO v_open FROM task_run t
    WHERE t.run_id = p_run AND t.state NOT IN ('succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled');
    RETURN v_open;
END $$;

-- Goes on with a failed or cancelled run: failed, upstream_failed and cancelled tasks, skipped ones downstream of
-- them, and the groups around them are pending again. NULL when the run is not in such a state.
CREATE OR REPLACE FUNCTION engine_resume(p_run bigint, p_actor text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_run record;
    v_seq bigint;
    v_count integer;
    v_open integer;
    v_roots bigint[];
BEGIN
    SELECT r.id, r.state, r.last_seq INTO v_run FROM run r WHERE r.id = p_run AND r.state IN ('failed', 'cancelled') FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT 1 FROM attempt a WHERE a.run_id = p_run AND a.state = 'running') THEN
        RETURN NULL;
    END IF;
    UPDATE run SET state = 'running', resume_no = resume_no + 1, finished_at = NULL WHERE id = p_run AND state = v_run.state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % has moved, although its row was locked', p_run;
    END IF;
    v_seq := v_run.last_seq + 1;
    INSERT INTO run_event (run_id, seq, kind, actor, from_state, to_state) VALUES (p_run, v_seq, 'run', p_actor, v_run.state, 'running');
    WITH RECURSIVE bad AS (
        SELECT t.id, t.parent_id FROM task_run t
        WHERE t.run_id = p_run AND t.state IN ('failed', 'upstream_failed', 'cancelled')
    ), affected (id) AS (
        SELECT id FROM bad
        UNION
        SELECT x.id FROM affected a CROSS JOIN LATERAL (
            SELECT e.down_id AS id FROM task_edge e WHERE e.up_id = a.id
            UNION ALL
            -- What a scope that began skipped by itself stays skipped.
            SELECT c.id FROM task_run c JOIN task_run s ON s.id = c.parent_id
            WHERE c.parent_id = a.id AND c.state = 'skipped' AND s.state = 'skipped'
        ) x JOIN task_run t ON t.id = x.id WHERE t.state IN ('skipped', 'failed', 'upstream_failed', 'cancelled')
    ), scope (id) AS (
        SELECT t.parent_id FROM task_run t JOIN affected a ON a.id = t.id WHERE t.parent_id IS NOT NULL
        UNION SELECT t.parent_id FROM task_run t JOIN scope s ON s.id = t.id WHERE t.parent_id IS NOT NULL
    ), moved AS (
        UPDATE task_run t SET state = 'pending', reason = '', retries_used = 0, lost = 0, next_attempt_at = NULL,
            ready_at = NULL, deadline_at = NULL, started_at = NULL, finished_at = NULL
        FROM (SELECT o.id, o.state FROM task_run o WHERE o.id IN (SELECT id FROM affected UNION SELECT id FROM scope)
              AND o.state IN ('failed', 'upstream_failed', 'cancelled', 'skipped')) o
        WHERE t.id = o.id RETURNING t.id, o.state AS was
    ), told AS (
        INSERT INTO run_event (run_id, seq, at, kind, task_run_id, actor, from_state, to_state, reason)
        SELECT p_run, v_seq + row_number() OVER (ORDER BY m.id), engine_now(), 'task', m.id, p_actor, m.was, 'pending', 'by_person'
        FROM moved m RETURNING 1
    )
    SELECT count(*) INTO v_count FROM told;
    v_seq := v_seq + v_count;
    v_open := engine_recount(p_run);
    SELECT array_agg(t.id ORDER BY t.id) INTO v_roots FROM task_run t
    WHERE t.run_id = p_run AND t.state = 'pending' AND t.waiting_on = 0 AND t.parent_id IS NULL;
    RETURN engine_apply(p_run, '{}', v_roots, v_seq, v_open);
END $$;

-- Renews a lease and says what its holder should be doing, in one statement: NULL when the lease is gone, else
-- [{attempt, cancel, timeout}] of all its running attempts; the flags say which must stop. {drain: true} stands beside
-- them when the holder is to leave after them, for one whose labels say that it knows this word.
CREATE OR REPLACE FUNCTION engine_beat(p_lease uuid, p_ttl float8) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
    v_drain boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE worker_lease l SET expires_at = engine_now() + make_interval(secs => p_ttl)
    WHERE l.uuid = p_lease AND l.state IN ('live', 'draining')
    RETURNING l.id, l.state = 'draining' AND l.labels ? 'drains' INTO v_id, v_drain;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'attempt', a.uuid, 'cancel', a.cancel_requested_at IS NOT NULL, 'timeout', coalesce(a.timeout_at <= engine_now(), false))), '[]')
                   || CASE WHEN v_drain THEN '[{"drain": true}]'::jsonb ELSE '[]' END
            FROM attempt a WHERE a.lease_id = v_id AND a.state = 'running');
END $$;

-- Keeps one chunk of an attempt's log. Not synchronous: a log row lost with the machine is no lost work.
CREATE OR REPLACE FUNCTION engine_log(
    p_run bigint, p_attempt bigint, p_seq integer, p_first_line integer, p_lines integer, p_body bytea
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO log_chunk (run_id, attempt_id, seq, first_line, lines, body)
    VALUES (p_run, p_attempt, p_seq, p_first_line, p_lines, p_body) ON CONFLICT DO NOTHING;
END $$;
