"""Versions and runs for engine tests, written straight as rows: a graph in one line, no document needed.

``make_version("a > b, a > c, b > d, c > d")``; ``a >? b`` runs b on failure of a, ``a >* b`` at any end.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

from django.db import connection

from pipelines.models import Edge, Pipeline, PipelineVersion, Task, Team, User
from runs import protocol
from runs.models import Queue, Run, TaskRun, WorkerLease
from tests.factories import make_team as make_team

_numbers = itertools.count(1)
RULES = {">": "success", ">?": "failure", ">*": "always"}
NO_RETRIES = {
    "limit": 0,
    "base": 5.0,
    "factor": 2.0,
    "cap": 300.0,
    "jitter": "full",
    "on": ["error", "exit", "timeout", "transient"],
}


def make_user(username: str = "") -> User:
    username = username or f"person-{next(_numbers)}"
    return User.objects.create_user(username=username, email=f"{username}@example.org", password=None)


def task_entry(key: str, **given: Any) -> dict[str, Any]:
    """One task of a canonical spec, with defaults applied."""
    parent, _, name = key.rpartition("/")
    entry: dict[str, Any] = {
        "key": key,
        "name": name,
        "parent": parent or None,
        "kind": "python",
        "title": "",
        "description": "",
        "queue": "cpu",
        "timeout": 3600.0,
        "retries": dict(NO_RETRIES),
        "resources": {"memory": None, "gpu": 0},
        "start": "warm",
        "when": None,
        "with": {},
        "inputs": [],
        "outputs": [],
        "config": {"source": "def task():\n    pass\n"},
    }
    given["retries"] = {**NO_RETRIES, **given.get("retries", {})}
    return {**entry, **given}


def read_graph(graph: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    """The keys in order of appearance, and the edges (up, down, rule)."""
    keys: dict[str, None] = {}
    edges = []
    for part in (part.strip() for part in graph.split(",")):
        words = re.split(r"\s+", part)
        for key in words[::2]:
            for depth in range(1, key.count("/") + 2):
                keys.setdefault("/".join(key.split("/")[:depth]))
        for up, arrow, down in zip(words[::2], words[1::2], words[2::2], strict=False):
            edges.append((up, down, RULES[arrow]))
    return list(keys), edges


def make_version(
    graph: str,
    *,
    team: Team | None = None,
    owner: User | None = None,
    tasks: dict[str, dict[str, Any]] | None = None,
    **given: Any,
) -> PipelineVersion:
    """A published version of ``graph``; ``tasks`` overrides entries by key. What holds others is a group.

    ``given``: as of :func:`publish`.
    """
    for slug in ("cpu", "gpu"):
        Queue.objects.get_or_create(slug=slug)
    keys, edges = read_graph(graph)
    scopes = {key.rpartition("/")[0] for key in keys} - {""}
    entries = []
    for key in keys:
        entry = dict((tasks or {}).get(key, {}))
        if key in scopes:
            entry = {"kind": "group", "config": {"outputs": {}}, **entry}
        entries.append(task_entry(key, **entry))
    return publish(team or make_team(), owner or make_user(), entries, edges, **given)


def publish(
    team: Team,
    owner: User,
    entries: Sequence[dict[str, Any]],
    edges: Sequence[tuple[str, str, str]] = (),
    *,
    name: str = "",
    text: str = "",
    **fields: Any,
) -> PipelineVersion:
    """A published, active version of a new pipeline. ``edges``: (up, down, rule); ``fields`` of the spec."""
    name = name or f"pipeline-{next(_numbers)}"
    spec: dict[str, Any] = {
        "schema": "orchestrator/v1",
        "name": name,
        "title": name,
        "description": "",
        "parameters": {},
        "triggers": {},
        "overlap": None,
        "priority": "normal",
        "code": None,
        "tasks": list(entries),
        "edges": [{"up": up, "down": down, "rule": rule, "data": False} for up, down, rule in edges],
        **fields,
    }
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    pipeline = Pipeline.objects.create(team=team, name=name, title=name.title(), owner=owner)
    version = PipelineVersion.objects.create(
        pipeline=pipeline,
        number=1,
        text=text or (f"overlap: {spec['overlap']}\n" if spec["overlap"] else name),
        text_sha256=digest,
        spec=spec,
        spec_sha256=digest,
        created_by=owner,
    )
    rows: dict[str, Task] = {}
    for position, entry in enumerate(entries):
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
        Edge(version=version, up=rows[up], down=rows[down], rule=rule) for up, down, rule in edges
    )
    Pipeline.objects.filter(pk=pipeline.pk).update(active_version=version, last_version_number=1)
    pipeline.refresh_from_db()
    version.pipeline = pipeline
    return version


COPIES = """
    INSERT INTO task_run SELECT copy.* FROM task_run t, generate_series(2, %s) n,
    jsonb_populate_record(t, jsonb_build_object(
        'id', nextval((SELECT pg_get_serial_sequence('task_run', 'id'))),
        'uuid', gen_random_uuid(), 'key', 'copy-' || n)
    ) copy WHERE t.run_id = %s
