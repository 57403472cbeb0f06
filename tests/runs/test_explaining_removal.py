"""What an explanation names is what keeps a task from starting: all of it, and nothing else.

Situations of every kind are made of real rows. In each, taking away all that is named makes a worker get the
task; leaving any one of them keeps the task where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from pipelines.access import Rights
from pipelines.clock import EngineNow
from pipelines.models import Pipeline
from runs import explaining, protocol
from runs.models import Queue, Run, TaskRun, WorkerLease
from tests.runs.factories import Hands, make_run, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

AGAIN = {"retries": {"limit": 1, "base": 60.0, "jitter": "none"}}
AT_ONCE = {"retries": {"limit": 1, "base": 0.0}}
ELSEWHERE = {"queue": "gpu"}
# What the task waits for in its run -> the graph, what its tasks are like, the task, what is named.
IN_ITS_RUN: dict[str, tuple[str, dict[str, Any], str, set[str]]] = {
    "nothing": ("t", {}, "t", set()),
    "a task": ("up > t", {"up": ELSEWHERE}, "t", {"tasks"}),
    "its group": ("up > g, g/t", {"up": ELSEWHERE}, "g/t", {"scope"}),
    "both": ("up > g, in > g/t, g > end", {"up": ELSEWHERE, "in": ELSEWHERE}, "g/t", {"tasks", "scope"}),
    "its time": ("t", {"t": AGAIN}, "t", {"retry"}),
    "a retry that is due": ("t", {"t": AT_ONCE}, "t", set()),
}
CREWS: dict[str, str] = {
    "free": "",
    "none": "no-workers",
    "draining": "no-workers",
    "silent": "no-workers",
    "level": "isolation",
    "trouble": "workers-in-trouble",
    "busy": "workers-busy",
}
PAUSES: list[set[str]] = [set(), {"run", "queue"}, {"pipeline"}]


class Situation:
    """A task, what it waits for in its run, what is paused, and who serves its queue."""

    def __init__(self, waits_for: str, paused: set[str], crew: str) -> None:
        graph, tasks, self.key, named = IN_ITS_RUN[waits_for]
        self.asker = make_user()
        self.run = make_run(graph, tasks=tasks, owner=self.asker)
        elsewhere = Hands("gpu")
        while elsewhere.claim():
            pass
        if "retries" in tasks.get(self.key, {}):
            self._fail_once()
        self.busy = Hands()
        self._engage(crew)
        # What others carry out; ending it in what is undone later must not forget it.
        self.works = {**elsewhere.held, **self.busy.held}
        self._pause(paused)
        due = not named
        self.expected = named | {f"{what}-paused" for what in paused}
        if CREWS[crew] and (due or crew != "busy"):
            self.expected.add(CREWS[crew])

    def _fail_once(self) -> None:
        first = Hands()
        assert first.claim() == self.key
        first.end(self.key, "failed")
        protocol.move_lease(first.lease.uuid, ("live",), "closed")

    def _engage(self, crew: str) -> None:
        lease = WorkerLease.objects.filter(pk=self.busy.lease.pk)
        if crew == "none":
            lease.update(state="closed")
        elif crew == "draining":
            lease.update(state="draining")
        elif crew == "silent":
            lease.update(expires_at=EngineNow())
        elif crew == "level":
            Queue.objects.filter(slug="cpu").update(isolation="own user")
        elif crew == "trouble":
            lease.update(labels={"trouble": "Its disk is full."})
        elif crew == "busy":
            self._occupy()

    def _occupy(self) -> None:
        """The worker has a task of another run, which came first."""
        task = TaskRun.objects.filter(run=self.run, key=self.key)
        Queue.objects.filter(slug="cpu").update(paused_at=None)
        other = make_run("other")
        TaskRun.objects.filter(run=other).update(priority=3)
        assert self.busy.claim() == "other"
        assert task.get().state != "running"

    def _pause(self, paused: set[str]) -> None:
        rows: dict[str, Any] = {
            "run": Run.objects.filter(pk=self.run.pk),
            "pipeline": Pipeline.objects.filter(pk=self.run.pipeline_id),
            "queue": Queue.objects.filter(slug="cpu"),
        }
        for what in paused:
            rows[what].update(paused_at=EngineNow(), paused_reason="for the test")

    def explain(self) -> explaining.Explanation:
        task = TaskRun.objects.get(run=self.run, key=self.key)
        return explaining.explain(task.pk, Rights(self.asker))

    def named(self) -> set[str]:
        return {str(blocker.code) for blocker in self.explain().blockers}

    def starts(self) -> bool:
        """Does any worker that takes tasks get this one? Nothing of it stays."""
        leases = WorkerLease.objects.filter(queue="cpu", state="live", expires_at__gt=EngineNow())
        free = leases.exclude(labels__has_key="trouble").exclude(attempts__state="running")
        return any(self._given(lease) for lease in free)

    def _given(self, lease: WorkerLease) -> bool:
        with undone():
            work = protocol.claim(lease.uuid, "cpu")
            return work is not None and work.task["key"] == self.key and work.run["id"] == self.run.pk

    # What a person, a machine or time does about each of them.

    def end(self, key: str) -> None:
        assert not protocol.finish(self.works[key].token, protocol.Outcome("succeeded")).fenced

    def end_tasks_before(self) -> None:
        """Those that are named, and no others."""
        (blocker,) = [blocker for blocker in self.explain().blockers if blocker.code == "tasks"]
        for link in blocker.links:
            self.end(link.name)

    def begin_scope(self) -> None:
        self.end("up")

    def go_on(self, *rows: Any) -> None:
        for each in rows:
            each.update(paused_at=None)

    def free_the_worker(self, named: set[str]) -> None:
        """While the task waited for something else, whoever was busy has ended what they had."""
        if "other" in self.works and "workers-busy" not in named:
            self.end("other")

    def remove(self, code: str) -> None:
        lease = WorkerLease.objects.filter(pk=self.busy.lease.pk)
        removals: dict[str, Callable[[], object]] = {
            "tasks": self.end_tasks_before,
            "scope": self.begin_scope,
            "retry": lambda: protocol.retry_now(
                TaskRun.objects.get(run=self.run, key=self.key).pk, actor=self.asker
            ),
            "run-paused": lambda: self.go_on(Run.objects.filter(pk=self.run.pk)),
            "pipeline-paused": lambda: self.go_on(Pipeline.objects.filter(pk=self.run.pipeline_id)),
            "queue-paused": lambda: self.go_on(Queue.objects.filter(slug="cpu")),
            "no-workers": Hands,
            "isolation": lambda: Queue.objects.filter(slug="cpu").update(isolation="shared user"),
            "workers-in-trouble": lambda: lease.update(labels={}),
            "workers-busy": lambda: self.end("other"),
        }
        removals[code]()


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("crew", CREWS)
@pytest.mark.parametrize("waits_for", IN_ITS_RUN)
def test_a_task_starts_when_all_that_is_named_has_gone_and_not_before(waits_for: str, crew: str) -> None:
    for paused in PAUSES:
        with undone():
            situation = Situation(waits_for, paused, crew)
            named = situation.named()
            assert named == situation.expected, (waits_for, paused, crew)
            assert situation.starts() is not bool(named), (waits_for, paused, crew)
            for kept in sorted(named):
                with undone():
                    for code in sorted(named - {kept}):
                        situation.remove(code)
                    situation.free_the_worker(named)
                    assert not situation.starts(), (kept, named)
                    assert kept in situation.named()
            for code in sorted(named):
                situation.remove(code)
            situation.free_the_worker(named)
            assert situation.starts(), named
            assert situation.named() == set()
