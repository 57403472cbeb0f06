-- A number of seconds as an interval, none as none: at most ten years, for a larger one is no interval at all.
CREATE OR REPLACE FUNCTION engine_seconds(p_seconds float8) RETURNS interval LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT make_interval(secs => least(greatest(p_seconds, 0), 315360000))
$$;

-- The heart of the engine: what follows when tasks have ended. Callers hold the run's row lock.
--
-- p_ended  tasks that have just reached a terminal state (their event is written, open_tasks is not)
-- p_judge  pending tasks whose upstreams have all ended and whose scope has begun
-- p_scopes groups all of whose inner tasks have ended
-- p_seq, p_open  the run's last_seq and open_tasks, carried through; the caller stores them
-- conditions  tasks with satisfied edges whose `when` the caller must now evaluate, or for which an equal result is to
--          be looked for
-- woken    {queue: number of tasks made ready}
--
-- The cost is proportional to the out-degree of what ended, never to the size of the run.
CREATE OR REPLACE FUNCTION engine_settle(
    p_run bigint, p_ended bigint[], p_judge bigint[], p_scopes bigint[],
    INOUT p_seq bigint, INOUT p_open integer, OUT conditions bigint[], OUT woken jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := engine_now();
    v_ended bigint[] := coalesce(p_ended, '{}');
    v_judge bigint[] := coalesce(p_judge, '{}');
    v_scopes bigint[] := coalesce(p_scopes, '{}');
    v_more bigint[];
    v_ready bigint[];
    v_wait bigint[];
    v_approve bigint[];
    v_condition bigint[];
    v_skip bigint[];
    v_upstream bigint[];
    v_queue text;
    v_count integer;
BEGIN
    conditions := '{}';
    woken := '{}';
    WHILE cardinality(v_ended) + cardinality(v_judge) + cardinality(v_scopes) > 0 LOOP
        IF cardinality(v_ended) > 0 THEN
            p_open := p_open - cardinality(v_ended);
            WITH down AS (
                SELECT e.down_id, count(*)::int AS n FROM task_edge e WHERE e.up_id = ANY (v_ended) GROUP BY 1
            ), moved AS (
                UPDATE task_run t SET waiting_on = t.waiting_on - down.n FROM down WHERE t.id = down.down_id
                RETURNING t.id, t.waiting_on, t.state, t.parent_id
            )
            SELECT array_agg(m.id ORDER BY m.id) INTO v_more
            FROM moved m LEFT JOIN task_run p ON p.id = m.parent_id
            WHERE m.waiting_on = 0 AND m.state = 'pending' AND (m.parent_id IS NULL OR p.state = 'waiting');
            v_judge := v_judge || coalesce(v_more, '{}');

            IF EXISTS (SELECT 1 FROM task_run t WHERE t.id = ANY (v_ended) AND t.parent_id IS NOT NULL) THEN
                WITH scope AS (
                    SELECT t.parent_id, count(*)::int AS n FROM task_run t
                    WHERE t.id = ANY (v_ended) AND t.parent_id IS NOT NULL GROUP BY 1
                ), moved AS (
                    UPDATE task_run t SET open_children = t.open_children - scope.n FROM scope
                    WHERE t.id = scope.parent_id RETURNING t.id, t.open_children, t.state
                )
                SELECT array_agg(m.id ORDER BY m.id) INTO v_more FROM moved m
                WHERE m.open_children = 0 AND m.state = 'waiting';
                v_scopes := v_scopes || coalesce(v_more, '{}');
            END IF;
            v_ended := '{}';
        END IF;

        IF cardinality(v_scopes) > 0 THEN
            WITH moved AS (
                UPDATE task_run t SET
                    state = CASE WHEN f.bad THEN 'failed' ELSE 'succeeded' END,
                    reason = CASE WHEN f.bad THEN 'upstream' ELSE '' END,
                    finished_at = v_now
                FROM (
                    SELECT s AS id, EXISTS (
                        SELECT 1 FROM task_run c WHERE c.parent_id = s AND c.state IN ('failed', 'upstream_failed')
                    ) AS bad FROM unnest(v_scopes) s
                ) f
                WHERE t.id = f.id AND t.state = 'waiting' RETURNING t.id, t.state, t.reason
            ), told AS (
                INSERT INTO run_event (run_id, seq, at, kind, task_run_id, from_state, to_state, reason)
                SELECT p_run, p_seq + row_number() OVER (ORDER BY m.id), v_now, 'task', m.id, 'waiting', m.state, m.reason
                FROM moved m RETURNING task_run_id
            )
            SELECT array_agg(task_run_id ORDER BY task_run_id) INTO v_more FROM told;
            v_ended := coalesce(v_more, '{}');
            p_seq := p_seq + cardinality(v_ended);
            v_scopes := '{}';
        END IF;

        IF cardinality(v_judge) > 0 THEN
            SELECT array_agg(j.id ORDER BY j.id) FILTER (WHERE j.ok AND NOT j.has_condition AND j.begins_as = 'ready'),
                   array_agg(j.id ORDER BY j.id) FILTER (WHERE j.ok AND NOT j.has_condition AND j.begins_as = 'waiting'),
                   array_agg(j.id ORDER BY j.id) FILTER (WHERE j.ok AND NOT j.has_condition AND j.begins_as = 'awaiting_approval'),
                   array_agg(j.id ORDER BY j.id) FILTER (WHERE j.ok AND j.has_condition),
                   array_agg(j.id ORDER BY j.id) FILTER (WHERE NOT j.ok AND NOT j.hard),
                   array_agg(j.id ORDER BY j.id) FILTER (WHERE NOT j.ok AND j.hard)
            INTO v_ready, v_wait, v_approve, v_condition, v_skip, v_upstream
            FROM (
                SELECT t.id, t.begins_as, t.has_condition OR t.may_reuse AS has_condition,
                       coalesce(bool_and(CASE e.rule
                           WHEN 'success' THEN u.state = 'succeeded'
                           WHEN 'failure' THEN u.state IN ('failed', 'upstream_failed')
                           ELSE true END), true) AS ok,
                       coalesce(bool_or(e.rule = 'success' AND u.state IN ('failed', 'upstream_failed')), false) AS hard
                FROM task_run t
                LEFT JOIN task_edge e ON e.down_id = t.id
                LEFT JOIN task_run u ON u.id = e.up_id
                WHERE t.id = ANY (v_judge) AND t.state = 'pending' AND t.waiting_on = 0
                GROUP BY t.id
            ) j;
            v_judge := '{}';
            conditions := conditions || coalesce(v_condition, '{}');

            SELECT b.p_seq, b.woken, b.judge, b.scopes INTO p_seq, woken, v_judge, v_scopes
            FROM engine_begin(p_run, v_ready, v_wait, v_approve, p_seq, woken) b;
            IF v_skip IS NOT NULL THEN
                SELECT u.p_seq, v_ended || u.ended INTO p_seq, v_ended
                FROM engine_unbegun(p_run, v_skip, 'skipped', 'upstream', p_seq) u;
            END IF;
            IF v_upstream IS NOT NULL THEN
                SELECT u.p_seq, v_ended || u.ended INTO p_seq, v_ended
                FROM engine_unbegun(p_run, v_upstream, 'upstream_failed', 'upstream', p_seq) u;
            END IF;
        END IF;
    END LOOP;
END $$;

-- Pending tasks begin: for a worker (ready), as a scope (waiting) or for a person (awaiting_approval).
CREATE OR REPLACE FUNCTION engine_begin(
    p_run bigint, p_ready bigint[], p_wait bigint[], p_approve bigint[],
    INOUT p_seq bigint, INOUT woken jsonb, OUT judge bigint[], OUT scopes bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := engine_now();
    v_queue text;
    v_count integer;
BEGIN
    judge := '{}';
    scopes := '{}';
    IF p_ready IS NOT NULL THEN
        FOR v_queue, v_count IN
            WITH moved AS (
                UPDATE task_run t SET state = 'ready', reason = '', ready_at = v_now
                WHERE t.id = ANY (p_ready) AND t.state = 'pending' RETURNING t.queue
            )
            SELECT m.queue, count(*)::int FROM moved m GROUP BY 1
        LOOP
            woken := jsonb_set(woken, ARRAY[v_queue], to_jsonb(coalesce((woken ->> v_queue)::int, 0) + v_count));
        END LOOP;
        p_seq := engine_tell(p_run, p_seq, p_ready, 'pending', 'ready', '');
    END IF;
    IF p_approve IS NOT NULL THEN
        UPDATE task_run t SET state = 'awaiting_approval', reason = '', started_at = v_now,
            deadline_at = v_now + engine_seconds(t.deadline)
        WHERE t.id = ANY (p_approve) AND t.state = 'pending';
        p_seq := engine_tell(p_run, p_seq, p_approve, 'pending', 'awaiting_approval', '');
    END IF;
    IF p_wait IS NOT NULL THEN
        UPDATE task_run t SET state = 'waiting', reason = '', started_at = v_now
        WHERE t.id = ANY (p_wait) AND t.state = 'pending';
        p_seq := engine_tell(p_run, p_seq, p_wait, 'pending', 'waiting', '');
        SELECT coalesce(array_agg(t.id ORDER BY t.id), '{}') INTO judge FROM task_run t
        WHERE t.parent_id = ANY (p_wait) AND t.state = 'pending' AND t.waiting_on = 0;
        SELECT coalesce(array_agg(t.id ORDER BY t.id), '{}') INTO scopes FROM task_run t
        WHERE t.id = ANY (p_wait) AND t.open_children = 0;
    END IF;
END $$;

-- Pending tasks that never begin, and everything inside them, end as p_state.
CREATE OR REPLACE FUNCTION engine_unbegun(
    p_run bigint, p_tasks bigint[], p_state text, p_reason text, INOUT p_seq bigint, OUT ended bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    WITH RECURSIVE inner_task AS (
        SELECT t.id FROM task_run t WHERE t.id = ANY (p_tasks)
        UNION ALL
        SELECT t.id FROM task_run t JOIN inner_task i ON t.parent_id = i.id
    ), moved AS (
        UPDATE task_run t SET state = p_state, reason = p_reason, finished_at = engine_now()
        WHERE t.id IN (SELECT id FROM inner_task) AND t.state = 'pending' RETURNING t.id
    )
    SELECT coalesce(array_agg(m.id ORDER BY m.id), '{}') INTO ended FROM moved m;
    p_seq := engine_tell(p_run, p_seq, ended, 'pending', p_state, p_reason);
END $$;

-- One event per task, numbered on from p_seq; returns the last number used.
CREATE OR REPLACE FUNCTION engine_tell(
    p_run bigint, p_seq bigint, p_tasks bigint[], p_from text, p_to text, p_reason text, p_actor text DEFAULT '',
    p_attempt bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO run_event (run_id, seq, at, kind, task_run_id, attempt_id, actor, from_state, to_state, reason)
    SELECT p_run, p_seq + u.ord, engine_now(), 'task', u.id, p_attempt, p_actor, p_from, p_to, p_reason
    FROM unnest(p_tasks) WITH ORDINALITY AS u (id, ord);
    RETURN p_seq + cardinality(p_tasks);
END $$;

-- Settles, stores the run's counters and closes the run when nothing is open. Returns what callers act on
-- after the commit: {run: {id, state, last_seq}, conditions: [...], woken: {...}, closed: bool}.
CREATE OR REPLACE FUNCTION engine_apply(
    p_run bigint, p_ended bigint[], p_judge bigint[], p_seq bigint, p_open integer, p_scopes bigint[] DEFAULT '{}'
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_conditions bigint[];
    v_woken jsonb;
    v_state text;
    v_old text;
BEGIN
    SELECT s.p_seq, s.p_open, s.conditions, s.woken INTO p_seq, p_open, v_conditions, v_woken
    FROM engine_settle(p_run, p_ended, p_judge, p_scopes, p_seq, p_open) s;
    IF p_open <> 0 THEN
        UPDATE run r SET open_tasks = p_open, last_seq = p_seq WHERE r.id = p_run RETURNING r.state INTO v_state;
    ELSE
        SELECT r.state INTO v_old FROM run r WHERE r.id = p_run;
        v_state := CASE
            WHEN v_old = 'cancelling' THEN 'cancelled'
            WHEN EXISTS (SELECT 1 FROM task_run t WHERE t.run_id = p_run AND t.parent_id IS NULL
                         AND t.state IN ('failed', 'upstream_failed')) THEN 'failed'
            ELSE 'succeeded' END;
        -- However little the last step was worth, the end of a run is not lost.
        PERFORM set_config('synchronous_commit', 'on', true);
        p_seq := p_seq + 1;
        INSERT INTO run_event (run_id, seq, at, kind, from_state, to_state)
        VALUES (p_run, p_seq, engine_now(), 'run', v_old, v_state);
        UPDATE run SET state = v_state, open_tasks = 0, last_seq = p_seq, finished_at = engine_now()
        WHERE id = p_run AND state = v_old;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % has moved, although its row was locked', p_run;
    END IF;
    RETURN jsonb_build_object(
        'run', jsonb_build_object('id', p_run, 'state', v_state, 'last_seq', p_seq),
        'conditions', to_jsonb(v_conditions), 'woken', v_woken, 'closed', p_open = 0);
END $$;
