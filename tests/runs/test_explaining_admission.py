"""Why a run is queued, said of its tasks: what goes before it, and what is in quarantine."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipelines.access import Rights
from pipelines.models import PipelineVersion
from runs import admission, explaining, protocol, quarantine
from runs.explaining import Blocker
from runs.models import Quarantine, Run, TaskRun
from tests.factories import Cast, make_cast
from tests.runs.factories import Hands, make_version
from tests.runs.test_explaining_removal import undone
from tests.runs.test_quarantine import lose

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def version(cast: Cast) -> PipelineVersion:
    return make_version("a > b", team=cast.team, owner=cast.alice, overlap="queue")


def start(version: PipelineVersion, cast: Cast) -> Run:
    return protocol.start_run(version, parameters={}, trigger="manual", requested_by=cast.alice)


def blockers(run: Run, key: str, cast: Cast) -> list[Blocker]:
    task = TaskRun.objects.get(run=run, key=key)
    return list(explaining.explain(task.pk, Rights(cast.bob)).blockers)


def codes(run: Run, key: str, cast: Cast) -> list[str]:
    return [str(blocker.code) for blocker in blockers(run, key, cast)]


def cancel(run: Run, cast: Cast) -> None:
    """The run ends, and whoever waits for it is let in, as after a commit."""
    protocol.cancel_run(run.pk, actor=cast.alice)
    admission.sweep()


def begins(cast: Cast, run: Run) -> bool:
    """Would a worker get the first task of the run? Nothing of it stays."""
    with undone():
        Hands().work_off()
        return TaskRun.objects.filter(run=run, key="a").exclude(state="pending").exists()


def test_a_task_of_a_queued_run_names_the_runs_before_it(cast: Cast, version: PipelineVersion) -> None:
    first, second, third = (start(version, cast) for _ in range(3))
    Hands("gpu")
    blocker = blockers(third, "a", cast)[0]
    assert blocker.code == "overlap"
    assert blocker.words == (
        "Its run waits for run 1 (running) and run 2 (queued) to end, as the pipeline's `overlap` says."
    )
    assert [(link.href, link.name) for link in blocker.links] == [
        (f"/runs/{first.uuid}", "run 1"),
        (f"/runs/{second.uuid}", "run 2"),
    ]
    assert blocker.since == third.created_at


def test_it_begins_when_those_have_ended_and_not_before(cast: Cast, version: PipelineVersion) -> None:
    first, second, third = (start(version, cast) for _ in range(3))
    Hands()
    assert codes(third, "a", cast) == ["overlap"]
    assert codes(third, "b", cast) == ["overlap", "tasks"]
    for kept, gone in ((first, second), (second, first)):
        with undone():
            cancel(gone, cast)
            assert codes(third, "a", cast) == ["overlap"]
            assert f"run {kept.number}" in blockers(third, "a", cast)[0].words
            assert TaskRun.objects.get(run=third, key="a").state == "pending"
    cancel(first, cast)
    cancel(second, cast)
    assert codes(third, "a", cast) == []
    assert TaskRun.objects.get(run=third, key="a").state == "ready"


def test_a_queued_run_waits_for_a_pause_as_well(cast: Cast, version: PipelineVersion) -> None:
    first, second = start(version, cast), start(version, cast)
    Hands()
    Run.objects.filter(pk=second.pk).update(paused_at=first.created_at)
    assert codes(second, "a", cast) == ["overlap", "run-paused"]


@pytest.fixture
def poisoned(cast: Cast, version: PipelineVersion) -> tuple[Run, Run]:
    """A run that was lost three times, and one of the same version that was queued behind it."""
    first = start(version, cast)
    second = start(version, cast)
    for _ in range(3):
        lose("a")
    return first, second


def test_a_quarantine_is_named_with_the_run_that_caused_it(cast: Cast, poisoned: tuple[Run, Run]) -> None:
    first, second = poisoned
    Hands()
    (blocker,) = blockers(second, "a", cast)
    assert blocker.code == "quarantine"
    assert blocker.words == (
        "Its run does not begin: a is in quarantine: in run #1 it was lost with its worker three times."
    )
    assert blocker.links[0].href == f"/runs/{first.uuid}?task=a"
    assert "have an operator lift the quarantine" in blocker.remedy


def test_it_begins_when_the_quarantine_is_lifted(cast: Cast, poisoned: tuple[Run, Run]) -> None:
    _, second = poisoned
    Hands()
    admission.sweep()
    assert codes(second, "a", cast) == ["quarantine"]
    quarantine.lift(Quarantine.objects.get(), "mended", actor=cast.alice)
    admission.sweep()
    assert codes(second, "a", cast) == []
    assert begins(cast, second)


def test_a_run_in_quarantine_is_in_nobodys_way(cast: Cast) -> None:
    apart = {"b": {"queue": "gpu"}}
    version = make_version("a, b", team=cast.team, owner=cast.alice, overlap="queue", tasks=apart)
    start(version, cast)
    start(version, cast)
    last = protocol.start_run(version, parameters={}, trigger="manual", requested_by=cast.alice, only=["b"])
    for _ in range(3):
        lose("a")
    Hands("gpu")
    assert blockers(last, "b", cast)[0].words == (
        "Its run waits for run 1 (running) to end, as the pipeline's `overlap` says."
    )
    Hands("gpu").work_off()
    admission.sweep()
    assert codes(last, "b", cast) == []


def test_many_runs_before_it_cost_what_one_does(cast: Cast, version: PipelineVersion) -> None:
    def cost(run: Run) -> int:
        task = TaskRun.objects.get(run=run, key="a")
        with CaptureQueriesContext(connection) as seen:
            explaining.explain(task.pk, Rights(cast.bob))
        return len(seen)

    start(version, cast)
    few = cost(start(version, cast))
    for _ in range(20):
        last: Any = start(version, cast)
    assert cost(last) == few
    assert blockers(last, "a", cast)[0].words.endswith(
        "and 16 more to end, as the pipeline's `overlap` says."
    )
