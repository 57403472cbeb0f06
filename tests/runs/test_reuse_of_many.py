"""Reuse in runs of many tasks: decided in batches, beyond the start of the run, with few statements each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipelines.models import PipelineVersion
from runs import invariants, judging, protocol, reruns, transitions
from runs.models import Attempt, AttemptOutput, Reuse, Run, TaskRun
from runs.protocol import Rerun
from runs.reuse import stored
from tests.planning import analyze
from tests.runs.factories import Hands, make_user, make_version, state_line
from tests.runs.test_interleavings import in_threads
from tests.runs.test_reuse import CACHED, start, surroundings, work_off
from tests.runs.trials import until

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Generous: the start plants the graph and decides about 20 tasks; a wave takes about seven statements.
MOST_IN_START = 300
MOST_FOR_A_WAVE = 12


@pytest.fixture(autouse=True)
def nothing_believed() -> Iterator[None]:
    stored._there.clear()
    yield
    stored._there.clear()


def entry(reads: str = "") -> dict[str, Any]:
    values = {"rows": {"ref": "tasks", "task": reads, "output": "result"}} if reads else {}
    return {"with": values, "outputs": [{"name": "result", "type": "number"}]}


def chain_of(count: int) -> PipelineVersion:
    """Every task reads the one before."""
    tasks = {f"t{n}": entry(f"t{n - 1}" if n else "") for n in range(count)}
    return make_version(", ".join(f"t{n} > t{n + 1}" for n in range(count - 1)), tasks=tasks)


def wide_of(count: int) -> PipelineVersion:
    """One task that all others read."""
    tasks = {"first": entry(), **{f"t{n}": entry("first") for n in range(count - 1)}}
    return make_version(", ".join(f"first > t{n}" for n in range(count - 1)), tasks=tasks)


def done(version: PipelineVersion, **given: Any) -> Run:
    run = start(version)
    judging.catch_up()
    output = {"name": "result", "type": "number", "value": 7, **given}
    told = surroundings()
    analyze("run", "task_run", "task_edge", "task", "edge")
    while not Run.objects.filter(pk=run.pk, state="succeeded").exists():
        hands = Hands()  # another one before the lease of the last has lapsed
        for _ in range(25):
            if (key := hands.claim()) is not None:
                hands.end(key, outputs=[output], provenance=told)
        analyze("task_run", "attempt", "attempt_output")
    return run


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def assert_all_reused(run: Run, count: int) -> None:
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert TaskRun.objects.filter(run=run, state="succeeded", reason="reused").count() == count
    assert Reuse.objects.filter(task_run__run=run).count() == count
    assert not Attempt.objects.filter(run=run).exists()
    assert judging.undecided() == []
    analyze("run", "task_run", "task_reuse", "attempt", "attempt_output")
    assert invariants.check_all() == {}


def test_a_rerun_of_a_thousand_tasks_begins_at_once_and_is_decided_in_batches() -> None:
    old = done(wide_of(1000))
    assert statements(lambda: start(old.version, Rerun(old))) < MOST_IN_START
    again = Run.objects.latest("id")
    assert again.state == "running"
    assert judging.undecided() == [again.pk]
    batches = 1000 / judging.BATCH
    assert statements(judging.catch_up) < 2 * MOST_FOR_A_WAVE * batches
    assert_all_reused(again, 1000)


def test_one_task_after_the_other_takes_few_statements_for_each() -> None:
    old = done(chain_of(150))
    assert statements(lambda: start(old.version, Rerun(old))) < MOST_IN_START
    assert statements(judging.catch_up) < 150 * MOST_FOR_A_WAVE
    assert_all_reused(Run.objects.latest("id"), 150)


def test_whoever_goes_on_after_a_crash_decides_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    old = done(wide_of(60))
    monkeypatch.setattr(judging, "BATCH", 20)
    again = start(old.version, Rerun(old))
    assert judging.decide_some(again.pk)
    assert 0 < TaskRun.objects.filter(run=again, state="pending").count() < 60
    judging.catch_up()
    assert_all_reused(again, 60)


def test_what_differs_begins_when_its_turn_comes() -> None:
    old = done(wide_of(60))
    fresh = frozenset({"t50", "t51"})
    again = start(old.version, Rerun(old, fresh))
    judging.catch_up()
    assert sorted(work_off()) == ["t50", "t51"]
    again.refresh_from_db()
    assert again.state == "succeeded"
    assert invariants.check_all() == {}


def test_a_cancelled_run_has_nothing_to_decide() -> None:
    old = done(wide_of(60))
    again = start(old.version, Rerun(old))
    assert protocol.cancel_run(again.pk, actor=make_user())
    assert judging.undecided() == []
    assert not judging.decide_some(again.pk)
    again.refresh_from_db()
    assert (again.state, invariants.check_all()) == ("cancelled", {})


def test_what_is_inside_a_scope_that_has_not_begun_is_not_decided() -> None:
    run = start(make_version("gate > g, g/a", tasks={"g/a": CACHED}))
    assert not judging.decide_some(run.pk)
    assert state_line(run) == "gate=ready g=pending g/a=pending"


def test_a_plain_run_leaves_nothing_to_decide_and_looking_for_it_reads_an_index_of_such_tasks() -> None:
    run = start(wide_of(60))
    assert not run.has_conditions
    assert judging.undecided() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + judging.UNDECIDED)
        assert "task_run_undecided" in "\n".join(row[0] for row in cursor.fetchall())


def test_the_store_is_asked_for_many_results_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = {f"t{n}": {**entry(), **CACHED, "with": {"place": {"lit": n}}} for n in range(60)}
    version = make_version(", ".join(tasks), tasks=tasks)
    done(version, value=None, sha256="a" * 64, address="file:///nowhere", size=1)
    asked: list[int] = []

    def answer(keys: dict[int, str], patience: float) -> None:
        asked.append(len(keys))
        stored._there.update(dict.fromkeys(keys, (float("inf"), True)))

    monkeypatch.setattr(stored, "ask_store", answer)
    again = start(version)
    judging.catch_up()
    assert asked == [judging.AT_ONCE, 60 - judging.AT_ONCE]
    assert_all_reused(again, 60)


def equal_runs(count: int) -> PipelineVersion:
    """A version that has run once, with results whose bytes the store must be asked about."""
    tasks = {f"t{n}": {**entry(), **CACHED, "with": {"place": {"lit": n}}} for n in range(count)}
    version = make_version(", ".join(tasks), tasks=tasks)
    done(version, value=None, sha256="a" * 64, address="file:///nowhere", size=1)
    return version


def slow_store(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A store that has everything, and takes all the time for one answer; what it was asked for."""
    asked: list[int] = []

    def is_there(store: object, output: AttemptOutput, *_: object) -> bool:
        asked.append(output.pk)
        return True

    monkeypatch.setattr(stored, "_is_there", is_there)
    monkeypatch.setattr(stored, "PATIENCE", 0.0)
    return asked


