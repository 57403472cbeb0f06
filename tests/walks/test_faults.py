"""What is killed, wiped or restarted in the middle of a run costs time, never the run."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.walks.product import Product

pytestmark = pytest.mark.slow

# A server that is ended again and again comes back after longer and longer pauses, up to 30 s.
PATIENCE = 150.0


def counting(tmp_path: Path) -> str:
    """Three tasks that each write their name into a file; the second one sleeps."""
    file = tmp_path / "ran.txt"
    file.touch()
    tmp_path.chmod(0o777)
    file.chmod(0o666)
    return f"""\
  first:
    kind: shell
    run: echo first >> {file}
  second:
    kind: shell
    needs: [first]
    run: |
      echo "begun in $$"
      echo second >> {file}
      (setsid sleep 300 &)
      sleep 6
      echo done
  third:
    kind: shell
    needs: [second]
    run: echo third >> {file}
"""


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_a_worker_killed_in_the_middle_of_a_task_costs_one_attempt(shop: Product, tmp_path: Path) -> None:
    run = shop.start(shop.publish(counting(tmp_path)))
    shop.wait_task(run, "second", "running")
    shop.until(lambda: "second" in (tmp_path / "ran.txt").read_text(), "the task works", 10, run)
    time.sleep(0.5)
    first = shop.details(run, "second")["attempts"][0]
    worker = shop.worker_of(first["id"], "second", run)
    children = worker.children(recursive=True)
    assert len(children) >= 2
    worker.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    shop.until(lambda: not alive(children), "no child of the worker lives", 2.0)
    shop.until(lambda: len(shop.details(run, "second")["attempts"]) == 2, "the task runs again", 20, run)
    assert time.monotonic() - killed < 20
    assert shop.wait(run, patience=PATIENCE)["state"] == "succeeded"
    attempts = shop.details(run, "second")["attempts"]
    assert sorted((a["no"], a["state"]) for a in attempts) == [(1, "lost"), (2, "succeeded")]
    assert all("begun in" in shop.log(a["id"]) for a in attempts)
    assert (tmp_path / "ran.txt").read_text().split() == ["first", "second", "second", "third"]


def test_a_run_finishes_although_redis_is_wiped_in_the_middle(shop: Product, tmp_path: Path) -> None:
    tasks = "\n".join(
        f"  t{n}:\n    kind: shell\n    run: sleep 0.3\n    needs: [{f't{n - 1}' if n else ''}]"
        for n in range(10)
    )
    run = shop.start(shop.publish(tasks))
    shop.wait_task(run, "t2", "succeeded")
    shop.manage("shell", "-c", "from runs.dispatch import redis; redis().flushall()")
    assert shop.wait(run, patience=PATIENCE)["state"] == "succeeded"


# A restart writes out what was committed; a crash loses at most the last 0.6 s of short attempts.
@pytest.mark.parametrize(
    "how, after", [(signal.SIGINT, 0.0), (signal.SIGQUIT, 1.0)], ids=["restart", "crash"]
)
def test_a_run_finishes_although_postgres_ends_in_the_middle(
    shop: Product, tmp_path: Path, how: signal.Signals, after: float
) -> None:
    run = shop.start(shop.publish(counting(tmp_path)))
    shop.until(lambda: "second" in (tmp_path / "ran.txt").read_text(), "the task works", 20, run)
    time.sleep(after)
    shop.server("postgres").send_signal(how)
    assert shop.wait(run, patience=PATIENCE)["state"] == "succeeded"
    assert (tmp_path / "ran.txt").read_text().split() == ["first", "second", "third"]
    assert [a["state"] for a in shop.details(run, "second")["attempts"]] == ["succeeded"]


def test_a_run_finishes_although_a_crash_of_postgres_forgets_that_a_task_had_begun(
    shop: Product, tmp_path: Path
) -> None:
    run = shop.start(shop.publish(counting(tmp_path)))
    shop.until(lambda: "second" in (tmp_path / "ran.txt").read_text(), "the task works", 20, run)
    shop.server("postgres").send_signal(signal.SIGQUIT)
    assert shop.wait(run, patience=PATIENCE)["state"] == "succeeded"
    for key in shop.tasks(run):
        assert [a["state"] for a in shop.details(run, key)["attempts"]].count("succeeded") == 1


def test_many_short_tasks_survive_a_restart_of_postgres_and_none_that_committed_runs_twice(
    shop: Product, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    tasks = "\n".join(
        f"  t{n}:\n    kind: shell\n    run: sleep 0.1; echo $IN_X >> {tmp_path}/t{n}\n    with: {{x: {n}}}"
        for n in range(60)
    )
    run = shop.start(shop.publish(tasks))
    shop.until(lambda: len(list(tmp_path.iterdir())) > 10, "some have run", 20, run)
    shop.server("postgres").send_signal(signal.SIGINT)
    assert shop.wait(run, patience=PATIENCE)["state"] == "succeeded"
    for key, task in shop.tasks(run).items():
        attempts = shop.details(run, key)["attempts"]
        succeeded = [a for a in attempts if a["state"] == "succeeded"]
        assert len(succeeded) == 1, key
        times = len((tmp_path / task["name"]).read_text().split())
        assert times <= len(attempts), key