"""


def widen(run: Run, tasks: int) -> None:
    """So many tasks of a run like the only one that it has."""
    with connection.cursor() as cursor:
        cursor.execute(COPIES, [tasks, run.pk])
        cursor.execute("UPDATE run SET open_tasks = %s WHERE id = %s", [tasks, run.pk])


def make_run(graph: str, *, parameters: dict[str, Any] | None = None, **given: Any) -> Run:
    """A started run of ``graph``."""
    version = make_version(graph, **given)
    owner = version.created_by
    return protocol.start_run(version, parameters=parameters or {}, trigger="manual", requested_by=owner)


def make_lease(queue: str = "cpu") -> WorkerLease:
    return protocol.open_lease(f"worker-{next(_numbers)}", queue, 1)


def states(run: Run) -> dict[str, str]:
    """The state of each task of a run by key."""
    return dict(TaskRun.objects.filter(run=run).values_list("key", "state"))


def state_line(run: Run) -> str:
    """``a=succeeded b=ready``, in order of the graph."""
    return " ".join(
        f"{key}={state}"
        for key, state in TaskRun.objects.filter(run=run).order_by("id").values_list("key", "state")
    )


class Hands:
    """A worker by hand: claims on one queue and ends what it claimed, without processes."""

    def __init__(self, queue: str = "cpu") -> None:
        self.queue = queue
        self.lease = make_lease(queue)
        self.held: dict[str, protocol.Work] = {}

    def claim(self) -> str | None:
        """The key of the claimed task, or None."""
        work = protocol.claim(self.lease.uuid, self.queue)
        return self._hold(work)

    def _hold(self, work: protocol.Work | None) -> str | None:
        if work is None:
            return None
        self.held[work.task["key"]] = work
        return str(work.task["key"])

    def end(
        self, key: str, state: str = "succeeded", reason: str = "", *, claim_next: bool = False, **given: Any
    ) -> protocol.Finished:
        """End a held task; a failure without a reason is an error."""
        work = self.held.pop(key)
        reason = reason or ("error" if state == "failed" else "")
        outcome = protocol.Outcome(state, reason, given.pop("cause", ""), **given)
        finished = protocol.finish(
            work.token, outcome, work=work, lease=self.lease.uuid, queue=self.queue, claim_next=claim_next
        )
        self._hold(finished.next)
        return finished

    def work_off(self, fail: dict[str, str] | None = None) -> list[str]:
        """Claim and end until nothing is runnable, those in ``fail`` as failed; the order of claims."""
        order = []
        while (key := self.claim()) is not None:
            order.append(key)
            reason = (fail or {}).get(key)
            self.end(key, "failed" if reason else "succeeded", reason or "")
        return order
