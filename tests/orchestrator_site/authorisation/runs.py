"""Who may call the addresses of ``runs``, and who may open and use the live socket."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from pipelines.models import CodeLocation
from runs import pausing, quarantine, queues
from runs.models import Attempt, Environment, Quarantine, Queue, Run, TaskRun
from tests.orchestrator_site.authorisation.base import (
    EDITOR,
    MARK,
    NOBODY,
    ROLES,
    RUNNERS,
    Line,
    World,
    lent,
    listed,
    seen,
)
from tests.runs import making
from tests.runs.making import task

APPROVER = frozenset({"approver"})
OPERATOR = frozenset({"operator"})
WHY = {"reason": "Data is late."}
RUN = "/api/v1/runs/{run}/"
STEP = "/api/v1/task-runs/{step}/"
ATTEMPT = "/api/v1/attempts/{attempt}/"
ENVIRONMENT = "/api/v1/environments/{environment}/"


def prepare(world: World) -> None:
    """One run that failed; one in which a step waits for a person, one for its retry, and one runs."""
    retries = {**making.NO_RETRIES, "limit": 1, "base": 60.0, "jitter": "none"}
    tasks = [task("again", retries=retries), task("busy"), task("ask", "approval")]
    lease = making.make_lease()
    failing = making.make_version(world.team, world.editor, [task("only", title=MARK)], name=f"{MARK}-failed")
    failed = making.start(failing, world.editor)
    making.perform(lease, failing=["only"])
    attempt = Attempt.objects.get(run=failed)
    making.say(attempt, f"{MARK}\n".encode())
    version = making.make_version(world.team, world.editor, tasks, name=f"{MARK}-open")
    world.lend(version.pipeline, "run")
    open_run = making.start(version, world.editor)
    making.finish(making.claim(lease), "failed", "error", cause=MARK)
    making.claim(lease)
    world.names |= {
        "start": version.pipeline.name,
        "failed": str(failed.uuid),
        "run": str(open_run.uuid),
        "pipeline": str(version.pipeline.uuid),
        "attempt": str(attempt.uuid),
        **{key: str(step(open_run, key)) for key in ("again", "busy", "ask")},
        "step": str(step(failed, "only")),
        "environment": str(environment(world)),
        "worker": str(making.make_lease().uuid),
        "quarantine": str(quarantined(world)),
    }
    pause(world)


def pause(world: World) -> None:
    """A run, its pipeline and a queue that are paused."""
    version = making.make_version(world.team, world.editor, [task("later")], name=f"{MARK}-paused")
    run, why = making.start(version, world.editor), pausing.Pause(MARK)
    pausing.pause_run(run.pk, why, actor=world.editor)
    pausing.pause_pipeline(version.pipeline, why, actor=world.editor)
    queues.pause(Queue.objects.get(slug="gpu"), reason="New disks", actor=world.people["site admin"])
    world.names |= {"paused": str(run.uuid), "held": version.pipeline.name}


def quarantined(world: World) -> object:
    """A task of the team that took its workers with it."""
    version = making.make_version(world.team, world.editor, [task("held")], name=f"{MARK}-held")
    run = making.start(version, world.editor)
    with transaction.atomic():
        quarantine.put(TaskRun.objects.get(run=run).pk)
    return Quarantine.objects.get(task_run__run=run).uuid


def environment(world: World) -> object:
    """The failed environment of the team's code location."""
    snapshot = CodeLocation.objects.get(uuid=world.names["location"]).last_snapshot
    assert snapshot is not None
    # It is there already where the commit of the location was seen, as in the tests of the socket.
    made, _ = Environment.objects.update_or_create(
        {"state": "failed", "problem": MARK, "log": MARK},
        lock_sha256=snapshot.lock_sha256,
        wanted=snapshot.python,
    )
    return made.uuid


def step(run: Run, key: str) -> object:
    return TaskRun.objects.get(run=run, key=key).uuid