def test_within_somebody_elses_transaction_the_store_is_not_asked_but_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = equal_runs(3)
    with monkeypatch.context() as during:
        during.setattr(transitions, "within_another", lambda: True)
        during.setattr(stored, "ask_store", lambda *_: pytest.fail("asked while locks are held"))
        again = start(version)
    assert judging.undecided() == [again.pk]
    monkeypatch.setattr(stored, "_is_there", lambda *_: True)
    judging.catch_up()
    assert_all_reused(again, 3)


def test_a_store_that_is_too_slow_to_ask_keeps_no_run_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    version = equal_runs(30)
    asked = slow_store(monkeypatch)
    again = start(version)
    assert len(asked) == transitions.QUESTIONS, "one answer for each question"
    assert judging.undecided() == [again.pk]
    judging.catch_up()
    assert_all_reused(again, 30)


def test_a_plan_waits_a_few_seconds_for_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Run.objects.get(version=equal_runs(30))
    asked = slow_store(monkeypatch)
    assert len(reruns.plan(reruns.wish(old))) == 30
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_decide_at_once_decide_everything_once() -> None:
    old = done(wide_of(200))
    again = start(old.version, Rerun(old))
    in_threads(judging.catch_up, judging.catch_up)
    assert_all_reused(again, 200)


@pytest.mark.django_db(transaction=True)
def test_the_sweep_decides_what_nobody_else_did() -> None:
    old = done(chain_of(40))
    again = start(old.version, Rerun(old))
    assert again.state == "running"
    judging.sweep()
    until(lambda: Run.objects.get(pk=again.pk).state == "succeeded", 20, "the run has ended")
    until(lambda: not judging._sweeping.locked(), 20, "the thread has ended")
    assert_all_reused(again, 40)
