"""What the schema itself forbids: whoever asks, and however, PostgreSQL says no."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from runs import protocol
from runs.models import Attempt, LogChunk, RunEvent, TaskEdge, TaskRun, WorkerLease
from tests.runs.factories import Hands, make_run, make_user, make_version

pytestmark = pytest.mark.django_db


def refused(sql: str, *arguments: Any) -> str:
    """What PostgreSQL says to a statement that it must refuse."""
    with pytest.raises(DatabaseError) as said, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, arguments)
    return str(said.value)


COPY_OF_ATTEMPT = """
    INSERT INTO attempt (uuid, team_id, run_id, task_run_id, lease_id, no, resume_no, state, reason, cause,
        isolation, started_at, code_sha256, environment_sha256, cache_key, dropped_bytes)
    SELECT gen_random_uuid(), team_id, run_id, task_run_id, lease_id, no + 1, 0, state, '', '', isolation,
        started_at, '', '', '', 0 FROM attempt WHERE id = %s
"""


def test_a_task_has_at_most_one_running_attempt() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    assert "attempt_running_once" in refused(COPY_OF_ATTEMPT, Attempt.objects.get(run=run).pk)


def test_a_key_starts_at_most_one_run_of_a_team() -> None:
    version = make_version("a")
    for key in ("one", "two"):
        protocol.start_run(version, parameters={}, trigger="api", requested_by=None, idempotency_key=key)
    assert "run_idempotent" in refused("UPDATE run SET idempotency_key = 'one'")


def test_a_task_stands_in_a_run_once() -> None:
    run = make_run("a, b")
    assert "task_run_key_once" in refused("UPDATE task_run SET key = 'a' WHERE run_id = %s", run.pk)


def test_an_edge_stays_within_its_run() -> None:
    one, two = (TaskRun.objects.get(run=make_run("a")) for _ in range(2))
    sql = "INSERT INTO task_edge (run_id, up_id, down_id, rule, data) VALUES (%s, %s, %s, 'success', false)"
    assert "two different tasks of one run" in refused(sql, one.run_id, one.pk, two.pk)


@pytest.mark.parametrize("state", ["lost", "closed"])
def test_a_lease_that_has_ended_never_comes_back(state: str) -> None:
    lease = Hands().lease
    assert protocol.move_lease(lease.uuid, ["live"], state)
    assert "has ended" in refused("UPDATE worker_lease SET expires_at = now() WHERE id = %s", lease.pk)
    assert refused("UPDATE worker_lease SET state = 'live' WHERE id = %s", lease.pk)
    assert WorkerLease.objects.get(pk=lease.pk).state == state


def test_a_lease_without_an_end_is_refused() -> None:
    assert "expires_at" in refused(
        "UPDATE worker_lease SET expires_at = NULL WHERE id = %s", Hands().lease.pk
    )


def ended_attempt() -> Attempt:
    run, hands = make_run("a > b"), Hands()
    hands.claim()
    hands.end("a", outputs=[{"name": "n", "type": "number", "value": 1}])
    return Attempt.objects.get(run=run)


def test_a_finished_attempt_never_changes() -> None:
    attempt = ended_attempt()
    for sql in ("UPDATE attempt SET reason = 'error' WHERE id = %s", "DELETE FROM attempt WHERE id = %s"):
        assert refused(sql, attempt.pk)


def test_outputs_events_edges_and_logs_never_change() -> None:
    attempt = ended_attempt()
    LogChunk.objects.create(
        run_id=attempt.run_id, attempt_id=attempt.pk, seq=0, first_line=0, lines=1, body=b"x\n"
    )
    assert RunEvent.objects.filter(run_id=attempt.run_id).exists()
    assert TaskEdge.objects.filter(run_id=attempt.run_id).exists()
    for table, column in (
        ("attempt_output", "type"),
        ("run_event", "reason"),
        ("task_edge", "rule"),
        ("log_chunk", "seq"),
    ):
        assert refused(f"UPDATE {table} SET {column} = {column}"), table
        assert refused(f"DELETE FROM {table}"), table


SAME_OUTPUT = """
    INSERT INTO attempt_output
        (uuid, attempt_id, name, position, type, sha256, address, size, media_type, meta)
    SELECT gen_random_uuid(), attempt_id, name, position, type, '', '', 0, '', '{}' FROM attempt_output
"""
OTHER_DECISION = """
    INSERT INTO approval
        (uuid, task_run_id, resume_no, decision, decided_by_id, role, was_requester, comment, digest)
    SELECT gen_random_uuid(), task_run_id, resume_no, 'rejected', decided_by_id, role, false, '', digest
    FROM approval
"""
SAME_CHORE = """
    INSERT INTO chore (kind, key, payload, state, attempts, error) VALUES ('k', 'x', '{}', 'waiting', 0, '')
"""


def test_an_attempt_gives_each_output_once() -> None:
    ended_attempt()
    assert "unique" in refused(SAME_OUTPUT)


def test_a_task_is_decided_once_in_a_resume() -> None:
    ask = {"kind": "approval", "config": {"by": ["approver"], "deadline": None}}
    task = TaskRun.objects.get(run=make_run("ok", tasks={"ok": ask}))
    protocol.decide(task.pk, "approved", actor=make_user(), role="approver", comment="")
    assert "approval_once" in refused(OTHER_DECISION)
    assert refused("UPDATE approval SET decision = 'rejected'")


def test_of_a_chore_at_most_one_is_live() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SAME_CHORE)
    assert "chore_live_once" in refused(SAME_CHORE)


def test_a_queue_has_a_name_of_its_own() -> None:
    make_version("a")
    assert "queue" in refused("UPDATE queue SET slug = 'cpu' WHERE slug = 'gpu'")


def test_a_published_version_never_changes() -> None:
    version = make_version("a")
    assert refused("UPDATE pipeline_version SET text = 'other' WHERE id = %s", version.pk)
