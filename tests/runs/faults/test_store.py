"""The store is full, or away: tasks end with `infrastructure` and are tried again, elsewhere or later."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from pipelines.clock import EngineNow
from runs import queries
from runs.models import Attempt, Run, TaskRun
from runs.worker import fitness
from tests.runs.faults.bench import QUEUE, Bench, TestStation, shell, told
from tests.runs.trials import until
from tests.s3 import KEYS, S3Server, s3_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MIB = 1024 * 1024
OUTPUT = "head -c 8M /dev/zero > outputs/big"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "ASK_EVERY", 0.3)


@pytest.fixture
def small_store(bench: Bench, tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """A store on a disk of 12 MiB, with a ballast of 6 MiB on it."""
    folder = tmp_path / "store"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("Only root can mount a small disk here: a full store is not tested.")
    (folder / "ballast").write_bytes(bytes(6 * MIB))
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "STORE": str(folder), "FREE_DISK_MIB": 4}
    yield folder
    bench.close()
    bench.stations.clear()
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def s3(bench: Bench, tmp_path: Path, settings: LazySettings) -> Iterator[S3Server]:
    """A store in S3, with the server that holds it."""
    with s3_server() as server:
        settings.ORCHESTRATOR = {
            **settings.ORCHESTRATOR,
            "STORE": server.address(),
            "STORE_CACHE": tmp_path / "cache",
            "STORE_ACCESS_KEY": KEYS["access_key"],
            "STORE_SECRET_KEY": KEYS["secret_key"],
        }
        yield server


def troubles(station: TestStation) -> list[str]:
    """What the page of the queue says of its workers, once the station's heart has beaten."""
    station.fitness.tell(station.lease)
    return queries.queue_loads([QUEUE])[QUEUE].troubles


def attempts(run: Run) -> list[tuple[str, str]]:
    return [(each.state, each.reason) for each in Attempt.objects.filter(run=run).order_by("no")]


def serve(station: TestStation, until_: Callable[[], bool], seconds: float = 20.0) -> None:
    """Ring again and again, as the sweep does, retries without a pause."""
    deadline = time.monotonic() + seconds
    while not until_():
        assert time.monotonic() < deadline, "not in time"
        TaskRun.objects.filter(state="retry_wait").update(ready_at=EngineNow())
        station.serve(QUEUE)
        time.sleep(0.05)


def test_an_output_that_does_not_fit_the_store_is_made_again_by_another_worker(
    bench: Bench, small_store: Path
) -> None:
    first, second = bench.station, TestStation(QUEUE)
    bench.stations.append(second)
    run = bench.start(shell(OUTPUT, big="file"))
    first.serve(QUEUE)
    assert attempts(run) == [("failed", "infrastructure")]
    assert "no space is left in" in told(run).words
    assert list((small_store / "tmp").iterdir()) == []
    assert troubles(first) == [fitness.MODESTY]
    (small_store / "ballast").unlink()
    # The first is asked first and leaves it to the other.
    TaskRun.objects.filter(run=run).update(ready_at=EngineNow())
    first.serve(QUEUE)
    assert len(attempts(run)) == 1
    second.serve(QUEUE)
    result = told(run)
    assert (result.last.state, result.last.lease.uuid) == ("succeeded", second.lease)
    assert result.task.retries_used == 0
    until(lambda: not first.fitness.trouble(), 5.0, "the first worker is fit again")


def test_a_worker_on_a_full_disk_claims_nothing_and_says_so(bench: Bench, small_store: Path) -> None:
    (small_store / "more").write_bytes(bytes(3 * MIB))
    run = bench.start(shell("echo hello"))
    bench.station.serve(QUEUE)
    assert attempts(run) == []
    (sentence,) = troubles(bench.station)
    assert sentence.startswith(
        f"Its disk is full: {small_store} has 3 MiB left, and at least 4 MiB must be free"
    )
    (small_store / "more").unlink()
    bench.station.serve(QUEUE)
    assert attempts(run) == [("succeeded", "")]
    assert troubles(bench.station) == []


def test_a_store_that_goes_away_in_the_middle_of_a_task_costs_one_attempt(bench: Bench, s3: S3Server) -> None:
    run = bench.start(shell("sleep 1; echo made > outputs/made", made="file"))
    with bench.serving():
        until(lambda: bool(attempts(run)), 10.0, "the task runs")
        s3.stop()
    assert attempts(run) == [("failed", "infrastructure")]
    assert "its outputs could not be stored: the store s3://" in told(run).words
    until(lambda: "cannot be used" in bench.station.fitness.trouble(), 15.0, "the worker noticed")
    (sentence,) = troubles(bench.station)
    assert sentence.startswith("The store cannot be used: the store s3://orchestrator-tests/store at http://")
    TaskRun.objects.filter(run=run).update(ready_at=EngineNow())
    for _ in range(5):
        bench.station.serve(QUEUE)
    assert len(attempts(run)) == 1, "while the store is away no attempt is wasted"
    s3.start()
    serve(bench.station, lambda: attempts(run)[-1] == ("succeeded", ""))
    assert told(run).task.lost == 1
    assert troubles(bench.station) == []


def test_an_input_that_cannot_be_fetched_is_the_fault_of_nobody_s_code(
    bench: Bench, s3: S3Server, settings: LazySettings, tmp_path: Path
) -> None:
    made = bench.run(shell("echo made > outputs/result", result="file"))
    assert made.task.state == "succeeded", made.words
    digest = made.outputs["result"].sha256
    bench.station.requests.store.release()
    for copy in (tmp_path / "cache" / "files").iterdir():
        copy.unlink()
    s3.stop()
    with pytest.raises(Exception, match="the bytes of input data could not be fetched") as caught:
        bench.station.requests._input(
            {
                "attempt_output_id": 1,
                "type": "file",
                "sha256": digest,
                "media_type": "application/octet-stream",
                "meta": {},
            },
            "data",
        )
    assert getattr(caught.value, "reason", "") == "infrastructure"
