"""What must always hold, as named SQL queries that return the rows that break it.

The numbers are those of the list that the tests and the soak go by. Each query reads one snapshot and
may run beside a busy engine.
"""

# Only constants of this file and of states.py are put into the queries.
# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass

from django.db import connections

from runs.replay import EVENTS_REPRODUCE
from runs.states import FREE_RETRIES, LOST_LIMIT, TERMINAL_RUN, TERMINAL_TASK

LEASE_TTL = 15  # seconds
SWEEP = 2  # seconds between two sweeps
# How long a dead worker's attempt may stay unsettled, one sweep's own work included.
LOST_PATIENCE = LEASE_TTL + 2 * SWEEP
# A run without an event for this long must have a reason to be quiet.
QUIET = LEASE_TTL + 2 * SWEEP
MAX_ROWS = 100  # reported per invariant


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks a rule: which table's row (``subject``, its id) and what is wrong with it."""

    subject: str
    id: int
    detail: str

    def __str__(self) -> str:
        return f"{self.subject} {self.id}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Invariant:
    """``sql`` selects (subject, id, detail) of the rows that break the rule ``words``.

    ``patience``: seconds for which a row may be as it must not stay. The database's clock counts them, which
    also goes on while the database answers nobody.
    """

    number: int
    name: str
    words: str
    sql: str
    patience: int = 0


