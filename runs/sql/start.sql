-- Copies the graph of a version into a run just written, and begins what waits for nothing.
-- p_only: keys to take (with what they need, decided by the caller), NULL for all.
-- p_reuse: keys of tasks that may take over an equal result. In a run that is `queued` nothing begins yet.
CREATE OR REPLACE FUNCTION engine_plant(p_run bigint, p_version bigint, p_only text[], p_actor text, p_reuse text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_open integer;
    v_roots bigint[];
    v_priority smallint;
    v_team bigint;
    v_state text;
    v_ids text := pg_get_serial_sequence('task_run', 'id');
BEGIN
    SELECT r.priority, r.team_id, r.state INTO v_priority, v_team, v_state FROM run r WHERE r.id = p_run FOR UPDATE;
    WITH chosen AS MATERIALIZED (
        SELECT nextval(v_ids) AS task_run_id, k.* FROM (
            SELECT * FROM task k WHERE k.version_id = p_version AND (p_only IS NULL OR k.key = ANY (p_only))
            ORDER BY k.position
        ) k
    ), joined AS MATERIALIZED (
        SELECT u.task_run_id AS up_id, d.task_run_id AS down_id, e.rule, e.data
        FROM edge e JOIN chosen u ON u.id = e.up_id JOIN chosen d ON d.id = e.down_id
        WHERE e.version_id = p_version
    ), waits AS (
        SELECT down_id, count(*)::int AS n FROM joined GROUP BY 1
    ), holds AS (
        SELECT parent_id, count(*)::int AS n FROM chosen WHERE parent_id IS NOT NULL GROUP BY 1
    ), planted AS (
        INSERT INTO task_run (id, uuid, run_id, team_id, task_id, parent_id, key, kind, begins_as, state, reason, queue, needs,
                              priority, has_condition, may_reuse, cache_key, reads, retries, timeout, deadline, waiting_on, open_children,
                              attempts_made, retries_used, lost)
        SELECT k.task_run_id, gen_random_uuid(), p_run, v_team, k.id, p.task_run_id, k.key, k.kind,
               CASE k.kind WHEN 'approval' THEN 'awaiting_approval' WHEN 'group' THEN 'waiting' ELSE 'ready' END,
               'pending', '', k.queue,
               -- Most tasks ask for nothing, which is seen without a call.
               CASE WHEN coalesce(k.spec #>> '{resources,gpu}', '0') = '0' AND k.spec #> '{resources,slots}' IS NULL
                   THEN '{}' ELSE engine_amounts(k.spec -> 'resources') END,
               v_priority,
               jsonb_typeof(k.spec -> 'when') = 'object', k.key = ANY (p_reuse), '',
               (SELECT coalesce(jsonb_agg(DISTINCT x), '[]')
                FROM jsonb_path_query(k.spec -> 'with', 'strict $.** ? (@.ref == "tasks").task', '{}', true) x),
               coalesce(k.spec -> 'retries', '{}'), (k.spec ->> 'timeout')::float8,
               (k.spec #>> '{config,deadline}')::float8, coalesce(w.n, 0), coalesce(h.n, 0), 0, 0, 0
        FROM chosen k
        LEFT JOIN chosen p ON p.id = k.parent_id
        LEFT JOIN waits w ON w.down_id = k.task_run_id
        LEFT JOIN holds h ON h.parent_id = k.id
        ORDER BY k.position
        RETURNING id, parent_id, waiting_on
    ), linked AS (
        INSERT INTO task_edge (run_id, up_id, down_id, rule, data)
        SELECT p_run, j.up_id, j.down_id, j.rule, j.data FROM joined j
    )
    SELECT count(*)::int, array_agg(t.id ORDER BY t.id) FILTER (WHERE t.parent_id IS NULL AND t.waiting_on = 0)
    INTO v_open, v_roots FROM planted t;
    INSERT INTO run_event (run_id, seq, kind, actor, to_state) VALUES (p_run, 1, 'run', p_actor, v_state);
    IF v_state = 'queued' THEN
        UPDATE run SET open_tasks = v_open, last_seq = 1 WHERE id = p_run;
        RETURN jsonb_build_object('run', jsonb_build_object('id', p_run, 'state', v_state, 'last_seq', 1),
                                  'conditions', '[]'::jsonb, 'woken', '{}'::jsonb, 'closed', false);
    END IF;
    RETURN engine_apply(p_run, '{}', v_roots, 1, v_open);
END $$;
