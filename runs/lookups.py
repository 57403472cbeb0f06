"""What the room below is told about queues and runs (``pipelines.lookups``)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery

from pipelines import access
from pipelines.lookups import lookups
from pipelines.models import Pipeline, Team
from runs.models import Attempt, Quarantine, Queue, Run, Slot, TaskRun, WorkerLease

# One look into the index (pipeline, -id) for each pipeline of a page.
_LAST_RUNS = """
SELECT p.id, r.uuid, r.number, r.state, r.created_at, r.started_at, r.finished_at
FROM unnest(%s::bigint[]) AS p(id)
CROSS JOIN LATERAL (SELECT * FROM run WHERE pipeline_id = p.id ORDER BY id DESC LIMIT %s) r
ORDER BY p.id, r.id DESC
"""
_COLUMNS = ("id", "number", "state", "created_at", "started_at", "finished_at")
_ENVIRONMENTS = """
SELECT s.id, e.uuid, e.state, e.progress, e.problem, e.problem_code, e.preload_problems
FROM code_snapshot s JOIN environment e ON e.lock_sha256 = s.lock_sha256 AND e.wanted = s.python
WHERE s.id = ANY(%s)
"""
_ENVIRONMENT = ("id", "state", "progress", "problem", "problem_code", "preload_problems")


def register() -> None:
    access.open_to_everyone(Queue)
    access.open_to_everyone(WorkerLease)
    access.open_to_everyone(Slot)
    # Whoever is lent a pipeline sees its runs too, with their logs.
    access.part_of(Run, "pipeline")
    access.part_of(TaskRun, "run__pipeline")
    access.part_of(Attempt, "run__pipeline")
    access.part_of(Quarantine, "version__pipeline")
    lookups.queues = queues
    lookups.last_runs = last_runs
    lookups.in_state = in_state
    lookups.environments = environments
    lookups.slots = slots


def queues(team: Team) -> dict[str, str]:
    """The queues that tasks of a team may name, those of the site -> the image of their containers, or ""."""
    return dict(Queue.objects.filter(archived_at=None).values_list("slug", "image"))


def slots() -> dict[str, int]:
    """Kind -> the most units that one place has: a machine, or the pool; one query."""
    places = Slot.objects.filter(withdrawn_at=None).order_by().values_list("kind", "host")
    found: dict[str, int] = {}
    for kind, _, units in places.annotate(units=Count("id")):
        found[kind] = max(units, found.get(kind, 0))
    return found


def last_runs(pipeline_ids: Iterable[int], limit: int) -> dict[int, list[dict[str, Any]]]:
    """Pipeline id -> its newest runs, the newest first, at most ``limit`` each; one query."""
    found: dict[int, list[dict[str, Any]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST_RUNS, [list(pipeline_ids), limit])
        for pipeline_id, *values in cursor.fetchall():
            found.setdefault(pipeline_id, []).append(dict(zip(_COLUMNS, values, strict=True)))
    return found


def environments(snapshot_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Code snapshot id -> how the environment of its lock file is doing; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_ENVIRONMENTS, [list(snapshot_ids)])
        # JSON comes as text from a cursor of one's own.
        return {
            snapshot_id: dict(zip(_ENVIRONMENT, (*values, json.loads(problems)), strict=True))
            for snapshot_id, *values, problems in cursor.fetchall()
        }


def in_state(pipelines: QuerySet[Pipeline], state: str) -> QuerySet[Pipeline]:
    """Those whose newest run is in ``state``."""
    newest = Run.objects.filter(pipeline=OuterRef("pk")).order_by("-id").values("state")[:1]
    return pipelines.alias(newest_state=Subquery(newest)).filter(newest_state=state)
