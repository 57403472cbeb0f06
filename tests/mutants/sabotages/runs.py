"""Sabotages of what becomes of runs, by rule and by person, and of the processes around."""

from __future__ import annotations

from typing import Final

from tests.mutants.sabotage import Sabotage
from tests.mutants.sabotages.places import (
    DISPATCH,
    GOING,
    MODEL,
    PAIRS,
    PROTOCOL,
    RULES,
    SETTLE,
    STOPPING,
    SWEEPS,
    SWEPT,
    TREE,
    VERBS,
    ZYGOTE,
)

JUDGING: Final = (
    Sabotage(
        "an always edge wants success",
        SETTLE,
        "ELSE true END), true) AS ok,",
        "ELSE u.state = 'succeeded' END), true) AS ok,",
        (f"{RULES}::TestRules",),
    ),
    Sabotage(
        "a failure edge ends at the first failure",
        SETTLE,
        "WHEN 'failure' THEN u.state IN ('failed', 'upstream_failed')",
        "WHEN 'failure' THEN u.state = 'failed'",
        (f"{RULES}::TestCancelAndResume",),
    ),
    Sabotage(
        "what stands far behind a failure is skipped",
        SETTLE,
        "bool_or(e.rule = 'success' AND u.state IN ('failed', 'upstream_failed'))",
        "bool_or(e.rule = 'success' AND u.state = 'failed')",
        (f"{RULES}::TestRules",),
    ),
    Sabotage(
        "a group with a failed task succeeds",
        SETTLE,
        "c.parent_id = s AND c.state IN ('failed', 'upstream_failed')",
        "c.parent_id = s AND c.state IN ('upstream_failed')",
        (f"{RULES}::TestGroups", MODEL),
    ),
    Sabotage(
        "a run ends although one task is open",
        SETTLE,
        "    IF p_open <> 0 THEN",
        "    IF p_open > 1 THEN",
        (f"{RULES}::TestOrder", MODEL),
    ),
    Sabotage(
        "a run that was cancelled ends as failed",
        SETTLE,
        "WHEN v_old = 'cancelling' THEN 'cancelled'",
        "WHEN v_old = 'cancelling' THEN 'failed'",
        (f"{RULES}::TestCancelAndResume",),
    ),
    Sabotage(
        "a condition that cannot be evaluated counts as true",
        "runs/judging.py",
        "    except (conditions.ConditionError, references.ResolveError):\n        return None",
        "    except (conditions.ConditionError, references.ResolveError):\n        return True",
        (f"{RULES}::TestConditions",),
    ),
)

PEOPLE: Final = (
    Sabotage(
        "cancel forgets what waits for its retry",
        VERBS,
        "ARRAY['pending', 'ready', 'retry_wait', 'waiting', 'awaiting_approval']",
        "ARRAY['pending', 'ready', 'waiting', 'awaiting_approval']",
        (STOPPING,),
    ),
    Sabotage(
        "cancel does not ask what runs to stop",
        VERBS,
        "WHERE a.run_id = p_run AND a.state = 'running' AND a.cancel_requested_at IS NULL;",
        "WHERE false;",
        (STOPPING,),
    ),
    Sabotage(
        "a beat does not tell what was cancelled",
        VERBS,
        "'cancel', a.cancel_requested_at IS NOT NULL",
        "'cancel', false",
        (STOPPING,),
    ),
    Sabotage(
        "a beat brings a lost lease back",
        VERBS,
        "WHERE l.uuid = p_lease AND l.state IN ('live', 'draining')\n    RETURNING",
        "WHERE l.uuid = p_lease AND l.state IN ('live', 'draining', 'lost')\n    RETURNING",
        (GOING,),
    ),
    Sabotage(
        "resume keeps the retries as used up",
        VERBS,
        "retries_used = 0, lost = 0, next_attempt_at = NULL,",
        "lost = 0, next_attempt_at = NULL,",
        (STOPPING,),
    ),
    Sabotage(
        "resume is not counted",
        VERBS,
        "resume_no = resume_no + 1, ",
        "",
        (f"{RULES}::TestCancelAndResume",),
    ),
    Sabotage(
        "resume leaves out what was skipped",
        VERBS,
        "WHERE t.state IN ('skipped', 'failed', 'upstream_failed', 'cancelled')\n    ), scope",
        "WHERE t.state IN ('failed', 'upstream_failed', 'cancelled')\n    ), scope",
        ("tests/runs/test_planner.py",),
    ),
    Sabotage(
        "a decision counts whatever the task waits for",
        VERBS,
        "WHERE t.id = p_task AND t.state = p_from;",
        "WHERE t.id = p_task;",
        (GOING,),
    ),
    Sabotage(
        "a decision is written to the resume before",
        PROTOCOL,
        '    run.refresh_from_db(fields=["resume_no"])',
        "    pass",
        (f"{PAIRS}::test_two_verbs_meet_in_a_run_that_has_ended",),
    ),
    Sabotage(
        "whoever asked for the run may decide",
        PROTOCOL,
        "    if was_requester and not",
        "    if False and not",
        (f"{RULES}::TestApproval",),
    ),
    Sabotage(
        "results of other teams are taken over",
        VERBS,
        "a.state = 'succeeded' AND a.team_id = v_run.team_id) LIMIT 1",
        "a.state = 'succeeded') LIMIT 1",
        ("tests/runs/test_reuse.py",),
    ),
)

AROUND: Final = (
    Sabotage(
        "leases lapse while the database was down",
        SWEEPS,
        "AND clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => %s)",
        "AND %s > -1",
        (SWEPT,),
    ),
    Sabotage(
        "leases lapse although they were renewed",
        SWEEPS,
        "state IN ('live', 'draining') AND expires_at < %s\n",
        "state IN ('live', 'draining') AND expires_at < %s + interval '1 h'\n",
        (SWEPT,),
    ),
    Sabotage(
        "attempts of lost leases are not settled",
        SWEEPS,
        "l.state IN ('lost', 'closed')",
        "l.state IN ('closed')",
        (SWEPT,),
    ),
    Sabotage(
        "the doorbell does not count the rings that nobody answered",
        DISPATCH,
        "idle - line.connection.llen(line.key)",
        "idle",
        (f"{SWEPT}::TestDoorbell",),
    ),
    Sabotage(
        "the doorbell takes a busy worker for idle",
        DISPATCH,
        "      AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.lease_id = l.id AND a.state = 'running')\n",
        "",
        (f"{SWEPT}::TestDoorbell",),
    ),
    Sabotage(
        "a message from Redis may call anything",
        "runs/jobs.py",
        "        if self.func_name not in self.ENTRIES:",
        "        if False:",
        (f"{SWEPT}::TestDoorbell",),
    ),
    Sabotage(
        "the silence of its worker does not end an attempt",
        ZYGOTE,
        "if now - watch.last_word >= self.silence:",
        "if False:",
        ("tests/runs/test_zygote.py::test_an_attempt_whose_worker_says_nothing_is_killed",),
    ),
    Sabotage(
        "there is no grace before the kill",
        ZYGOTE,
        'time.monotonic() + float(message.get("grace", 10.0))',
        "time.monotonic()",
        (
            f"{TREE}::test_term_is_a_chance_to_end_in_order",
            f"{TREE}::test_grandchildren_keep_their_grace_when_the_first_process_has_gone",
        ),
    ),
    Sabotage(
        "what an attempt started lives on",
        ZYGOTE,
        "        processes.kill_descendants()\n        watch.limits",
        "        watch.limits",
        (f"{TREE}::test_what_an_attempt_leaves_behind_is_dead_before_its_end_is_told",),
    ),
)
