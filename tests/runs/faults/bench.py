"""Tasks that misbehave, carried out by a worker's own station on a real database, and by real workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from pipelines.clock import EngineNow
from pipelines.models import Team, User
from runs import logs, queries
from runs.models import Attempt, Queue, Run, TaskRun
from runs.worker import folders
from runs.worker.worker import Station
from tests import factories
from tests.runs import making
from tests.runs.trials import marked, until

ROOT = Path(__file__).parents[3]
QUEUE = "faults"


class Lost(Exception):
    """The station would have ended its process."""


class TestStation(Station):
    """A station within the tests, which it must not end."""

    __test__ = False

    def _lost(self, sentence: str) -> None:
        raise Lost(sentence)


@dataclass
class Told:
    """How a task ended, as its page says it."""

    task: TaskRun
    attempts: list[Attempt]

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def words(self) -> str:
        """The line on the page: why it ended."""
        return queries.attempt_message(self.last, self.task)

    @property
    def log(self) -> str:
        return "\n".join(logs.tail(self.last, 1000))

    @property
    def outputs(self) -> dict[str, Any]:
        return {output.name: output for output in self.last.outputs.all()}


class Bench:
    """One queue, one team, and whoever carries its tasks out."""

    def __init__(self) -> None:
        self.team: Team
        self.user: User
        cast = factories.make_cast()
        self.team, self.user = cast.team, cast.alice
        Queue.objects.create(slug=QUEUE)
        self.stations: list[TestStation] = []

    def limit(self, **limits: Any) -> None:
        """Limits of the queue, for stations that begin from now on."""
        Queue.objects.filter(slug=QUEUE).update(limits=limits)

    @property
    def station(self) -> TestStation:
        if not self.stations:
            self.stations.append(TestStation(QUEUE))
        return self.stations[0]

    def start(self, *tasks: dict[str, Any], queue: str = QUEUE) -> Run:
        """A run of tasks that do not wait for each other."""
        whole = [{**each, "queue": queue} for each in tasks]
        return making.start(making.make_version(self.team, self.user, whole), self.user)

    def run(self, task: dict[str, Any]) -> Told:
        """A run of one task, carried out to its end here and now, its retries without a pause."""
        run = self.start(task)
        deadline = time.monotonic() + 60
        while Run.objects.filter(pk=run.pk, state="running").exists():
            assert time.monotonic() < deadline, "the task is not taken, or does not end"
            TaskRun.objects.filter(run=run, state="retry_wait").update(ready_at=EngineNow())
            self.station.serve(QUEUE)
            time.sleep(0.01)
        return told(run)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The station at work in a thread."""
        station = self.station
        thread = threading.Thread(target=self._serve, args=(station,))
        thread.start()
        try:
            yield
        finally:
            thread.join(30)
        assert not thread.is_alive(), "the station is still at work"

    def begins(self, run: Run) -> None:
        """Wait until the station has an attempt of a run in its hands."""
        held = lambda: self.station.execution is not None and told(run).attempts != []  # noqa: E731
        until(held, 10, "the attempt has begun")

    def _serve(self, station: Station) -> None:
        try:
            station.serve(QUEUE)
        finally:
            connection.close()

    def still_works(self) -> None:
        """The worker lives and carries out what comes next, and of the last attempt nothing is left."""
        next_one = self.run(python("def main() -> int:\n    return 7\n", result="integer"))
        assert next_one.task.state == "succeeded", next_one.words
        until(self.nothing_is_left, 30.0, f"nothing is left: {self.left()}")

    def nothing_is_left(self) -> bool:
        return not self.left()

    def left(self) -> list[str]:
        """Processes, folders with something in them and shared memory of this bench's attempts."""
        tokens = [str(token) for token in Attempt.objects.values_list("uuid", flat=True)]
        found = [f"process {pid}" for token in tokens for pid in marked(token)]
        for token in tokens:
            work = folders.of_attempt(token)
            if work.exists() and folders.is_as_made(work, os.geteuid()):
                continue  # kept for the next attempt
            found += [str(folder) for folder in (work, folders.temporary(work)) if folder.exists()]
        return found

    def close(self) -> None:
        for station in self.stations:
            station.close()


def told(run: Run) -> Told:
    """The one task of a run."""
    task = TaskRun.objects.select_related("run").get(run=run)
    return Told(task, list(Attempt.objects.filter(task_run=task).order_by("no")))


def python(source: str, key: str = "task", *, memory: int | None = None, **outputs: str) -> dict[str, Any]:
    """A Python task with inline code."""
    return making.task(
        key,
        "python",
        config={"source": source},
        outputs=[{"name": name, "type": kind} for name, kind in outputs.items()],
        resources={"memory": memory, "gpu": 0},
    )


def shell(text: str, key: str = "task", *, memory: int | None = None, **outputs: str) -> dict[str, Any]:
    """A shell task."""
    return making.task(
        key,
        config={"run": text},
        outputs=[{"name": name, "type": kind} for name, kind in outputs.items()],
        resources={"memory": memory, "gpu": 0},
    )


def worker(
    queue: str = QUEUE, *, before: str = "", **environment: str
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A real worker process of a queue, ended with everything it started.

    ``before``: statements that it carries out before anything of the product is imported.
    """
    work = f"from runs.worker.worker import main; main({queue!r})"
    return process(f"{before}\nimport django; django.setup()\n{work}", **environment)


def sweep(before: str = "") -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A real sweep, ended with the test."""
    return process(f"import django; django.setup()\n{before}\nfrom runs import sweeps; sweeps.main()")


@contextmanager
def process(program: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the product's interpreter, in the home of these tests."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ends(run: Run, seconds: float) -> float:
    """Wait until a run has ended; returns the seconds it took."""
    begun = time.monotonic()
    while not Run.objects.filter(pk=run.pk, state__in=["succeeded", "failed", "cancelled"]).exists():
        assert time.monotonic() - begun < seconds, f"the run has not ended after {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - begun
