"""Stopping while tasks run: `up` hands them back in time, and the next start goes on; others end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.orchestrator_site.running import ROOT, folder_for_all
from tests.walks.product import Product, product

# Each starts the whole product twice.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

LONGEST_STOP = 10.0  # seconds
# So that tasks leave marks in a folder of the test.
SHARED = {"ORCHESTRATOR_ISOLATION": "shared user"}
# Takes long when it is tried first, no time when it is tried again.
ONCE_LONG = """\
  slow:
    kind: shell
    run: |
      {before}
      echo tried >> {file}
      [ $(wc -l < {file}) -gt 1 ] || sleep 300
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where tasks leave their marks."""
    found = tmp_path / "ran.txt"
    found.touch()
    found.chmod(0o666)
    return found


def begin(shop: Product, file: Path, before: str = ":") -> str:
    """A run whose only task is at work."""
    run = shop.start(shop.publish(ONCE_LONG.format(before=before, file=file)))
    shop.until(lambda: "tried" in file.read_text(), "the task works", 30, run)
    return run


def times_lost(shop: Product, run: str) -> int:
    """How often the task counts as lost, which is what ends a poisonous one."""
    question = f"from runs.models import TaskRun; print(TaskRun.objects.get(run__uuid='{run}').lost)"
    return int(shop.manage("shell", "--no-imports", "-c", question).strip().splitlines()[-1])


@pytest.mark.parametrize(
    "number, from_terminal", [(signal.SIGINT, True), (signal.SIGTERM, False)], ids=["Ctrl-C", "TERM"]
)
def test_a_task_that_runs_when_up_stops_is_handed_back_and_run_at_the_next_start(
    file: Path, number: signal.Signals, from_terminal: bool
) -> None:
    with folder_for_all() as folder:
        with product(folder / "home", **SHARED) as shop:
            run = begin(shop, file)
            assert shop.up.stop(number, as_from_terminal=from_terminal) < LONGEST_STOP
            assert shop.up.lines[-1] == "Stopped."
        with product(folder / "home", **SHARED) as shop:
            assert shop.wait(run)["state"] == "succeeded"
            attempts = shop.details(run, "slow")["attempts"]
            assert [(each["state"], each["reason"]) for each in attempts] == [
                ("lost", "drained"),
                ("succeeded", ""),
            ]
            assert times_lost(shop, run) == 0


def test_a_second_ctrl_c_ends_patience_and_the_task_still_goes_on_at_the_next_start(file: Path) -> None:
    with folder_for_all() as folder:
        with product(folder / "home", **SHARED) as shop:
            run = begin(shop, file, before="trap '' TERM")
            everybody = shop.up.everybody()
            started = time.monotonic()
            os.killpg(shop.up.process.pid, signal.SIGINT)
            time.sleep(0.5)
            os.killpg(shop.up.process.pid, signal.SIGINT)
            shop.up.process.wait(20)
            assert time.monotonic() - started < 4.0, "it waited for the task's grace"
            _, alive = psutil.wait_procs(everybody, timeout=3)
            assert alive == []
        with product(folder / "home", **SHARED) as shop:
            assert shop.wait(run)["state"] == "succeeded"


@contextmanager
def worker(shop: Product, queue: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--queue", queue], cwd=ROOT, env=shop.environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_elsewhere_finishes_its_task_first_and_takes_no_other(shop: Product) -> None:
    queue = f"apart-{os.getpid()}"
    make = f"from runs import queues; queues.make('{queue}', '', actor=None)"
    shop.manage("shell", "--no-imports", "-c", make)
    tasks = f"""\
  first: {{kind: shell, queue: {queue}, run: "echo begun; sleep 4"}}
  second: {{kind: shell, queue: {queue}, needs: [first], run: "true"}}
"""
    run = shop.start(shop.publish(tasks))
    with worker(shop, queue) as process:
        shop.wait_task(run, "first", "running")
        attempt = shop.details(run, "first")["attempts"][0]["id"]
        shop.until(lambda: "begun" in shop.log(attempt), "the task works", 40, run)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert shop.wait_task(run, "first", "succeeded")["attempt"]["no"] == 1
    assert shop.tasks(run)["second"]["state"] == "ready"
    shop.post(f"runs/{run}/cancel/")
