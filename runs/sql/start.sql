-- Copies the graph of a version into a run just written, and begins what waits for nothing.
-- p_only: keys to take (with what they need, decided by the caller), NULL for all.
CREATE OR REPLACE FUNCTION engine_plant(p_run bigint, p_version bigint, p_only text[], p_actor text)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_open integer;
    v_roots bigint[];
    v_priority smallint;
BEGIN
    SELECT r.priority INTO v_priority FROM run r WHERE r.id = p_run FOR UPDATE;
    INSERT INTO task_run (uuid, run_id, task_id, key, kind, begins_as, state, reason, queue, needs, priority,
                          has_condition, reads, retries, timeout, deadline, waiting_on, open_children,
                          attempts_made, retries_used, lost)
    SELECT gen_random_uuid(), p_run, k.id, k.key, k.kind,
           CASE k.kind WHEN 'approval' THEN 'awaiting_approval' WHEN 'group' THEN 'waiting' ELSE 'ready' END,
           'pending', '', k.queue, coalesce(k.spec -> 'resources', '{}'), v_priority,
           jsonb_typeof(k.spec -> 'when') = 'object',
           (SELECT coalesce(jsonb_agg(DISTINCT x), '[]')
            FROM jsonb_path_query(k.spec -> 'with', 'strict $.** ? (@.ref == "tasks").task', '{}', true) x),
           coalesce(k.spec -> 'retries', '{}'), (k.spec ->> 'timeout')::float8,
           (k.spec #>> '{config,deadline}')::float8, 0, 0, 0, 0, 0
    FROM task k WHERE k.version_id = p_version AND (p_only IS NULL OR k.key = ANY (p_only))
    ORDER BY k.position;

    UPDATE task_run c SET parent_id = p.id
    FROM task k JOIN task_run p ON p.run_id = p_run AND p.task_id = k.parent_id
    WHERE c.run_id = p_run AND c.task_id = k.id AND k.parent_id IS NOT NULL;

    INSERT INTO task_edge (run_id, up_id, down_id, rule, data)
    SELECT p_run, u.id, d.id, e.rule, e.data
    FROM edge e
    JOIN task_run u ON u.run_id = p_run AND u.task_id = e.up_id
    JOIN task_run d ON d.run_id = p_run AND d.task_id = e.down_id
    WHERE e.version_id = p_version;

    UPDATE task_run t SET waiting_on = n.n
    FROM (SELECT down_id, count(*)::int AS n FROM task_edge WHERE run_id = p_run GROUP BY 1) n
    WHERE t.id = n.down_id;
    UPDATE task_run t SET open_children = n.n
    FROM (SELECT parent_id, count(*)::int AS n FROM task_run WHERE run_id = p_run AND parent_id IS NOT NULL GROUP BY 1) n
    WHERE t.id = n.parent_id;

    SELECT count(*)::int, array_agg(t.id ORDER BY t.id) FILTER (WHERE t.parent_id IS NULL AND t.waiting_on = 0)
    INTO v_open, v_roots FROM task_run t WHERE t.run_id = p_run;
    INSERT INTO run_event (run_id, seq, kind, actor, to_state) VALUES (p_run, 1, 'run', p_actor, 'running');
    RETURN engine_apply(p_run, '{}', v_roots, 1, v_open);
END $$;
