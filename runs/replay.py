"""Replaying the events of a run must reproduce its tables: the query that finds where it does not.

A task begins as pending, a run as nothing; each event takes one from where the event before left it.
Runs of which retention has removed the events are left out.
"""

from __future__ import annotations

from typing import Final

EVENTS_REPRODUCE: Final = """
WITH whole AS (
    SELECT r.id, r.state, r.resume_no FROM run r
    WHERE EXISTS (SELECT FROM run_event f WHERE f.run_id = r.id AND f.seq = 1)
), told AS (
    SELECT e.run_id, e.task_run_id, e.seq, e.from_state, e.to_state,
        coalesce(lag(e.to_state) OVER w, CASE e.kind WHEN 'task' THEN 'pending' ELSE '' END) AS was,
        lead(e.seq) OVER w IS NULL AS is_last
    FROM run_event e JOIN whole r ON r.id = e.run_id
    WHERE e.kind IN ('run', 'task')
    WINDOW w AS (PARTITION BY e.run_id, e.task_run_id ORDER BY e.seq)
), counted AS (
    SELECT t.id, t.attempts_made, count(e.seq) FILTER (WHERE e.to_state = 'running') AS began
    FROM task_run t JOIN whole r ON r.id = t.run_id LEFT JOIN told e ON e.task_run_id = t.id
    GROUP BY t.id, t.attempts_made
)
SELECT CASE WHEN e.task_run_id IS NULL THEN 'run' ELSE 'task_run' END, coalesce(e.task_run_id, e.run_id),
    'event ' || e.seq || ' takes it from ' || e.from_state || ', where it was ' || e.was
FROM told e WHERE e.from_state <> e.was
UNION ALL
SELECT 'run', r.id, 'is ' || r.state || ', its events say ' || coalesce(e.to_state, 'nothing')
FROM whole r LEFT JOIN told e ON e.run_id = r.id AND e.task_run_id IS NULL AND e.is_last
WHERE r.state IS DISTINCT FROM e.to_state
UNION ALL
SELECT 'run', r.id, 'was resumed ' || r.resume_no || ' times, its events tell of ' || n.resumed
FROM whole r JOIN LATERAL (
    SELECT count(*) AS resumed FROM told e
    WHERE e.run_id = r.id AND e.task_run_id IS NULL
      AND e.from_state IN ('failed', 'cancelled') AND e.to_state = 'running'
) n ON true
WHERE r.resume_no <> n.resumed
UNION ALL
SELECT 'task_run', t.id, 'is ' || t.state || ', its events say ' || coalesce(e.to_state, 'pending')
FROM task_run t JOIN whole r ON r.id = t.run_id LEFT JOIN told e ON e.task_run_id = t.id AND e.is_last
WHERE t.state <> coalesce(e.to_state, 'pending')
UNION ALL
SELECT 'task_run', c.id, 'had ' || c.attempts_made || ' attempts, its events tell of ' || c.began
FROM counted c WHERE c.attempts_made <> c.began
"""
