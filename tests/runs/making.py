"""Runs of a given person in a given team, and what a worker does with them, verb by verb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.models import PipelineVersion, Team, User
from runs import protocol
from runs.models import Attempt, LogChunk, Run, WorkerLease
from tests.runs import factories
from tests.runs.factories import NO_RETRIES as NO_RETRIES
from tests.runs.factories import make_lease as make_lease
from tests.runs.factories import states as states

CONFIGS: dict[str, dict[str, Any]] = {
    "shell": {"run": "true"},
    "approval": {"by": ["approver"], "deadline": None, "requester_may_approve": False},
    "group": {"outputs": {}},
}


def task(key: str, kind: str = "shell", **fields: Any) -> dict[str, Any]:
    """A task's entry in the canonical JSON; ``fields`` replace the defaults."""
    defaults = {"kind": kind, "timeout": None, "config": dict(CONFIGS.get(kind, {}))}
    return factories.task_entry(key, **{**defaults, **fields})


def make_version(
    team: Team,
    owner: User,
    tasks: Sequence[dict[str, Any]],
    edges: Sequence[tuple[str, ...]] = (),
    **given: Any,
) -> PipelineVersion:
    """A published, active version of a new pipeline. ``edges`` are (up, down) or (up, down, rule)."""
    whole = [(up, down, rule) for up, down, rule in ((*edge, "success")[:3] for edge in edges)]
    return factories.publish(team, owner, tasks, whole, **given)


def start(version: PipelineVersion, user: User, **fields: Any) -> Run:
    """A run of the version, asked for by ``user``."""
    fields.setdefault("parameters", {})
    return protocol.start_run(version, trigger="manual", requested_by=user, **fields)


def claim(lease: WorkerLease) -> protocol.Work:
    """The next task of the lease's queue; there must be one."""
    work = protocol.claim(lease.uuid, lease.queue)
    assert work is not None, "nothing is runnable"
    return work


def finish(work: protocol.Work, state: str = "succeeded", reason: str = "", **fields: Any) -> None:
    """Settle an attempt as its worker would."""
    finished = protocol.finish(work.token, protocol.Outcome(state, reason, **fields))
    assert not finished.fenced


def perform(lease: WorkerLease, failing: Sequence[str] = (), **fields: Any) -> list[str]:
    """Carry out whatever becomes runnable; tasks in ``failing`` fail. Returns the keys in their order."""
    done = []
    while (work := protocol.claim(lease.uuid, lease.queue)) is not None:
        key = work.task["key"]
        if key in failing:
            finish(work, "failed", "error", **{"cause": "ValueError: bad", **fields})
        else:
            finish(work)
        done.append(key)
    return done


def say(attempt: Attempt, *bodies: bytes) -> None:
    """Append chunks to the log of an attempt, numbered as the worker numbers them."""
    seq = LogChunk.objects.filter(run_id=attempt.run_id, attempt_id=attempt.pk).count()
    line = sum(
        bytes(body).count(b"\n")
        for body in LogChunk.objects.filter(run_id=attempt.run_id, attempt_id=attempt.pk).values_list(
            "body", flat=True
        )
    )
    for body in bodies:
        lines = body.count(b"\n")
        LogChunk.objects.create(
            run_id=attempt.run_id, attempt_id=attempt.pk, seq=seq, first_line=line, lines=lines, body=body
        )
        seq, line = seq + 1, line + lines
