"""The sabotages: lines that somebody might well write; each name says what the engine does wrong then."""

from __future__ import annotations

from typing import Final

from tests.mutants.sabotage import Sabotage

FINISH, CLAIM, ORDER = "runs/sql/finish.sql", "runs/sql/claim.sql", "runs/sql/order.sql"
SETTLE, VERBS = "runs/sql/settle.sql", "runs/sql/verbs.sql"
PROTOCOL, SWEEPS, DISPATCH = "runs/protocol.py", "runs/sweeps.py", "runs/dispatch.py"
ZYGOTE, A_GUARD = "runs/worker/zygote.py", ""

RULES = "tests/runs/test_protocol.py"
PAIRS = "tests/runs/interleavings/test_pairs.py"
GOING = f"{PAIRS}::test_two_verbs_meet_in_a_run_that_goes_on"
MODEL = "tests/runs/model/test_model.py::test_the_engine_does_what_the_rules_predict"
GUARDS = "tests/runs/test_schema_guards.py"
SWEPT = "tests/runs/test_sweeps.py"
SLOTS = "tests/runs/test_slots.py"
DURABLE = "tests/runs/test_durability.py"
FENCE, STOPPING = "tests/runs/test_fence.py", "tests/runs/test_stopping.py"
TREE = "tests/runs/test_process_tree.py"

THE_FENCE: Final = (
    Sabotage(
        "finish forgets that the attempt must be running",
        FINISH,
        "WHERE a.uuid = p_token AND a.state = 'running';\n    GET",
        "WHERE a.uuid = p_token;\n    GET",
        (f"{RULES}::TestFence",),
    ),
    Sabotage(
        "finish ignores that no row was changed",
        FINISH,
        "IF v_rows <> 1 THEN\n        RETURN",
        "IF v_rows > 1 THEN\n        RETURN",
        (f"{RULES}::TestFence",),
    ),
    Sabotage(
        "finish keeps the outputs of what failed",
        FINISH,
        "IF p_outputs IS NOT NULL AND p_state = 'succeeded' THEN",
        "IF p_outputs IS NOT NULL THEN",
        (FENCE,),
    ),
    Sabotage(
        "a kind adds its part although the attempt is lost",
        PROTOCOL,
        "        if not _hold(token):",
        "        if False:",
        (FENCE,),
    ),
    Sabotage(
        "a task may have two running attempts",
        A_GUARD,
        "CREATE UNIQUE INDEX attempt_running_once ON attempt (task_run_id) WHERE state = 'running'",
        "DROP INDEX attempt_running_once",
        (GUARDS,),
    ),
    Sabotage(
        "a finished attempt may change",
        A_GUARD,
        "ALTER TABLE attempt ENABLE TRIGGER ended_stays",
        "ALTER TABLE attempt DISABLE TRIGGER ended_stays",
        (GUARDS,),
    ),
    Sabotage(
        "a lost lease may come back",
        A_GUARD,
        "ALTER TABLE worker_lease ENABLE TRIGGER ended_stays",
        "ALTER TABLE worker_lease DISABLE TRIGGER ended_stays",
        (GUARDS,),
    ),
    Sabotage(
        "a task may move as anybody likes",
        A_GUARD,
        "ALTER TABLE task_run ENABLE TRIGGER task_run_state_moves",
        "ALTER TABLE task_run DISABLE TRIGGER task_run_state_moves",
        (f"{RULES}::TestFence",),
    ),
    Sabotage(
        "an edge may lead into another run",
        A_GUARD,
        "ALTER TABLE task_edge ENABLE TRIGGER task_edge_within_run",
        "ALTER TABLE task_edge DISABLE TRIGGER task_edge_within_run",
        (GUARDS,),
    ),
    Sabotage(
        "one key starts two runs",
        A_GUARD,
        "ALTER TABLE run ADD CONSTRAINT run_idempotent UNIQUE (team_id, idempotency_key)",
        "ALTER TABLE run DROP CONSTRAINT run_idempotent",
        (GUARDS,),
    ),
)

