"""Finished attempts as rows, without an engine: a small pipeline from data to a deployed model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction

from lineage import handlers, recorder
from lineage.models import Endpoint
from pipelines.models import (
    CodeLocation,
    CodeSnapshot,
    Pipeline,
    PipelineVersion,
    Task,
    Team,
    User,
)
from pipelines.store import configured
from runs.kinds import Finishing, Preparing
from runs.models import (
    Approval,
    Attempt,
    AttemptInput,
    AttemptOutput,
    Run,
    RunCode,
    TaskEdge,
    TaskRun,
    WorkerLease,
)

_numbers = count(1)
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
COMMIT = "c0ffee" * 6 + "c0ff"
SNAPSHOT = hashlib.sha256(b"snapshot").hexdigest()
LOCK = hashlib.sha256(b"lock").hexdigest()

PROVENANCE: dict[str, Any] = {
    "python": "3.11.9",
    "implementation": "cpython",
    "packages": [{"name": "numpy", "version": "2.1.0"}, {"name": "scikit-learn", "version": "1.5.2"}],
    "platform": {"system": "Linux", "machine": "x86_64"},
    "hardware": {"cpu": "A processor", "cores": 2, "memory_class": 8, "gpus": [], "gpu_driver": None},
    "metrics": {},
    "seeds": {"random": 7},
    "gaps": [],
}


def ref(task: str, output: str) -> dict[str, str]:
    return {"ref": "tasks", "task": task, "output": output}


def task(key: str, kind: str = "python", up: tuple[str, ...] = (), **spec: Any) -> dict[str, Any]:
    """A task of a spec; ``up`` names what it waits for."""
    base: dict[str, Any] = {
        "key": key,
        "name": key,
        "parent": None,
        "kind": kind,
        "queue": "cpu",
        "with": {},
        "config": {},
    }
    return {**base, **spec, "up": up}


DIGITS = [
    task("ingest", config={"run": "digits:ingest"}),
    task("train", up=("ingest",), config={"run": "digits:train"})
    | {"with": {"table": ref("ingest", "table"), "rate": {"ref": "params.rate"}, "depth": {"lit": 3}}},
    task("evaluate", up=("train",), config={"run": "digits:evaluate"})
    | {"with": {"model": ref("train", "model"), "table": ref("ingest", "table")}},
    task("approve", "approval", up=("evaluate",), config={"by": ["approver"]}),
    task("register", "register", up=("approve", "train", "evaluate"))
    | {
        "with": {
            "model": ref("train", "model"),
            "name": {"lit": "digits"},
            "metrics": ref("evaluate", "metrics"),
        }
    },
    task("deploy", "deploy", up=("register",))
    | {"with": {"model": ref("register", "version"), "endpoint": {"lit": "digits-prod"}}},
]


def make_version(team: Team, tasks: list[dict[str, Any]] | None = None, name: str = "") -> PipelineVersion:
    """A published version with the given tasks, those of the digits by default."""
    name = name or f"digits-{next(_numbers)}"
    tasks = DIGITS if tasks is None else tasks
    pipeline = Pipeline.objects.create(team=team, name=name)
    version = PipelineVersion.objects.create(
        pipeline=pipeline,
        number=1,
        text="",
        text_sha256="0" * 64,
        spec={"name": name, "tasks": [one["key"] for one in tasks]},
        spec_sha256=hashlib.sha256(name.encode()).hexdigest(),
    )
    for position, one in enumerate(tasks):
        Task.objects.create(
            version=version, key=one["key"], position=position, kind=one["kind"], queue="cpu", spec=one
        )
    return version


def make_run(version: PipelineVersion, user: User | None = None, **params: Any) -> Run:
    """A run with all its task runs and edges, and the code its version names."""
    pipeline = version.pipeline
    pipeline.last_run_number += 1
    pipeline.save(update_fields=["last_run_number"])
    run = Run.objects.create(
        team=pipeline.team,
        pipeline=pipeline,
        version=version,
        number=pipeline.last_run_number,
        state="running",
        params=params or {"rate": 0.1},
        requested_by=user,
    )
    rows = {
        one.key: TaskRun.objects.create(
            run=run,
            team=run.team,
            task=one,
            key=one.key,
            kind=one.kind,
            begins_as="ready",
            state="pending",
            queue="cpu",
        )
        for one in version.tasks.all()
    }
    for one in version.tasks.all():
        for up in one.spec.get("up", ()):
            TaskEdge.objects.create(run=run, up=rows[up], down=rows[one.key], rule="success")
    location, _ = CodeLocation.objects.get_or_create(team=pipeline.team, name="demo", address="/demo")
    snapshot, _ = CodeSnapshot.objects.get_or_create(
        location=location, tree_sha256=SNAPSHOT, lock_sha256=LOCK, commit=COMMIT, subject="Train longer"
    )
    RunCode.objects.create(run=run, location=location, snapshot=snapshot, lock_sha256=LOCK)
    return run


def make_lease() -> WorkerLease:
    return WorkerLease.objects.create(
        worker="worker-1", host="host-1", pid=1, queue="cpu", state="live", expires_at=BEGIN
    )


def make_attempt(
    run: Run,
    key: str,
    state: str = "succeeded",
    *,
    outputs: dict[str, Any] | None = None,
    inputs: dict[str, AttemptOutput] | None = None,
    lease: WorkerLease | None = None,
    **fields: Any,
) -> Attempt:
    """A finished attempt. ``outputs``: name -> a JSON value, or bytes, which become a table in the store."""
    task_run = run.task_runs.get(key=key)
    number = task_run.attempts.count() + 1
    defaults: dict[str, Any] = {
        "reason": {"failed": "error", "lost": "lease"}.get(state, ""),
        "started_at": BEGIN + timedelta(minutes=number),
        "finished_at": BEGIN + timedelta(minutes=number, seconds=30),
        "provenance": None if state == "lost" else PROVENANCE,
        "code_sha256": SNAPSHOT,
        "environment_sha256": LOCK,
    }
    attempt = Attempt.objects.create(
        team=run.team,
        run=run,
        task_run=task_run,
        lease=lease or make_lease(),
        no=number,
        state=state,
        **(defaults | fields),
    )
    for name, source in (inputs or {}).items():
        AttemptInput.objects.create(attempt=attempt, name=name, source=source)
    for name, value in (outputs or {}).items():
        make_output(attempt, name, value)
    return attempt


def make_output(attempt: Attempt, name: str, value: Any) -> AttemptOutput:
    """An output of an attempt: bytes in the store, or a small value."""
    if not isinstance(value, bytes):
        return AttemptOutput.objects.create(attempt=attempt, name=name, type="json", value=value)
    digest = hashlib.sha256(value).hexdigest()
    return AttemptOutput.objects.create(
        attempt=attempt,
        name=name,
        type="model" if name == "model" else "table",
        sha256=digest,
        size=len(value),
        address=f"/store/{digest}",
        media_type="application/octet-stream",
        meta={"rows": 1797},
    )


def make_stored(
    team: Team,
    user: User,
    kind: str,
    data: bytes | Path,
    media_type: str = "application/octet-stream",
    filename: str = "",
) -> str:
    """The id of an artifact whose bytes, or whose folder, lie in the store."""
    store = configured.store()
    kept = store.put_folder(data) if isinstance(data, Path) else store.put_bytes(data)
    attempt = make_attempt(make_run(make_version(team), user), "ingest")
    output = AttemptOutput.objects.create(
        attempt=attempt,
        name="result",
        type=kind,
        sha256=kept.sha256,
        size=kept.size,
        address=kept.address,
        media_type=media_type,
        meta={"filename": filename} if filename else {},
    )
    recorder.record_pending()
    return str(output.uuid)


def output_of(attempt: Attempt, name: str) -> AttemptOutput:
    return attempt.outputs.get(name=name)


@dataclass
class Trained:
    """A run up to the point where its model may be registered."""

    run: Run
    ingest: Attempt
    train: Attempt
    evaluate: Attempt
    approval: Approval
    more: dict[str, Attempt] = field(default_factory=dict)

    @property
    def model(self) -> AttemptOutput:
        return output_of(self.train, "model")


def make_trained(version: PipelineVersion, user: User, approver: User | None = None) -> Trained:
    """Ingested, trained, evaluated and approved."""
    run = make_run(version, user)
    ingest = make_attempt(run, "ingest", outputs={"table": b"the digits"})
    table = output_of(ingest, "table")
    model = f"model of run {run.uuid}".encode()
    train = make_attempt(run, "train", outputs={"model": model}, inputs={"table": table})
    evaluate = make_attempt(
        run,
        "evaluate",
        outputs={"metrics": {"accuracy": 0.97}, "accuracy": 0.97},
        inputs={"model": output_of(train, "model"), "table": table},
        provenance=PROVENANCE | {"metrics": {"accuracy": 0.97}},
    )
    return Trained(run, ingest, train, evaluate, approve(run, approver or user))


def approve(run: Run, user: User, decision: str = "approved") -> Approval:
    return Approval.objects.create(
        task_run=run.task_runs.get(key="approve"),
        resume_no=0,
        decision=decision,
        decided_by=user,
        role="approver",
        was_requester=run.requested_by_id == user.pk,
        comment="Looks right.",
        digest=hashlib.sha256(b"shown").hexdigest(),
    )


def finishing(run: Run, key: str, attempt: Attempt, /, **values: Any) -> Finishing:
    """What the engine hands to the handler of a kind while it finishes ``attempt``."""
    return Finishing(
        attempt_id=attempt.pk,
        attempt_uuid=str(attempt.uuid),
        task_run_id=run.task_runs.get(key=key).pk,
        run_id=run.pk,
        team_id=run.team_id,
        kind=key,
        with_values=values,
    )


def preparing(run: Run, key: str, /, **values: Any) -> Preparing:
    """What the engine hands to the preparer of a kind before an attempt."""
    return Preparing(run.pk, run.team_id, key, f"{run.uuid}:{key}:{run.resume_no}", values)


def as_value(output: AttemptOutput) -> dict[str, Any]:
    """An output as an input of the next task."""
    return {
        "type": output.type,
        "sha256": output.sha256,
        "size": output.size,
        "address": output.address,
        "media_type": output.media_type,
        "meta": output.meta,
        "attempt_output_id": output.pk,
    }


def make_endpoint(team: Team, name: str = "digits-prod", stage: str = "demo") -> Endpoint:
    return Endpoint.objects.create(team=team, name=name, stage=stage, address=f"/endpoints/{name}")


def make_registered(made: Trained) -> AttemptOutput:
    """Register the model of a trained run, as the engine would; gives the output ``version``."""
    read = {"model": made.model, "metrics": output_of(made.evaluate, "metrics")}
    attempt = make_attempt(made.run, "register", inputs=read)
    with transaction.atomic():
        (said,) = handlers.register_model(
            finishing(
                made.run,
                "register",
                attempt,
                model=as_value(made.model),
                name="digits",
                metrics=read["metrics"].value,
            )
        )
        output = AttemptOutput.objects.create(attempt=attempt, **said)
    made.more["register"] = attempt
    return output


def make_deployed(made: Trained, endpoint: str = "digits-prod") -> Attempt:
    """Register and deploy the model of a trained run."""
    version = make_registered(made)
    attempt = make_attempt(made.run, "deploy", inputs={"model": version})
    values = {"model": version.value, "endpoint": endpoint}
    values |= handlers.prepare_deploy(preparing(made.run, "deploy", **values))
    with transaction.atomic():
        (said,) = handlers.deploy_model(finishing(made.run, "deploy", attempt, **values))
        AttemptOutput.objects.create(attempt=attempt, **said)
    made.more["deploy"] = attempt
    return attempt
