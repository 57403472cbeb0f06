"""What takes long before a task begins, and chores: nobody is deaf, nothing goes on for ever."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from runs import chores, protocol
from runs.environments import building
from runs.models import Chore
from runs.worker import execution, outputs
from runs.worker.requests import Code, Requests
from tests.runs.faults.bench import Bench, ends, python, shell, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[threading.Event]:
    """Tasks of a code location whose environment is built until the event is set."""
    built = threading.Event()

    def build(*_: object, **__: object) -> str:
        assert built.wait(30)
        return sys.executable

    code = Code("0" * 64, "1" * 64, "requirements.lock", (), "")
    monkeypatch.setattr(Requests, "_code", lambda *_: code)
    monkeypatch.setattr(Requests, "_checkout", lambda *_: tmp_path)
    monkeypatch.setattr(building, "interpreter", build)
    yield built
    built.set()


def test_a_task_can_be_cancelled_while_its_environment_is_built(
    bench: Bench, slow_build: threading.Event
) -> None:
    run = bench.start(python("def main() -> None: ...\n"))
    with bench.serving():
        bench.begins(run)
        time.sleep(0.3)
        assert protocol.cancel_run(run.pk, actor=bench.user)
        took = ends(run, 10)
    assert took < 7  # the next beat at the latest
    ended = told(run)
    assert (ended.last.state, ended.last.cause) == ("cancelled", "it was cancelled before it began")
    slow_build.set()
    bench.still_works()


@pytest.fixture
def slow_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Outputs are stored until the event is set."""
    stored, store_all = threading.Event(), outputs.store_all

    def store(*given: Any) -> Any:
        assert stored.wait(30)
        return store_all(*given)

    monkeypatch.setattr(outputs, "store_all", store)
    yield stored
    stored.set()


def test_a_task_can_be_cancelled_while_its_outputs_are_stored(
    bench: Bench, slow_store: threading.Event
) -> None:
    run = bench.start(shell("echo hello > outputs/page; echo written", page="file"))
    with bench.serving():
        bench.begins(run)
        time.sleep(1.0)
        assert protocol.cancel_run(run.pk, actor=bench.user)
        took = ends(run, 10)
    assert took < 7  # the next beat at the latest
    ended = told(run)
    assert (ended.last.state, ended.last.cause) == ("cancelled", "it was cancelled")
    slow_store.set()
    bench.still_works()


def test_the_time_of_storing_outputs_is_not_that_of_the_task(
    bench: Bench, slow_store: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "POSTPONE_EVERY", 0.2)
    run = bench.start({**shell("echo hello > outputs/page", page="file"), "timeout": 2.0})
    with bench.serving():
        bench.begins(run)
        time.sleep(2.5)
        attempt = told(run).last
        assert attempt.timeout_at is not None
        assert attempt.timeout_at > timezone.now()
        slow_store.set()
        ends(run, 10)
    assert told(run).task.state == "succeeded"


def test_a_worker_that_is_stopped_hands_back_what_waits_for_an_environment(
    bench: Bench, slow_build: threading.Event
) -> None:
    run = bench.start(python("def main() -> None: ...\n"))
    station = bench.station
    station.drain_timeout = 0.0
    with bench.serving():
        bench.begins(run)
        station.drain()
    ended = told(run)
    assert (ended.last.state, ended.last.reason) == ("lost", "drained")


def test_the_time_that_an_environment_takes_is_not_the_tasks(
    bench: Bench, slow_build: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "POSTPONE_EVERY", 0.2)
    run = bench.start({**python("def main() -> None: ...\n"), "timeout": 1.0})
    with bench.serving():
        bench.begins(run)
        bench.station.execution.ask_to_stop("timeout")  # type: ignore[union-attr]
        time.sleep(1.5)
        slow_build.set()
    assert told(run).task.state == "succeeded", told(run).words
    attempt = told(run).last
    assert attempt.timeout_at is not None
    assert (attempt.timeout_at - attempt.started_at).total_seconds() > 2.0


def vanish(chore: Chore) -> None:
    """Whoever carries out the chore takes it and is never heard of again."""
    with connection.cursor() as cursor:
        cursor.execute(chores.TAKE, [0, chore.pk])
        assert cursor.rowcount == 1
        cursor.execute(
            "UPDATE chore SET taken_until = taken_until - interval '1 s' WHERE id = %s", [chore.pk]
        )


def test_a_chore_that_kills_its_worker_is_dead_after_eight_times() -> None:
    chores.register("deadly", lambda chore: pytest.fail("it was carried out"))
    chores.ask("deadly", "x")
    chore = Chore.objects.get(kind="deadly")
    for _ in range(chores.MOST_ATTEMPTS):
        assert chore.pk in chores.due()
        vanish(chore)
    assert not chores.carry_out(chore.pk)
    chore.refresh_from_db()
    assert (chore.state, chore.attempts) == ("dead", chores.MOST_ATTEMPTS)
    assert "ended in the middle of it, 8 times" in chore.error
    assert chores.due() == []