def _listed(words: frozenset[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


ENDED_TASK = _listed(TERMINAL_TASK)
ENDED_RUN = _listed(TERMINAL_RUN)
FREE = _listed(FREE_RETRIES)

# An upstream satisfies a rule in these states.
SATISFIED = f"""CASE e.rule
    WHEN 'success' THEN up.state = 'succeeded'
    WHEN 'failure' THEN up.state IN ('failed', 'upstream_failed')
    ELSE up.state IN ({ENDED_TASK}) END"""

# Events that retention has removed.
GONE = """EXISTS (
    SELECT FROM dropped_partition d
    WHERE d.table_name = 'run_event' AND {run} >= d.first_run AND {run} < d.end_run)"""

# Attempts of earlier resumes met upstreams that have been reset since: events keep that story.
EDGES_FIRST = f"""
SELECT 'attempt', a.id, 'started before the edge from ' || up.key || ' (' || e.rule || ') was satisfied'
FROM attempt a
JOIN task_run t ON t.id = a.task_run_id
JOIN run r ON r.id = a.run_id AND r.resume_no = a.resume_no
JOIN task_edge e ON e.down_id = t.id
JOIN task_run up ON up.id = e.up_id
WHERE NOT ({SATISFIED}) OR up.finished_at > a.started_at
UNION ALL
SELECT 'attempt', a.id, 'started before its scope ' || p.key || ' began'
FROM attempt a
JOIN task_run t ON t.id = a.task_run_id
JOIN run r ON r.id = a.run_id AND r.resume_no = a.resume_no
JOIN task_run p ON p.id = t.parent_id
WHERE p.state = 'pending' OR p.started_at > a.started_at
"""

NO_OVERLAP = """
SELECT 'attempt', b.id, 'began while attempt ' || a.no || ' of the same task ran'
FROM attempt a
JOIN attempt b ON b.task_run_id = a.task_run_id AND b.no > a.no
WHERE a.finished_at IS NULL OR a.finished_at > b.started_at
"""

TASKS_AGREE_WITH_ATTEMPTS = """
WITH counted AS (
    SELECT t.id, t.state, t.begins_as, t.reused_from_id,
        count(a.id) FILTER (WHERE a.state = 'running') AS running,
        count(a.id) FILTER (WHERE a.state = 'succeeded') AS succeeded
    FROM task_run t LEFT JOIN attempt a ON a.task_run_id = t.id
    GROUP BY t.id, t.state, t.begins_as, t.reused_from_id
)
SELECT 'task_run', id, 'is ' || state || ' with ' || running || ' running attempts'
FROM counted WHERE (state = 'running') <> (running = 1) OR running > 1
UNION ALL
SELECT 'task_run', id, 'is ' || state || ' with ' || succeeded || ' succeeded attempts'
FROM counted
WHERE begins_as = 'ready'
  AND (state = 'succeeded') <> (succeeded = 1 OR (succeeded = 0 AND reused_from_id IS NOT NULL))
"""

# While the database was away nobody could renew: leases count from its return.
LEASES_HOLD = f"""
SELECT 'attempt', a.id, 'runs under lease ' || l.id || ' (' || l.state || ', expired ' || l.expires_at || ')'
FROM attempt a JOIN worker_lease l ON l.id = a.lease_id
WHERE a.state = 'running'
  AND greatest(l.expires_at, coalesce(l.closed_at, l.expires_at))
      < engine_now() - interval '{LOST_PATIENCE} s'
  AND pg_postmaster_start_time() < clock_timestamp() - interval '{LEASE_TTL + LOST_PATIENCE} s'
"""

ENDS_ARE_WHOLE = f"""
SELECT 'run', r.id, 'is ' || r.state || ' while ' || t.key || ' is ' || t.state
FROM run r JOIN task_run t ON t.run_id = r.id
WHERE r.state IN ({ENDED_RUN}) AND t.state NOT IN ({ENDED_TASK})
UNION ALL
SELECT 'run', r.id, 'says ' || r.open_tasks || ' open tasks, has ' || n.open
FROM run r JOIN LATERAL (
    SELECT count(*) AS open FROM task_run t WHERE t.run_id = r.id AND t.state NOT IN ({ENDED_TASK})
) n ON true
WHERE r.open_tasks <> n.open
UNION ALL
SELECT 'task_run', t.id, 'says it waits on ' || t.waiting_on || ' edges, has ' || n.open
FROM task_run t JOIN LATERAL (
    SELECT count(*) AS open FROM task_edge e JOIN task_run up ON up.id = e.up_id
    WHERE e.down_id = t.id AND up.state NOT IN ({ENDED_TASK})
) n ON true
WHERE t.state = 'pending' AND t.waiting_on <> n.open
UNION ALL
SELECT 'task_run', t.id, 'says ' || t.open_children || ' of its tasks are open, ' || n.open || ' are'
FROM task_run t JOIN LATERAL (
    SELECT count(*) AS open FROM task_run c WHERE c.parent_id = t.id AND c.state NOT IN ({ENDED_TASK})
) n ON true
WHERE t.state = 'waiting' AND t.open_children <> n.open
"""

# Change itself leaves no row behind; what can be seen is whether the guards stand and the ends are marked.
THE_PAST_STAYS = f"""
SELECT 'attempt', a.id, 'is ' || a.state || ' and ended ' || coalesce(a.finished_at::text, 'never')
FROM attempt a WHERE (a.state = 'running') <> (a.finished_at IS NULL) OR a.finished_at < a.started_at
UNION ALL
SELECT 'worker_lease', l.id, 'is ' || l.state || ' and ended ' || coalesce(l.closed_at::text, 'never')
FROM worker_lease l WHERE (l.state IN ('live', 'draining')) <> (l.closed_at IS NULL)
UNION ALL
SELECT 'run', r.id,
    'has events to ' || coalesce(e.last, 0) || ', ' || e.count || ' of them, says ' || r.last_seq
FROM run r JOIN LATERAL (
    SELECT max(seq) AS last, count(*) AS count FROM run_event e WHERE e.run_id = r.id
) e ON true
WHERE (coalesce(e.last, 0) <> r.last_seq OR e.count <> r.last_seq) AND NOT {GONE.format(run="r.id")}
UNION ALL
SELECT 'trigger', c.oid::bigint, c.relname || ': its row guard is missing or off'
FROM pg_class c
WHERE c.relname IN ('run', 'task_run', 'attempt', 'worker_lease', 'run_event', 'log_chunk')
  AND c.relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (
    SELECT FROM pg_trigger g
    WHERE g.tgrelid = c.oid AND g.tgname IN (c.relname || '_state_moves', 'no_change') AND g.tgenabled <> 'D')
"""

# Attempts lost to their surroundings have their own limit; drained ones have none. With jitter any delay
# below the bound is right, so only retries without it can be too early.
ATTEMPTS_ARE_ALLOWED = f"""
WITH counted AS (
    SELECT t.id, (t.retries->>'limit')::int AS allowed,
        count(*) FILTER (WHERE a.state = 'failed' AND a.reason NOT IN ({FREE})) AS failed,
        count(*) FILTER (WHERE (a.state = 'failed' AND a.reason IN ({FREE}))
                            OR (a.state = 'lost' AND a.reason <> 'drained')) AS lost
    FROM task_run t JOIN attempt a ON a.task_run_id = t.id
    GROUP BY t.id, t.retries, a.resume_no
)
SELECT 'task_run', id,
    'failed ' || failed || ' times in one resume; allowed are 1 and ' || allowed || ' retries'
FROM counted WHERE failed > allowed + 1
UNION ALL
SELECT 'task_run', id, 'was lost ' || lost || ' times in one resume; {LOST_LIMIT} are allowed'
FROM counted WHERE lost > {LOST_LIMIT}
UNION ALL
SELECT 'attempt', b.id, 'began before the delay after attempt ' || a.no || ' was over'
FROM attempt a
JOIN attempt b ON b.task_run_id = a.task_run_id AND b.no = a.no + 1 AND b.resume_no = a.resume_no
JOIN task_run t ON t.id = a.task_run_id
JOIN LATERAL (
    SELECT count(*) AS n FROM attempt p
    WHERE p.task_run_id = a.task_run_id AND p.resume_no = a.resume_no AND p.no <= a.no
      AND p.state = 'failed' AND p.reason NOT IN ({FREE})
) tried ON true
WHERE a.state = 'failed' AND a.reason NOT IN ({FREE}) AND t.retries->>'jitter' = 'none'
  AND b.started_at < a.finished_at + make_interval(secs => least(
      (t.retries->>'cap')::float8,
      (t.retries->>'base')::float8 * power((t.retries->>'factor')::float8, tried.n - 1)))
  AND NOT EXISTS (
    SELECT FROM run_event e
    WHERE e.run_id = a.run_id AND e.task_run_id = a.task_run_id AND e.kind = 'retry_now'
      AND e.at BETWEEN a.finished_at AND b.started_at)
  AND NOT {GONE.format(run="a.run_id")}
"""

SLOTS_ARE_HELD = """
SELECT 'slot', s.id, 'is held by attempt ' || a.id || ', which is ' || a.state
FROM slot s JOIN attempt a ON a.id = s.holder_id WHERE a.state <> 'running'
UNION ALL
SELECT 'slot', s.id, 'is held by attempt ' || a.id || ', whose task needs no ' || s.kind
FROM slot s JOIN attempt a ON a.id = s.holder_id JOIN task_run t ON t.id = a.task_run_id
WHERE NOT t.needs ? s.kind
UNION ALL
SELECT 'attempt', a.id, 'holds ' || h.count || ' of ' || n.key || ' and needs ' || n.value
FROM attempt a JOIN task_run t ON t.id = a.task_run_id
CROSS JOIN LATERAL jsonb_each_text(t.needs) n
CROSS JOIN LATERAL (SELECT count(*) FROM slot s WHERE s.holder_id = a.id AND s.kind = n.key) h
WHERE a.state = 'running' AND h.count <> n.value::int
UNION ALL
SELECT 'attempt', s.holder_id, 'holds devices of ' || string_agg(DISTINCT s.host, ', ')
FROM slot s WHERE s.holder_id IS NOT NULL AND s.host <> ''
GROUP BY s.holder_id HAVING count(DISTINCT s.host) > 1
UNION ALL
SELECT 'slot', x.slot_id,
    'was given to attempt ' || x.attempt_id || ' before attempt ' || x.before || ' had ended'
FROM (
    SELECT h.slot_id, h.attempt_id, h.taken_at, lag(a.id) OVER w AS before,
        lag(coalesce(a.finished_at, 'infinity')) OVER w AS free_at
    FROM attempt_slot h JOIN attempt a ON a.id = h.attempt_id
    WINDOW w AS (PARTITION BY h.slot_id ORDER BY h.id)
) x
WHERE x.taken_at < x.free_at
"""

OUTPUTS_SUCCEEDED = """
SELECT 'attempt_output', o.id, o.name || ' belongs to an attempt that is ' || a.state
FROM attempt_output o JOIN attempt a ON a.id = o.attempt_id WHERE a.state <> 'succeeded'
UNION ALL
SELECT 'attempt_output', o.id, o.name || ' has bytes without a digest or a digest without an address'
FROM attempt_output o
WHERE (o.sha256 = '') <> (o.address = '') OR (o.sha256 <> '' AND o.sha256 !~ '^[0-9a-f]{64}$')
"""

LOGS_ARE_WHOLE = """
WITH chunk AS (
    SELECT c.run_id, c.attempt_id, c.seq, c.first_line,
        lag(c.seq) OVER w AS seq_before, lag(c.first_line + c.lines) OVER w AS line_due
    FROM log_chunk c WINDOW w AS (PARTITION BY c.run_id, c.attempt_id ORDER BY c.seq)
)
SELECT 'attempt', a.id, 'its log jumps at chunk ' || c.seq
FROM chunk c JOIN attempt a ON a.id = c.attempt_id
WHERE a.state <> 'running' AND a.dropped_bytes = 0
  AND (c.seq <> c.seq_before + 1 OR c.first_line <> c.line_due
       OR (c.seq_before IS NULL AND c.first_line <> 0))
"""

RUNS_MOVE = f"""
WITH quiet AS (
    SELECT r.id, r.pipeline_id FROM run r
    JOIN run_event e ON e.run_id = r.id AND e.seq = r.last_seq
    WHERE r.state IN ('running', 'cancelling') AND r.paused_at IS NULL
      AND e.at < engine_now() - interval '{QUIET} s'
)
SELECT 'run', q.id, 'is quiet and nothing in it runs, is ready, or waits for time or a person'
FROM quiet q
WHERE NOT EXISTS (
    SELECT FROM task_run t WHERE t.run_id = q.id
    AND t.state IN ('ready', 'running', 'retry_wait', 'awaiting_approval'))
UNION ALL
SELECT 'task_run', t.id, 'is due on queue ' || t.queue || ', where worker ' || l.worker || ' is idle'
FROM quiet q
JOIN pipeline p ON p.id = q.pipeline_id AND p.paused_at IS NULL
JOIN task_run t ON t.run_id = q.id
JOIN queue u ON u.slug = t.queue AND u.paused_at IS NULL
JOIN LATERAL (
    SELECT l.worker FROM worker_lease l
    WHERE l.queue = t.queue AND l.state = 'live' AND l.expires_at > engine_now()
      AND l.started_at < engine_now() - interval '{QUIET} s'
      AND NOT EXISTS (SELECT FROM attempt a WHERE a.lease_id = l.id AND a.state = 'running')
    LIMIT 1
) l ON true
-- What needs slots waits for capacity; a worker that is idle is only a part of it.
WHERE t.needs = '{{}}'
  AND ((t.state = 'ready' AND t.ready_at < engine_now() - interval '{QUIET} s')
       OR (t.state = 'retry_wait' AND t.next_attempt_at < engine_now() - interval '{QUIET} s'))
  AND NOT EXISTS (
    SELECT FROM team_limits m
    WHERE m.team_id = t.team_id AND m.queue IN ('', t.queue)
      AND m.running_tasks <= engine_running(m.team_id, m.queue))
UNION ALL
SELECT 'run', r.id, 'is queued, and no run of its pipeline before it is under way'
FROM run r
WHERE r.state = 'queued' AND r.created_at < engine_now() - interval '{QUIET} s'
  AND NOT engine_quarantined(r.id)
  AND NOT EXISTS (
    SELECT FROM run o WHERE o.pipeline_id = r.pipeline_id
      AND (o.id < r.id OR (o.state <> 'queued' AND engine_has_overlap(o.version_id)))
      AND (o.finished_at IS NULL OR o.finished_at > engine_now() - interval '{QUIET} s'))
"""

NOTHING_LEFT_OVER = f"""
SELECT 'task_run', t.id, 'is ' || t.state || ' in a run that is ' || r.state
FROM task_run t JOIN run r ON r.id = t.run_id
WHERE r.state IN ({ENDED_RUN}) AND t.state IN ('ready', 'retry_wait', 'running')
UNION ALL
SELECT 'attempt', a.id, 'runs in a run that is ' || r.state
FROM attempt a JOIN run r ON r.id = a.run_id
WHERE r.state IN ({ENDED_RUN}) AND a.state = 'running'
"""

INVARIANTS = (
    Invariant(1, "edges-first", "No attempt starts before all its task's edges are satisfied.", EDGES_FIRST),
    Invariant(2, "no-overlap", "Attempts of one task never overlap; at most one is running.", NO_OVERLAP),
    Invariant(
        3,
        "tasks-agree-with-attempts",
        "A task runs exactly while one attempt does, and succeeds by exactly one.",
        TASKS_AGREE_WITH_ATTEMPTS,
    ),
    Invariant(
        4,
        "leases-hold",
        "A running attempt is held by a live worker, or will soon be settled.",
        LEASES_HOLD,
        patience=LOST_PATIENCE,
    ),
    Invariant(
        5,
        "ends-are-whole",
        "Ended runs have only ended tasks; counters equal what is counted.",
        ENDS_ARE_WHOLE,
    ),
    Invariant(6, "the-past-stays", "Finished attempts, leases and events never change.", THE_PAST_STAYS),
    Invariant(
        7,
        "slots-are-held",
        "A slot is held by one running attempt; a task holds exactly what it needs, on one host.",
        SLOTS_ARE_HELD,
    ),
    Invariant(
        8,
        "attempts-are-allowed",
        "No attempt beyond the allowed ones, none before its time.",
        ATTEMPTS_ARE_ALLOWED,
    ),
    Invariant(
        10,
        "events-reproduce",
        "Replaying the events of a run reproduces its tables.",
        EVENTS_REPRODUCE,
    ),
    Invariant(
        11,
        "outputs-succeeded",
        "Outputs belong to succeeded attempts and name their bytes.",
        OUTPUTS_SUCCEEDED,
    ),
    Invariant(
        12,
        "logs-are-whole",
        "The log of a finished attempt is contiguous or says what was dropped.",
        LOGS_ARE_WHOLE,
    ),
    Invariant(
        14,
        "runs-move",
        "A quiet run has something that runs or a reason to wait.",
        RUNS_MOVE,
        patience=QUIET,
    ),
    Invariant(15, "nothing-left-over", "Nothing of an ended run is still to be done.", NOTHING_LEFT_OVER),
)

# Numbers of the list that no query can hold, and where they are kept.
ELSEWHERE = {
    9: "each due time of a schedule has one run or one skip: no table has schedules",
    13: "no secret stands anywhere in clear: tested with a canary, as a query would have to know it",
}


# The tables as they are for what moved lately: these names stand before those of the tables themselves.
LATELY = """
WITH run AS MATERIALIZED (
    SELECT * FROM public.run r WHERE r.finished_at IS NULL OR r.finished_at > engine_now() - interval '2 h'
), task_run AS (SELECT t.* FROM public.task_run t JOIN run r ON r.id = t.run_id),
attempt AS (SELECT a.* FROM public.attempt a JOIN run r ON r.id = a.run_id),
attempt_output AS (SELECT o.* FROM public.attempt_output o JOIN attempt a ON a.id = o.attempt_id),
log_chunk AS (
    SELECT c.run_id, c.attempt_id, c.seq, c.first_line, c.lines
    FROM public.log_chunk c JOIN run r ON r.id = c.run_id)
"""


def check(invariant: Invariant, using: str = "default", *, lately: bool = False) -> list[Violation]:
    """The rows that break one invariant now, at most :data:`MAX_ROWS`.

    ``lately`` looks only at runs that are open or ended in the last two hours.
    """
    with connections[using].cursor() as cursor:
        scope = LATELY if lately else ""
        cursor.execute(f"{scope}SELECT * FROM ({invariant.sql}) broken LIMIT {MAX_ROWS}")
        return [Violation(subject, row_id, detail) for subject, row_id, detail in cursor.fetchall()]


def check_all(using: str = "default", *, lately: bool = False) -> dict[str, list[Violation]]:
    """Every broken invariant by name, with its rows; empty when all hold."""
    found = {invariant.name: check(invariant, using, lately=lately) for invariant in INVARIANTS}
    return {name: rows for name, rows in found.items() if rows}
