-- Whose turn it is: the order in which the tasks of a queue are handed out.

-- How urgent a task is by now: its priority (-1 low, 0 normal, 1 high, 2 critical), and one more for every ten
-- minutes that it has waited, up to critical. So nothing waits for ever behind what is more important.
CREATE OR REPLACE FUNCTION engine_urgency(p_priority smallint, p_ready_at timestamptz, p_now timestamptz)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(p_priority, least(2, p_priority + floor(extract(epoch FROM p_now - p_ready_at) / 600)))::int
$$;

-- The open runs of which nothing is handed out now: they, or their pipelines, are paused.
CREATE OR REPLACE FUNCTION engine_paused(p_now timestamptz) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT r.id FROM run r
        WHERE r.paused_at IS NOT NULL AND r.state IN ('queued', 'running', 'cancelling')
          AND (r.paused_until IS NULL OR r.paused_until > p_now)
        UNION ALL
        SELECT r.id FROM pipeline p JOIN run r ON r.pipeline_id = p.id
        WHERE p.paused_at IS NOT NULL AND r.state IN ('queued', 'running', 'cancelling')
          AND (p.paused_until IS NULL OR p.paused_until > p_now));
END $$;

-- Tasks of paused runs at the heads of their lines are parked: they stand in no line until they are put back, so that
-- claims need not walk past them. No claim would hand them out anyhow, so nothing depends on it. Returns how many.
CREATE OR REPLACE FUNCTION engine_park() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_paused bigint[] := engine_paused(engine_now());
    v_heads bigint[];
    v_rows integer;
    v_all integer := 0;
BEGIN
    -- Behind those that stand at the head now there may be others; so much at once and no more, for the sweep waits.
    FOR v_round IN 1..20 LOOP
        v_heads := ARRAY(
            SELECT h.id FROM (SELECT DISTINCT r.team_id AS team FROM run r WHERE r.id = ANY (v_paused)) m
            CROSS JOIN queue q CROSS JOIN generate_series(-1, 2) c (class)
            CROSS JOIN LATERAL (
                SELECT l.id, l.run_id FROM task_run l
                WHERE l.queue = q.slug AND l.team_id = m.team AND l.priority = c.class
                  AND l.state IN ('ready', 'retry_wait') AND NOT l.parked
                ORDER BY l.ready_at, l.id LIMIT 1000
            ) h
            WHERE h.run_id = ANY (v_paused)
        );
        -- Step by step: joined to what it is to change, the choice could be made anew for each row.
        v_heads := ARRAY(
            SELECT o.id FROM task_run o
            WHERE o.id = ANY (v_heads) AND o.state IN ('ready', 'retry_wait') AND NOT o.parked
            ORDER BY o.id FOR UPDATE SKIP LOCKED
        );
        UPDATE task_run t SET parked = true WHERE t.id = ANY (v_heads);
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        v_all := v_all + v_rows;
        EXIT WHEN v_rows = 0 OR v_all >= 20000;
    END LOOP;
    RETURN v_all;
END $$;

-- Puts back what is parked of runs that are not paused any more, so much at once and no more. Returns how many.
CREATE OR REPLACE FUNCTION engine_unpark() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_paused bigint[] := engine_paused(engine_now());
    v_gone bigint[] := '{}';
    v_back bigint[];
    v_run bigint := 0;
    v_rows integer;
BEGIN
    -- From run to run, however many tasks of each are parked.
    LOOP
        SELECT n.run_id INTO v_run FROM task_run n WHERE n.parked AND n.run_id > v_run ORDER BY n.run_id LIMIT 1;
        EXIT WHEN NOT FOUND;
        IF NOT v_run = ANY (v_paused) THEN
            v_gone := v_gone || v_run;
        END IF;
    END LOOP;
    IF v_gone = '{}' THEN
        RETURN 0;
    END IF;
    v_back := ARRAY(
        SELECT o.id FROM task_run o WHERE o.parked AND o.run_id = ANY (v_gone)
        LIMIT 20000 FOR UPDATE SKIP LOCKED
    );
    UPDATE task_run t SET parked = false WHERE t.id = ANY (v_back);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END $$;

