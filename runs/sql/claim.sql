-- Gives the best runnable task of a queue to a lease; an attempt is born. Returns NULL when nothing is runnable,
-- {"lease": "dead"} when the lease may no longer claim, {"busy": true} when it is to ask again: others hold what has
-- work, the units that it needs or the last places of its team, or somebody pauses something at this moment.
-- To a lease that cannot give the isolation of the queue nothing is runnable, nor to one that drains. A task that
-- needs slots which are not to be had is passed over, and so are the tasks of a team that may run no more.
--
-- Tasks of one team and priority stand in one line, the oldest first; engine_lines says whose turn it is. The
-- cost is that of a look at the head of each line, however many tasks stand in it.
--
-- p_held: the run whose row this transaction has locked already (after a finish). Another run is locked with
-- SKIP LOCKED; a claim in a transaction of its own waits for one row at most 50 ms, then gives up.
CREATE OR REPLACE FUNCTION engine_claim(p_lease uuid, p_queue text, p_held bigint DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := engine_now();
    v_lease bigint;
    v_levels jsonb;
    v_line record;
    v_task record;
    v_paused bigint[];
    v_past bigint[];
    v_busy bigint[] := '{}';
    v_full bigint;
    v_room boolean;
    v_found integer;
    v_known integer;
    v_lacking text[] := '{}';
    v_kept bigint[];
    v_slots bigint[];
    v_taken boolean;
    v_wanted jsonb;
BEGIN
    SELECT l.id, coalesce(l.labels -> 'isolation', '["shared user"]') INTO v_lease, v_levels FROM worker_lease l
    WHERE l.uuid = p_lease AND l.state = 'live' AND l.expires_at > v_now;
    IF NOT FOUND THEN
        RETURN (SELECT CASE WHEN count(*) = 0 THEN '{"lease": "dead"}'::jsonb END FROM worker_lease l
                WHERE l.uuid = p_lease AND l.state = 'draining' AND l.expires_at > v_now);
    END IF;
    -- Who pauses the queue holds this lock alone, and waits for the claims that have it.
    IF NOT pg_try_advisory_xact_lock_shared(hashtext('queue'), hashtext(p_queue)) THEN
        RETURN '{"busy": true}';
    END IF;
    IF EXISTS (SELECT 1 FROM queue q WHERE q.slug = p_queue AND (
                   NOT v_levels ? q.isolation
                   OR (q.paused_at IS NOT NULL AND (q.paused_until IS NULL OR q.paused_until > v_now)))) THEN
        RETURN NULL;
    END IF;
    v_paused := engine_paused(v_now);
    v_past := v_paused;
    FOR v_line IN SELECT l.team, l.class FROM engine_lines(p_queue, v_now, v_paused) l LOOP
        v_room := engine_room(v_line.team, p_queue);
        IF v_room IS NULL THEN
            v_full := coalesce(v_full, v_line.team);
        END IF;
        CONTINUE WHEN v_room IS NOT TRUE;
        -- A wide run may fill all places of a round while somebody holds its lock: look past it then.
        FOR v_round IN 1..4 LOOP
            v_found := 0;
            v_known := cardinality(v_busy) + cardinality(v_lacking);
            FOR v_task IN
                SELECT t.id, t.run_id, t.needs FROM task_run t
                WHERE t.queue = p_queue AND t.team_id = v_line.team AND t.priority = v_line.class
                  AND t.state IN ('ready', 'retry_wait') AND NOT t.parked AND t.ready_at <= v_now
                  AND NOT t.run_id = ANY (v_past) AND (NOT t.needs ?| v_lacking OR t.id = ANY (v_kept))
                ORDER BY t.ready_at, t.id LIMIT 16
            LOOP
                v_found := v_found + 1;
                CONTINUE WHEN v_task.run_id = ANY (v_busy)
                    OR (v_task.needs ?| v_lacking AND NOT v_task.id = ANY (v_kept));
                IF v_task.run_id IS DISTINCT FROM p_held THEN
                    PERFORM 1 FROM run r WHERE r.id = v_task.run_id AND r.state = 'running' FOR UPDATE SKIP LOCKED;
                    IF NOT FOUND THEN
                        v_busy := v_busy || v_task.run_id;
                        v_past := v_past || v_task.run_id;
                        CONTINUE;
                    END IF;
                    -- While it is locked nobody pauses it; who was faster has made all that was chosen from old.
                    IF v_task.run_id = ANY (engine_paused(v_now)) THEN
                        RETURN '{"busy": true}';
                    END IF;
                END IF;
                v_slots := '{}';
                IF v_task.needs <> '{}' THEN
                    SELECT s.units, v_lacking || s.lacking, s.lacking IS NULL INTO v_slots, v_lacking, v_taken
                    FROM engine_slots(v_task.id, v_lease) s;
                    IF v_taken THEN
                        v_wanted := coalesce(v_wanted, v_task.needs);
                    END IF;
                    IF v_slots IS NULL THEN
                        -- Those for whom units are reserved may have what this one was kept from.
                        v_kept := coalesce(v_kept, ARRAY(
                            SELECT DISTINCT s.reserved_for_id FROM slot s WHERE s.reserved_for_id IS NOT NULL));
                        CONTINUE;
                    END IF;
                END IF;
                PERFORM 1 FROM task_run t
                WHERE t.id = v_task.id AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= v_now
                FOR UPDATE SKIP LOCKED;
                CONTINUE WHEN NOT FOUND;
                RETURN engine_give(v_task.id, v_lease, v_now, v_slots);
            END LOOP;
            EXIT WHEN v_found < 16 OR cardinality(v_busy) + cardinality(v_lacking) = v_known;
        END LOOP;
    END LOOP;
    IF p_held IS NOT NULL OR (cardinality(v_busy) = 0 AND v_full IS NULL AND v_wanted IS NULL) THEN
        RETURN NULL;
    END IF;
    -- What has work is locked by somebody, or what it needs: wait a moment for the first.
    BEGIN
        PERFORM set_config('lock_timeout', '50ms', true);
        IF v_wanted IS NOT NULL THEN
            PERFORM 1 FROM slot s JOIN worker_lease l ON l.id = v_lease
            WHERE v_wanted ? s.kind AND s.holder_id IS NULL AND s.withdrawn_at IS NULL
              AND (s.host = '' OR l.labels -> 'devices' ? s.device)
            ORDER BY s.position, s.id LIMIT 1 FOR UPDATE OF s;
            RETURN '{"busy": true}';
        END IF;
        IF cardinality(v_busy) = 0 THEN
            PERFORM 1 FROM team_limits l WHERE l.team_id = v_full AND l.queue IN ('', p_queue) ORDER BY l.id FOR UPDATE;
            RETURN '{"busy": true}';
        END IF;
        PERFORM 1 FROM run r WHERE r.id = v_busy[1] AND r.state = 'running' FOR UPDATE;
        IF NOT FOUND THEN
            RETURN '{"busy": true}';
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        RETURN '{"busy": true}';
    END;
    -- It may have moved meanwhile: choose again, with this run in hand.
    RETURN engine_claim(p_lease, p_queue, v_busy[1]);
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
