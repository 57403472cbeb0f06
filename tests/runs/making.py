"""Runs for tests, and hands that do a worker's part through the engine's own verbs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

from pipelines.models import Edge, Pipeline, PipelineVersion, Task, Team, User
from runs import protocol
from runs.models import Attempt, LogChunk, Run, TaskRun, WorkerLease

_numbers = count(1)
NO_RETRIES = {
    "limit": 0,
    "base": 5.0,
    "factor": 2.0,
    "cap": 300.0,
    "jitter": "full",
    "on": ["error", "exit", "timeout", "transient"],
}


def task(key: str, kind: str = "shell", **fields: Any) -> dict[str, Any]:
    """A task's entry in the canonical JSON; ``fields`` replace the defaults."""
    parent = key.rpartition("/")[0] or None
    config: dict[str, Any] = {"run": "true"} if kind == "shell" else {}
    if kind == "approval":
        config = {"by": ["approver"], "deadline": None, "requester_may_approve": False}
    if kind == "group":
        config = {"outputs": {}}
    return {
        "key": key,
        "name": key.rpartition("/")[2],
        "parent": parent,
        "kind": kind,
        "title": "",
        "description": "",
        "queue": "cpu",
        "timeout": None,
        "retries": NO_RETRIES,
        "resources": {"memory": None, "gpu": 0},
        "start": "warm",
        "when": None,
        "with": {},
        "inputs": [],
        "outputs": [],
        "config": config,
        **fields,
    }


def make_version(
    team: Team,
    owner: User,
    tasks: Sequence[dict[str, Any]],
    edges: Sequence[tuple[str, ...]] = (),
    *,
    name: str = "",
    **fields: Any,
) -> PipelineVersion:
    """A published, active version of a new pipeline. ``edges`` are (up, down) or (up, down, rule)."""
    name = name or f"made-{next(_numbers)}"
    whole = [(*edge, "success")[:3] for edge in edges]
    spec = {
        "schema": "orchestrator/v1",
        "name": name,
        "title": name,
        "description": "",
        "parameters": {},
        "triggers": {},
        "overlap": None,
        "priority": "normal",
        "code": None,
        "tasks": list(tasks),
        "edges": [{"up": up, "down": down, "rule": rule, "data": False} for up, down, rule in whole],
        **fields,
    }
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    pipeline = Pipeline.objects.create(team=team, name=name, title=name.title(), owner=owner)
    version = PipelineVersion.objects.create(
        pipeline=pipeline,
        number=1,
        text=name,
        text_sha256=digest,
        spec=spec,
        spec_sha256=digest,
        created_by=owner,
    )
    rows: dict[str, Task] = {}
    for position, entry in enumerate(tasks):
        rows[entry["key"]] = Task.objects.create(
            version=version,
            key=entry["key"],
            parent=rows.get(entry["parent"] or ""),
            position=position,
            kind=entry["kind"],
            queue=entry["queue"],
            spec=entry,
        )
    Edge.objects.bulk_create(
        Edge(version=version, up=rows[up], down=rows[down], rule=rule) for up, down, rule in whole
    )
    Pipeline.objects.filter(pk=pipeline.pk).update(active_version=version, last_version_number=1)
    pipeline.refresh_from_db()
    version.pipeline = pipeline
    return version


def start(version: PipelineVersion, user: User, **fields: Any) -> Run:
    """A run of the version, asked for by ``user``."""
    fields.setdefault("parameters", {})
    return protocol.start_run(version, trigger="manual", requested_by=user, **fields)


def make_lease(queue: str = "cpu") -> WorkerLease:
    """A live worker of a queue."""
    return protocol.open_lease(f"{queue}-{next(_numbers)}", queue, 1000)


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


def states(run: Run) -> dict[str, str]:
    """Key -> state of the run's steps."""
    return dict(TaskRun.objects.filter(run=run).values_list("key", "state"))
