"""Sabotages of scopes, resumes, recovery and turns, written before the tests that stand there were read."""

from __future__ import annotations

from typing import Final

from tests.mutants.sabotage import Sabotage
from tests.mutants.sabotages.places import (
    ADMISSION_CODE,
    CLAIM,
    DURABLE,
    EXECUTION,
    FINISH,
    INTERRUPTED,
    LEFTOVERS,
    LOGS,
    ORDER,
    OVERLAP,
    PAUSES,
    PROCESSES,
    REUSE_OF_MANY,
    RULES,
    SETTLE,
    SLOTS,
    SWEEPS,
    SWEPT,
    TEAM_LIMITS,
    TREE,
    UNITS,
    UNITS_MEET,
    VERBS,
    WORKER,
)

STEPS: Final = (
    Sabotage(
        "what is skipped beside a failure is not counted as ended",
        SETTLE,
        "SELECT u.p_seq, v_ended || u.ended INTO p_seq, v_ended\n"
        "                FROM engine_unbegun(p_run, v_upstream",
        "SELECT u.p_seq, u.ended INTO p_seq, v_ended\n                FROM engine_unbegun(p_run, v_upstream",
        (f"{RULES}::TestRules",),
    ),
    Sabotage(
        "a group that ends beside a skipped task is not counted as ended",
        SETTLE,
        "SELECT u.p_seq, v_ended || u.ended INTO p_seq, v_ended\n"
        "                FROM engine_unbegun(p_run, v_skip",
        "SELECT u.p_seq, u.ended INTO p_seq, v_ended\n                FROM engine_unbegun(p_run, v_skip",
        (f"{RULES}::TestGroups",),
    ),
    Sabotage(
        "resume begins what is inside a group that waits",
        VERBS,
        "AND t.state = 'pending' AND t.waiting_on = 0 AND t.parent_id IS NULL;",
        "AND t.state = 'pending' AND t.waiting_on = 0;",
        (f"{RULES}::TestCancelAndResume",),
    ),
    Sabotage(
        "resume remembers how often a task was lost",
        VERBS,
        "retries_used = 0, lost = 0, next_attempt_at",
        "retries_used = 0, next_attempt_at",
        (f"{RULES}::TestCancelAndResume",),
    ),
    Sabotage(
        "a result is taken over inside a group that has not begun",
        VERBS,
        "          AND (t.parent_id IS NULL OR p.state = 'waiting')\n        ORDER BY t.id LIMIT p_limit",
        "        ORDER BY t.id LIMIT p_limit",
        (f"{REUSE_OF_MANY}::test_what_is_inside_a_scope_that_has_not_begun_is_not_decided",),
    ),
    Sabotage(
        "what runs is told of the first cancellation of its run",
        FINISH,
        "ORDER BY e.seq DESC LIMIT 1), p_reason);",
        "ORDER BY e.seq LIMIT 1), p_reason);",
        (OVERLAP,),
    ),
    Sabotage(
        "the end of a run that a condition decides is lost in a crash",
        SETTLE,
        "        PERFORM set_config('synchronous_commit', 'on', true);\n",
        "",
        (DURABLE,),
    ),
)

