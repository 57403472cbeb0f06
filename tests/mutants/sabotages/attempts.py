"""Sabotages of what holds for each attempt: its fence, its retries, and who is given it."""

from __future__ import annotations

from typing import Final

from tests.mutants.sabotage import Sabotage
from tests.mutants.sabotages.places import (
    A_GUARD,
    CLAIM,
    DURABLE,
    FENCE,
    FINISH,
    GOING,
    GUARDS,
    ORDER,
    PROTOCOL,
    RULES,
    SLOTS,
    STOPPING,
)

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
