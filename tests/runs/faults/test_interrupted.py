"""The watch over an attempt breaks off: nothing of it may go on, and the worker goes on with the next one.

What a watch hears too late, or cannot write, ends nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from runs import protocol
from runs.environments import building
from runs.models import Attempt
from runs.worker import fitness
from runs.worker.execution import Execution
from tests.runs.faults.bench import QUEUE, Bench, Lost, python

SLEEPS = "import time\ndef main() -> None:\n    print('begun', flush=True)\n    time.sleep(60)\n"
QUICK = "def main() -> int:\n    return 7\n"


def test_an_attempt_that_is_not_watched_any_more_is_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(self: Execution, log_end: int) -> bool:
        raise OSError("the watch broke off")

    monkeypatch.setattr(fitness, "ASK_EVERY", 0.05)
    with monkeypatch.context() as patched:
        patched.setattr(Execution, "_read_log", breaks_off)
        told = bench.run(python(SLEEPS))
    assert told.last.reason == "infrastructure"
    bench.still_works()


def test_a_note_on_preload_that_cannot_be_written_costs_no_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(run_id: int, problems: dict[str, str]) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(building, "note_preload", away)
    get = bench.station.zygotes.get
    monkeypatch.setattr(
        bench.station.zygotes, "get", lambda python, preload, **more: get(python, ("not_there",), **more)
    )
    prepare = bench.station.requests.prepare

    def with_preload(*given: object, **more: object) -> object:
        prepared = prepare(*given, **more)  # type: ignore[arg-type]
        prepared.request["preload"] = ("not_there",)
        return prepared

    monkeypatch.setattr(bench.station.requests, "prepare", with_preload)
    told = bench.run(python(QUICK, result="integer"))
    assert told.task.state == "succeeded", told.words
    assert "not_there could not be imported ahead of the task" in told.log
    assert len(told.attempts) == 1


def test_a_worker_that_stood_still_begins_nothing_once_its_lease_has_lapsed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Frozen between the claim and the start, it would run beside whoever was given the task after it."""
    mark = tmp_path / "begun"
    tmp_path.chmod(0o777)
    bench.start(python(f"def main() -> None:\n    open({str(mark)!r}, 'w')\n"))
    station = bench.station
    station.heart.end()
    make_ready = station.requests.prepare

    def stands_still(*given: object, **more: object) -> object:
        prepared = make_ready(*given, **more)  # type: ignore[arg-type]
        protocol.move_lease(station.lease, ("live",), "lost")
        station.heart.last_answer -= 20
        return prepared

    monkeypatch.setattr(station.requests, "prepare", stands_still)
    with pytest.raises(Lost, match="lapsed"):
        station.serve(QUEUE)
    assert not mark.exists()


def test_a_lease_whose_answer_was_read_late_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lasted from the question on, and the worker stood still before it read the answer."""
    station, answers = bench.station, list[Any]([[], None])
    station.heart.end()
    station.heart.last_answer -= 20
    monkeypatch.setattr(station.heart, "ask", lambda: answers.pop(0))
    with pytest.raises(protocol.LeaseLost):
        station.check_lease()


def test_an_answer_from_before_the_claim_stops_nothing(bench: Bench) -> None:
    """The heart asked, the task was claimed, and then the heart was answered."""
    run = bench.start(python("import time\ndef main() -> None:\n    time.sleep(1)\n"))
    with bench.serving():
        bench.begins(run)
        bench.station._compare([])
    assert Attempt.objects.get(run=run).state == "succeeded"