RECOVERY: Final = (
    Sabotage(
        "what a worker left behind when it went stays running",
        SWEEPS,
        "l.state IN ('lost', 'closed')",
        "l.state = 'lost'",
        (SWEPT,),
    ),
    Sabotage(
        "nobody is rung for a retry",
        SWEEPS,
        "t.state IN ('ready', 'retry_wait')",
        "t.state = 'ready'",
        (SWEPT,),
    ),
    Sabotage(
        "a chunk of a log cannot be written again",
        VERBS,
        " ON CONFLICT DO NOTHING;\nEND $$;",
        ";\nEND $$;",
        (f"{LOGS}::test_a_chunk_whose_answer_was_lost_is_kept_once",),
    ),
    Sabotage(
        "a worker stops its attempt at the first answer that does not name it",
        WORKER,
        "for token in odd & self._odd:",
        "for token in odd:",
        (f"{INTERRUPTED}::test_an_answer_from_before_the_claim_stops_nothing",),
    ),
    Sabotage(
        "what is not watched any more goes on",
        EXECUTION,
        "            running.zygote.close()\n            raise",
        "            raise",
        (f"{INTERRUPTED}::test_an_attempt_that_is_not_watched_any_more_is_ended",),
    ),
    Sabotage(
        "descendants are looked for once",
        PROCESSES,
        "    while reap():\n        signal_all",
        "    if reap():\n        signal_all",
        (f"{TREE}::test_what_forks_and_ends_again_and_again_is_caught_in_the_end",),
    ),
    Sabotage(
        "an answer from before a stall expires leases",
        SWEEPS,
        "    if time.monotonic() - asked > STALL:\n        return 0\n",
        "",
        (SWEPT,),
    ),
    Sabotage(
        "leases expire right after a standstill",
        SWEEPS,
        "if time.monotonic() - completed_at > LEASE_TTL / 2:",
        "if time.monotonic() - completed_at > LEASE_TTL * 20:",
        (SWEPT,),
    ),
    Sabotage(
        "what a worker prepares is not dropped when it has to go",
        EXECUTION,
        "time.monotonic() - since >= self.station.drain_timeout:\n            raise Unwanted",
        "False:\n            raise Unwanted",
        ("tests/runs/faults/test_waiting.py",),
    ),
    Sabotage(
        "a worker that starts buries those of other machines",
        LEFTOVERS,
        'state__in=["live", "draining"], labels__machine=machine())',
        'state__in=["live", "draining"])',
        ("tests/runs/test_leftovers.py",),
    ),
    Sabotage(
        "a worker that drains is taken for lost",
        VERBS,
        "WHERE l.uuid = p_lease AND l.state IN ('live', 'draining')\n    RETURNING",
        "WHERE l.uuid = p_lease AND l.state = 'live'\n    RETURNING",
        (f"{SLOTS}::TestDraining",),
    ),
)

PLACES: Final = (
    Sabotage(
        "the place that another has just taken is not counted",
        ORDER,
        "taken the place.\n        IF engine_running(p_team, v_limit.queue) >= v_limit.running_tasks THEN",
        "taken the place.\n        IF false THEN",
        (f"{TEAM_LIMITS}::TestTwoClaimsAtOnce",),
    ),
    Sabotage(
        "two starts take the last run of a team",
        ADMISSION_CODE,
        "team = Team.objects.select_for_update(no_key=True).get(pk=team_id)",
        "team = Team.objects.get(pk=team_id)",
        (f"{TEAM_LIMITS}::test_of_two_starts_at_once_exactly_one_takes_the_last_place",),
    ),
    Sabotage(
        "a claim that chose before a pause begins after it",
        CLAIM,
        "IF v_task.run_id = ANY (engine_paused(v_now)) THEN",
        "IF false THEN",
        (PAUSES,),
    ),
    Sabotage(
        "a claim waits for the unit that somebody has locked",
        UNITS,
        "LIMIT v_amount FOR UPDATE OF s SKIP LOCKED",
        "LIMIT v_amount FOR UPDATE OF s",
        (UNITS_MEET,),
    ),
    Sabotage(
        "a task is passed over although its units are kept for it",
        CLAIM,
        "OR (v_task.needs ?| v_lacking AND NOT v_task.id = ANY (v_kept));",
        "OR v_task.needs ?| v_lacking;",
        (f"{SLOTS}::TestWideTasks",),
    ),
    Sabotage(
        "a reservation wanders to where more is free",
        UNITS,
        "k.task IS NULL, o.free DESC, o.host",
        "o.free DESC, k.task IS NULL, o.host",
        (f"{SLOTS}::TestWideTasks",),
    ),
    Sabotage(
        "the seats of a pool go with a worker that was cut off",
        UNITS,
        "WHEN p_cut_off AND s.host <> '' THEN",
        "WHEN p_cut_off THEN",
        (f"{SLOTS}::TestHosts",),
    ),
)