RETRIES: Final = (
    Sabotage(
        "a lost attempt uses up a retry",
        FINISH,
        "CASE WHEN v_to = 'retry_wait' AND p_state = 'failed'\n",
        "CASE WHEN v_to = 'retry_wait'\n",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "an attempt that is handed back counts as lost",
        FINISH,
        "CASE WHEN (p_state = 'lost' AND p_reason <> 'drained')",
        "CASE WHEN (p_state = 'lost')",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "a poison task is tried four times",
        FINISH,
        "p_task.lost + 1 >= 3",
        "p_task.lost + 1 >= 4",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "retries have no jitter",
        FINISH,
        "v_bound * coalesce(p_draw, random())",
        "v_bound * 1.0",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "pauses between retries do not grow",
        FINISH,
        "least(v_n - 1, 64)",
        "least(0, 64)",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "pauses between retries have no end",
        FINISH,
        "least(coalesce((p_task.retries ->> 'cap')::float8, 300),",
        "least(1e9,",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "a retry does not wait for its time",
        FINISH,
        "due := p_now + engine_seconds(v_bound);",
        "due := p_now;",
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "whatever goes wrong is tried again",
        FINISH,
        '\'["error", "exit", "timeout", "transient"]\') ? p_reason) THEN',
        '\'["error", "exit", "timeout", "transient"]\') ? \'error\') THEN',
        (f"{RULES}::TestRetries",),
    ),
    Sabotage(
        "what is being cancelled is tried again",
        FINISH,
        "ELSIF p_run_state = 'cancelling' THEN",
        "ELSIF false THEN",
        (GOING,),
    ),
    Sabotage(
        "the event of a retry is not counted",
        FINISH,
        "UPDATE run SET last_seq = v_seq WHERE id = v_run.id;",
        "PERFORM v_seq;",
        (f"{RULES}::TestRetries",),
    ),
)

CLAIMS: Final = (
    Sabotage(
        "a lapsed lease may claim",
        CLAIM,
        "l.state = 'live' AND l.expires_at > v_now;\n    IF NOT FOUND",
        "l.state = 'live';\n    IF NOT FOUND",
        (f"{RULES}::TestFence",),
    ),
    Sabotage(
        "a worker that drains is given more",
        CLAIM,
        "l.state = 'live' AND l.expires_at > v_now;\n    IF NOT FOUND",
        "l.state IN ('live', 'draining') AND l.expires_at > v_now;\n    IF NOT FOUND",
        (f"{SLOTS}::TestDraining",),
    ),
    Sabotage(
        "a paused queue is served",
        CLAIM,
        "OR (q.paused_at IS NOT NULL AND",
        "OR (q.paused_at IS NULL AND",
        (f"{RULES}::TestPause",),
    ),
    Sabotage(
        "a paused run is served",
        ORDER,
        "WHERE r.paused_at IS NOT NULL AND",
        "WHERE r.paused_at IS NULL AND",
        (f"{RULES}::TestPause",),
    ),
    Sabotage(
        "a pause that is over still holds",
        ORDER,
        "AND (r.paused_until IS NULL OR r.paused_until > p_now)\n",
        "\n",
        (STOPPING,),
    ),
    Sabotage(
        "a claim does not look past a wide run that somebody holds",
        CLAIM,
        "FOR v_round IN 1..4 LOOP",
        "FOR v_round IN 1..1 LOOP",
        ("tests/runs/test_interleavings.py::test_a_claim_looks_past_a_wide_run_that_somebody_holds",),
    ),
    Sabotage(
        "slots are not freed",
        FINISH,
        "v_freed := engine_free(v_attempt.id, p_state = 'lost' AND p_reason = 'lease');",
        "v_freed := '{}';",
        (f"{SLOTS}::TestHolding",),
    ),
    Sabotage(
        "a short finish that frees a slot does not wait for the disk",
        FINISH,
        "AND v_task.needs = '{}' AND v_task.kind NOT IN",
        "AND v_task.kind NOT IN",
        (f"{SLOTS}::TestDurability",),
    ),
    Sabotage(
        "a finish that acts on the outside does not wait for the disk",
        FINISH,
        "v_task.kind NOT IN ('register', 'deploy') THEN",
        "true THEN",
        (DURABLE,),
    ),
    Sabotage(
        "the end of a run does not wait for the disk",
        FINISH,
        "AND NOT (v_result ->> 'closed')::boolean",
        "AND true",
        (DURABLE,),
    ),
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
        "    IF p_open = 0 THEN",
        "    IF p_open <= 1 THEN",
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

SABOTAGES: Final = (*THE_FENCE, *RETRIES, *CLAIMS, *JUDGING, *PEOPLE, *AROUND)