-- The lines of a queue (tasks of one team and priority) that have something due, in the order in which they are
-- served: the most urgent head first, then the team that runs least for its weight, then the oldest head.
-- p_paused: runs whose tasks do not count.
CREATE OR REPLACE FUNCTION engine_lines(p_queue text, p_now timestamptz, p_paused bigint[])
RETURNS TABLE (team bigint, class smallint) LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE line (team, class) AS (
        (SELECT t.team_id, t.priority FROM task_run t
         WHERE t.queue = p_queue AND t.state IN ('ready', 'retry_wait')
         ORDER BY t.team_id, t.priority LIMIT 1)
        UNION ALL
        SELECT n.team_id, n.priority FROM line l CROSS JOIN LATERAL (
            SELECT t.team_id, t.priority FROM task_run t
            WHERE t.queue = p_queue AND t.state IN ('ready', 'retry_wait')
              AND (t.team_id, t.priority) > (l.team, l.class)
            ORDER BY t.team_id, t.priority LIMIT 1
        ) n
    ), head AS (
        SELECT l.team, l.class, h.ready_at, h.id FROM line l CROSS JOIN LATERAL (
            SELECT t.ready_at, t.id FROM task_run t
            WHERE t.queue = p_queue AND t.team_id = l.team AND t.priority = l.class
              AND t.state IN ('ready', 'retry_wait') AND NOT t.parked AND t.ready_at <= p_now
              AND NOT t.run_id = ANY (p_paused)
            ORDER BY t.ready_at, t.id LIMIT 1
        ) h
    )
    SELECT h.team, h.class FROM head h
    ORDER BY engine_urgency(h.class, h.ready_at, p_now) DESC,
             -- One team alone is not compared with anybody.
             CASE WHEN (SELECT min(o.team) < max(o.team) FROM head o) THEN engine_share(h.team, p_queue) END,
             h.ready_at, h.id;
END $$;

-- How much a team runs on a queue for its weight there.
CREATE OR REPLACE FUNCTION engine_share(p_team bigint, p_queue text) RETURNS float8 LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT count(*) FROM task_run t WHERE t.team_id = p_team AND t.queue = p_queue AND t.state = 'running')
           / coalesce((SELECT l.weight FROM team_limits l
                       WHERE l.team_id = p_team AND l.queue IN ('', p_queue) AND l.weight IS NOT NULL
                       ORDER BY l.queue DESC LIMIT 1), 1.0);
END $$;

-- May one more task of a team run on a queue? The limits that allow it are locked, so that two claims do not both
-- take the last place; NULL when another claim has them locked.
CREATE OR REPLACE FUNCTION engine_room(p_team bigint, p_queue text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_limit record;
BEGIN
    FOR v_limit IN
        SELECT l.id, l.queue, l.running_tasks FROM team_limits l
        WHERE l.team_id = p_team AND l.queue IN ('', p_queue) AND l.running_tasks IS NOT NULL ORDER BY l.id
    LOOP
        IF engine_running(p_team, v_limit.queue) >= v_limit.running_tasks THEN
            RETURN false;
        END IF;
        PERFORM 1 FROM team_limits l WHERE l.id = v_limit.id FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        -- Whoever had it locked until now may have taken the place.
        IF engine_running(p_team, v_limit.queue) >= v_limit.running_tasks THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Tasks of a team that run now, on one queue or, for '', on all.
CREATE OR REPLACE FUNCTION engine_running(p_team bigint, p_queue text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF p_queue = '' THEN
        RETURN (SELECT count(*) FROM task_run t WHERE t.team_id = p_team AND t.state = 'running');
    END IF;
    RETURN (SELECT count(*) FROM task_run t WHERE t.team_id = p_team AND t.queue = p_queue AND t.state = 'running');
END $$;

-- The turn of a task that could begin now: how urgent it is by now, how many others of its queue could begin too, whether
-- some are another team's, and how many go before it. The tasks of a line that go before another stand at its head, so
-- that no more than the first p_most of each have to be read.
CREATE OR REPLACE FUNCTION engine_turn(p_task bigint, p_most integer)
RETURNS TABLE (urgency integer, others bigint, between_teams boolean, before bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_now timestamptz := engine_now();
    v_paused bigint[] := engine_paused(v_now);
    v_me record;
BEGIN
    SELECT t.id, t.team_id, t.queue, t.ready_at, engine_urgency(t.priority, t.ready_at, v_now) AS urgency
    INTO STRICT v_me FROM task_run t WHERE t.id = p_task;
    RETURN QUERY
    SELECT v_me.urgency, count(*), coalesce(bool_or(l.team <> v_me.team_id), false),
           count(*) FILTER (WHERE (-engine_urgency(l.class, o.ready_at, v_now), o.ready_at, o.id)
                                  < (-v_me.urgency, v_me.ready_at, v_me.id))
    FROM engine_lines(v_me.queue, v_now, v_paused) l CROSS JOIN LATERAL (
        SELECT t.id, t.ready_at FROM task_run t
        WHERE t.queue = v_me.queue AND t.team_id = l.team AND t.priority = l.class
          AND t.state IN ('ready', 'retry_wait') AND NOT t.parked AND t.ready_at <= v_now
          AND t.id <> p_task AND NOT t.run_id = ANY (v_paused)
        ORDER BY t.ready_at, t.id LIMIT p_most
    ) o;
END $$;
