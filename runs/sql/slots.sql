-- Slots: units of something scarce, one row each, held by one running attempt or nobody. A GPU is of a host and
-- belongs to the leases that name it in their label `devices`; a unit of a pool has no host and is for every worker.

-- What a task needs of slots, by kind: {"gpu": 2, "licence": 1}; '{}' for none.
CREATE OR REPLACE FUNCTION engine_amounts(p_resources jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(n.kind, n.amount), '{}') FROM (
        SELECT 'gpu' AS kind, (p_resources ->> 'gpu')::int AS amount
        UNION ALL
        SELECT s.key, s.value::int FROM jsonb_each_text(coalesce(p_resources -> 'slots', '{}')) s
    ) n WHERE n.amount > 0
$$;

-- Locks the units that a runnable task needs, for a worker of this lease. The claim gives them in the same
-- transaction, or lets them go with it.
-- units    their ids; NULL when some are not to be had now
-- lacking  kinds of which this lease gets not one unit: what comes after the task need not ask for them, unless
--          units are reserved for it; NULL when enough are free, and somebody has them locked at this moment
CREATE OR REPLACE FUNCTION engine_slots(p_task bigint, p_lease bigint, OUT units bigint[], OUT lacking text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_task record;
    v_devices jsonb;
    v_kind text;
    v_amount integer;
    v_units bigint[];
BEGIN
    units := '{}';
    lacking := '{}';
    SELECT t.id, t.needs, t.priority, t.ready_at INTO v_task FROM task_run t WHERE t.id = p_task;
    SELECT coalesce(l.labels -> 'devices', '[]') INTO v_devices FROM worker_lease l WHERE l.id = p_lease;
    FOR v_kind, v_amount IN SELECT n.key, n.value::int FROM jsonb_each_text(v_task.needs) n ORDER BY n.key LOOP
        SELECT coalesce(array_agg(u.id), '{}') INTO v_units FROM (
            SELECT s.id FROM slot s LEFT JOIN task_run w ON w.id = s.reserved_for_id
            WHERE s.kind = v_kind AND s.holder_id IS NULL AND s.withdrawn_at IS NULL
              AND (s.host = '' OR v_devices ? s.device)
              AND (w.id IS NULL OR w.id = v_task.id OR w.state NOT IN ('ready', 'retry_wait')
                   OR (-engine_urgency(v_task.priority, v_task.ready_at, engine_now()), v_task.ready_at, v_task.id)
                      < (-engine_urgency(w.priority, w.ready_at, engine_now()), w.ready_at, w.id))
            ORDER BY s.position, s.id LIMIT v_amount FOR UPDATE OF s SKIP LOCKED
        ) u;
        IF cardinality(v_units) < v_amount THEN
            units := NULL;
            lacking := CASE
                WHEN v_amount <= (
                    SELECT count(*) FROM slot s
                    WHERE s.kind = v_kind AND s.holder_id IS NULL AND s.withdrawn_at IS NULL
                      AND (s.host = '' OR v_devices ? s.device)
                      AND (s.reserved_for_id IS NULL OR s.reserved_for_id = v_task.id)
                ) THEN NULL
                WHEN cardinality(v_units) = 0 THEN ARRAY[v_kind]
                ELSE '{}'::text[] END;
            RETURN;
        END IF;
        units := units || v_units;
    END LOOP;
END $$;

-- The attempt holds these locked units, and is remembered to have had them; says which they are.
CREATE OR REPLACE FUNCTION engine_hold(p_attempt bigint, p_task bigint, p_slots bigint[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_rows integer;
BEGIN
    UPDATE slot s SET holder_id = p_attempt WHERE s.id = ANY (p_slots) AND s.holder_id IS NULL;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows <> cardinality(p_slots) THEN
        RAISE EXCEPTION 'task % was to hold % slots, and % of them are free', p_task, cardinality(p_slots), v_rows;
    END IF;
    INSERT INTO attempt_slot (attempt_id, slot_id) SELECT p_attempt, u FROM unnest(p_slots) u;
    UPDATE slot s SET reserved_for_id = NULL WHERE s.id IN (
        SELECT r.id FROM slot r WHERE r.reserved_for_id = p_task FOR UPDATE SKIP LOCKED);
    -- Who holds what must outlive the machine: two tasks on one device harm more than one done twice.
    PERFORM set_config('synchronous_commit', 'on', true);
    RETURN (SELECT jsonb_agg(jsonb_build_object('kind', s.kind, 'host', s.host, 'device', s.device, 'name', s.name)
                             ORDER BY s.kind, s.position, s.id)
            FROM slot s WHERE s.id = ANY (p_slots));
END $$;

-- An attempt that has ended holds nothing any more; returns the kinds of what it held, a unit each. p_cut_off: its
-- worker did not say so itself. Then a device may still be in use until its host is heard of again.
CREATE OR REPLACE FUNCTION engine_free(p_attempt bigint, p_cut_off boolean) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_kinds text[];
BEGIN
    WITH freed AS (
        UPDATE slot s SET holder_id = NULL,
            withdrawn_at = CASE WHEN p_cut_off AND s.host <> '' THEN engine_now() ELSE s.withdrawn_at END
        FROM (SELECT h.id FROM slot h WHERE h.holder_id = p_attempt ORDER BY h.id FOR UPDATE) h
        WHERE s.id = h.id RETURNING s.kind
    )
    SELECT coalesce(array_agg(f.kind), '{}') INTO v_kinds FROM freed f;
    RETURN v_kinds;
END $$;

-- {queue: units} of the queues in which a runnable task needs one of these kinds: somebody there should look again.
CREATE OR REPLACE FUNCTION engine_wanting(p_kinds text[]) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(w.queue, cardinality(p_kinds)), '{}') FROM (
        SELECT DISTINCT t.queue FROM task_run t
        WHERE t.state IN ('ready', 'retry_wait') AND t.needs <> '{}' AND t.needs ?| p_kinds
          AND t.ready_at <= engine_now()
    ) w
$$;

-- A live lease says which GPUs its tasks may be given: [{device, position, name, memory_mib}]. New ones get a row,
-- withdrawn ones are given out again, and those that it names no longer are left to the sweep. Changes nothing, and
-- writes nothing, when all is known. Returns how many rows it wrote.
CREATE OR REPLACE FUNCTION engine_register(p_lease uuid, p_devices jsonb) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_lease record;
    v_named jsonb;
    v_rows integer;
BEGIN
    SELECT l.id, l.host, l.labels -> 'devices' AS named INTO v_lease FROM worker_lease l
    WHERE l.uuid = p_lease AND l.state = 'live';
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT coalesce(jsonb_agg(d ->> 'device' ORDER BY (d ->> 'position')::int), '[]') INTO v_named
    FROM jsonb_array_elements(p_devices) d;
    IF v_lease.named IS DISTINCT FROM v_named THEN
        UPDATE worker_lease l SET labels = l.labels || jsonb_build_object('devices', v_named)
        WHERE l.id = v_lease.id AND l.state = 'live';
    END IF;
    INSERT INTO slot (kind, host, device, position, name, memory_mib, registered_by_id)
    SELECT 'gpu', v_lease.host, d.device, d.position, d.name, d.memory_mib, v_lease.id
    FROM jsonb_to_recordset(p_devices) AS d (device text, position integer, name text, memory_mib integer)
    WHERE NOT EXISTS (SELECT 1 FROM slot s WHERE s.kind = 'gpu' AND s.device = d.device AND s.withdrawn_at IS NULL)
    ORDER BY d.device
    ON CONFLICT (kind, device) DO UPDATE SET host = excluded.host, position = excluded.position,
        name = excluded.name, memory_mib = excluded.memory_mib, registered_by_id = excluded.registered_by_id,
        withdrawn_at = NULL;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END $$;

-- Devices that no live worker offers are not given out; returns [host, device] of those withdrawn now.
CREATE OR REPLACE FUNCTION engine_withdraw() RETURNS TABLE (host text, device text) LANGUAGE sql AS $$
    UPDATE slot s SET withdrawn_at = engine_now()
    FROM (
        SELECT o.id FROM slot o WHERE o.host <> '' AND o.withdrawn_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM worker_lease l WHERE l.state = 'live' AND l.labels -> 'devices' ? o.device)
        ORDER BY o.id FOR UPDATE
    ) o
    WHERE s.id = o.id RETURNING s.host::text, s.device::text
$$;

-- Slots whose holder has ended: freed by nobody, which should not be. Returns [slot_id, attempt_id].
CREATE OR REPLACE FUNCTION engine_free_orphans() RETURNS TABLE (slot_id bigint, attempt_id bigint) LANGUAGE sql AS $$
    UPDATE slot s SET holder_id = NULL
    FROM (
        SELECT o.id, o.holder_id FROM slot o JOIN attempt a ON a.id = o.holder_id
        WHERE a.state <> 'running' ORDER BY o.id FOR UPDATE OF o
    ) o
    WHERE s.id = o.id RETURNING s.id, o.holder_id
$$;

-- A wide task that has waited for long reserves what it needs, or it would wait for ever while narrow ones take each
-- unit that becomes free: of each kind all units of one place, a host or the pool, where its queue has a worker.
-- The best task first, one task for each place; a reservation stays where it is as long as it can. Of the many that
-- may wait only the best are looked at, far more than there are places for.
CREATE OR REPLACE FUNCTION engine_reserve(p_after float8) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_rows integer;
BEGIN
    WITH offered AS MATERIALIZED (
        -- What each queue reaches of each kind, by place.
        SELECT s.kind, s.host, d.queue, count(*) AS units, count(*) FILTER (WHERE s.holder_id IS NULL) AS free
        FROM slot s JOIN (
            SELECT DISTINCT l.queue, x.device FROM worker_lease l
            CROSS JOIN LATERAL jsonb_array_elements_text(l.labels -> 'devices') x (device) WHERE l.state = 'live'
        ) d ON d.device = s.device
        WHERE s.host <> '' AND s.withdrawn_at IS NULL GROUP BY 1, 2, 3
        UNION ALL
        SELECT p.kind, '', q.slug, p.units, p.free FROM queue q CROSS JOIN (
            SELECT s.kind, count(*) AS units, count(*) FILTER (WHERE s.holder_id IS NULL) AS free
            FROM slot s WHERE s.host = '' AND s.withdrawn_at IS NULL GROUP BY 1
        ) p
    ), widest AS (
        SELECT k.kind, jsonb_object_agg(k.queue, k.units) AS units FROM (
            SELECT o.kind, o.queue, max(o.units) AS units FROM offered o JOIN queue q ON q.slug = o.queue
            WHERE q.paused_at IS NULL OR q.paused_until <= engine_now() GROUP BY 1, 2
        ) k GROUP BY 1
    ), wide AS MATERIALIZED (
        SELECT x.kind, w.id, w.queue, w.amount,
               row_number() OVER (
                   ORDER BY engine_urgency(w.priority, w.ready_at, engine_now()) DESC, w.ready_at, w.id) AS rank
        FROM widest x CROSS JOIN LATERAL engine_wide(x.kind, x.units, p_after, 200) w
    ), kept AS (
        SELECT DISTINCT s.kind, s.host, s.reserved_for_id AS task FROM slot s WHERE s.reserved_for_id IS NOT NULL
    ), place AS (
        SELECT DISTINCT ON (w.id, w.kind) w.id, w.kind, w.rank, o.host
        FROM wide w JOIN offered o ON o.kind = w.kind AND o.queue = w.queue AND o.units >= w.amount
        LEFT JOIN kept k ON k.kind = o.kind AND k.host = o.host AND k.task = w.id
        ORDER BY w.id, w.kind, k.task IS NULL, o.free DESC, o.host
    ), chosen AS (
        SELECT DISTINCT ON (p.kind, p.host) p.kind, p.host, p.id FROM place p ORDER BY p.kind, p.host, p.rank
    ), wanted AS (
        SELECT s.id, c.id AS task FROM slot s LEFT JOIN chosen c ON c.kind = s.kind AND c.host = s.host
        WHERE s.reserved_for_id IS DISTINCT FROM c.id ORDER BY s.id FOR UPDATE OF s
    )
    UPDATE slot s SET reserved_for_id = w.task FROM wanted w WHERE s.id = w.id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END $$;

-- Tasks that need several units, some of p_kind, and have waited for p_after seconds: of each priority the p_most
-- oldest. p_widest: {queue: units of its widest place}; what needs more of the kind is left out.
CREATE OR REPLACE FUNCTION engine_wide(p_kind text, p_widest jsonb, p_after float8, p_most integer)
RETURNS TABLE (id bigint, queue text, amount integer, priority smallint, ready_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT w.* FROM generate_series(-1, 2) c (class) CROSS JOIN LATERAL (
        SELECT t.id, t.queue::text, (t.needs ->> p_kind)::int, t.priority, t.ready_at
        FROM task_run t JOIN run r ON r.id = t.run_id JOIN pipeline p ON p.id = r.pipeline_id
        WHERE t.state IN ('ready', 'retry_wait') AND t.needs <> '{}' AND t.priority = c.class
          AND t.ready_at <= engine_now() - engine_seconds(p_after)
          AND (t.needs ->> p_kind)::int <= (p_widest ->> t.queue)::int
          AND (SELECT sum(a.value::int) FROM jsonb_each_text(t.needs) a) > 1
          AND r.state = 'running'
          AND (r.paused_at IS NULL OR r.paused_until <= engine_now())
          AND (p.paused_at IS NULL OR p.paused_until <= engine_now())
        ORDER BY t.ready_at, t.id LIMIT p_most
    ) w;
END $$;