LINES: dict[tuple[str, str], Line] = {
    ("api/v1/pipelines/<str:name>/runs/", "POST"): Line(
        "/api/v1/pipelines/alpha:{start}/runs/", RUNNERS, 201, "run", {}, borrower=201
    ),
    ("api/v1/runs/", "GET"): listed("/api/v1/runs/"),
    ("api/v1/runs/<str:run_id>/", "GET"): lent(RUN),
    ("api/v1/runs/<str:run_id>/tasks/", "GET"): lent(f"{RUN}tasks/"),
    ("api/v1/runs/<str:run_id>/events/", "GET"): lent(f"{RUN}events/"),
    ("api/v1/runs/<str:run_id>/resume-plan/", "GET"): lent(f"{RUN}resume-plan/"),
    ("api/v1/runs/<str:run_id>/resume/", "POST"): Line("/api/v1/runs/{failed}/resume/", RUNNERS, scope="run"),
    ("api/v1/runs/<str:run_id>/rerun-plan/", "POST"): Line(
        f"{RUN}rerun-plan/", RUNNERS, scope="run", body={}, borrower=200
    ),
    ("api/v1/runs/<str:run_id>/rerun/", "POST"): Line(f"{RUN}rerun/", RUNNERS, 201, "run", {}, borrower=201),
    ("api/v1/runs/<str:run_id>/cancel/", "POST"): Line(f"{RUN}cancel/", RUNNERS, scope="run", borrower=403),
    ("api/v1/runs/<str:run_id>/pause/", "POST"): Line(
        f"{RUN}pause/", OPERATOR, scope="run", body=WHY, borrower=403
    ),
    ("api/v1/runs/<str:run_id>/unpause/", "POST"): Line(
        "/api/v1/runs/{paused}/unpause/", OPERATOR, scope="run"
    ),
    ("api/v1/pipelines/<str:name>/pause/", "POST"): Line(
        "/api/v1/pipelines/alpha:{start}/pause/", OPERATOR, scope="run", body=WHY, borrower=403
    ),
    ("api/v1/pipelines/<str:name>/unpause/", "POST"): Line(
        "/api/v1/pipelines/alpha:{held}/unpause/", OPERATOR, scope="run"
    ),
    ("api/v1/task-runs/<str:task_run_id>/", "GET"): seen(STEP),
    ("api/v1/task-runs/<str:task_run_id>/reuse/", "GET"): seen(f"{STEP}reuse/"),
    ("api/v1/task-runs/<str:task_run_id>/explain/", "GET"): seen(f"{STEP}explain/"),
    # A decision is a person's in their role: being site admin is none.
    ("api/v1/task-runs/<str:task_run_id>/approve/", "POST"): Line(
        "/api/v1/task-runs/{ask}/approve/", APPROVER, scope="approve", body={}, site_admin=403, borrower=403
    ),
    ("api/v1/task-runs/<str:task_run_id>/reject/", "POST"): Line(
        "/api/v1/task-runs/{ask}/reject/", APPROVER, scope="approve", body={}, site_admin=403, borrower=403
    ),
    ("api/v1/task-runs/<str:task_run_id>/retry/", "POST"): Line(
        "/api/v1/task-runs/{again}/retry/", RUNNERS, scope="run", borrower=403
    ),
    ("api/v1/attempts/<str:attempt_id>/log/", "GET"): seen(f"{ATTEMPT}log/"),
    ("api/v1/attempts/<str:attempt_id>/log/download", "GET"): seen(f"{ATTEMPT}log/download"),
    ("api/v1/environments/", "GET"): listed("/api/v1/environments/"),
    ("api/v1/environments/<str:environment_id>/", "GET"): lent(ENVIRONMENT),
    ("api/v1/environments/<str:environment_id>/log/", "GET"): lent(f"{ENVIRONMENT}log/"),
    # Whoever may sync the code may have what it needs built.
    ("api/v1/environments/<str:environment_id>/build/", "POST"): Line(
        f"{ENVIRONMENT}build/", EDITOR | {"admin"}, scope="edit", borrower=403
    ),
    ("api/v1/teams/<str:slug>/limits/", "GET"): seen("/api/v1/teams/alpha/limits/"),
    ("api/v1/teams/<str:slug>/limits/", "PUT"): Line(
        "/api/v1/teams/alpha/limits/", NOBODY, scope="manage", body={}, site_admin=200
    ),
    ("api/v1/quarantines/", "GET"): listed("/api/v1/quarantines/"),
    ("api/v1/quarantines/<str:quarantine_id>/lift/", "POST"): Line(
        "/api/v1/quarantines/{quarantine}/lift/", OPERATOR, scope="run", body={"comment": "looked at it"}
    ),
    # Things of the site: everybody who is signed in sees that they are there.
    ("api/v1/queues/", "GET"): listed("/api/v1/queues/"),
    ("api/v1/queues/<str:slug>/pause/", "POST"): Line(
        "/api/v1/queues/cpu/pause/", NOBODY, 200, "manage", WHY, stranger=403, site_admin=200
    ),
    ("api/v1/queues/<str:slug>/unpause/", "POST"): Line(
        "/api/v1/queues/gpu/unpause/", NOBODY, scope="manage", stranger=403, site_admin=200
    ),
    ("api/v1/workers/", "GET"): listed("/api/v1/workers/"),
    ("api/v1/workers/<str:worker_id>/drain/", "POST"): Line(
        "/api/v1/workers/{worker}/drain/", NOBODY, scope="manage", stranger=403, site_admin=200
    ),
    ("api/v1/slots/", "GET"): listed("/api/v1/slots/"),
    ("api/v1/slots/pools/<str:kind>/", "PUT"): Line(
        "/api/v1/slots/pools/licence/", NOBODY, 200, "manage", {"units": 1}, stranger=403, site_admin=200
    ),
}

# The live socket. Whoever is not named cannot open it: it takes a session, and a token is none.
MAY_OPEN: Final = (*ROLES, "stranger", "borrower", "site admin")
# (verb, kind, name of the id) -> what those who opened it hear.
VERBS: Final = {
    ("subscribe", "run", "run"): {"stranger": "not-found"},
    ("subscribe", "pipeline", "pipeline"): {"stranger": "not-found"},
    ("subscribe", "fleet", "*"): {},
    ("unsubscribe", "run", "run"): {},
    ("unsubscribe", "pipeline", "pipeline"): {},
    ("unsubscribe", "fleet", "*"): {},
}
