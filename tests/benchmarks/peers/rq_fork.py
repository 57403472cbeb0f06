"""The subject `rq-fork`: RQ's own forking worker on the same Redis binary, the graph kept by `depends_on`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis
from rq import Queue
from rq.job import Job
from rq.version import VERSION

from orchestrator_site.embedded.redis import binary
from tests.benchmarks import common
from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import Started, free_port, plain_environment
from tests.benchmarks.shapes import Performance, Shape
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Stamps, Wrong

CODE = Path(__file__).parents[1] / "task_code"
WORK = "stamping.work"
WORKERS = 2


class RqFork:
    """Started at the first workload that needs it; `folder` is its own."""

    name = "rq-fork"

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self.version = VERSION
        self.processes: list[Started] = []
        self.queue: Queue

    @property
    def workloads(self) -> dict[str, Callable[[], list[Figure]]]:
        sizes = self.sizes
        return {
            "W1": lambda: common.a_chain(self, sizes),
            "W2": lambda: common.wide(self, sizes, "W2", sizes.fan)[0],
            "W3": lambda: common.computing(self, sizes),
            "W4": lambda: common.trigger(self, sizes),
            "W7": lambda: common.wide(self, sizes, "W7", sizes.big)[0],
            "FLAT": self._flat,
        }

    def close(self) -> None:
        for process in reversed(self.processes):
            process.stop()
        self.processes = []

    def carry_out(self, shape: Shape) -> Performance:
        stamps = Stamps.new(self.folder, shape.name)
        called = time.time()
        jobs: dict[str, Job] = {}
        for step in shape.steps:
            needed = [jobs[name] for name in step.needs]
            arguments = (str(stamps.path), step.name, shape.kind)
            jobs[step.name] = self.queue.enqueue(WORK, args=arguments, depends_on=needed or None)
        enqueued = time.time() - called
        stamps.wait("end", len(shape.steps), self.sizes.run_limit)
        self._wait_for(jobs[shape.steps[-1].name])
        finished = time.time()
        stamps.check_isolation(len(shape.steps))
        return Performance(called, finished, stamps, notes=f"enqueue(depends_on=…), {enqueued:.2f} s of it")

    def _wait_for(self, job: Job) -> None:
        deadline = time.monotonic() + self.sizes.run_limit
        while job.get_status(refresh=True) != "finished":
            if job.is_failed or time.monotonic() > deadline:
                raise Wrong(f"a job of RQ is {job.get_status()}")
            time.sleep(0.005)

    def _flat(self) -> list[Figure]:
        """Jobs without dependencies: what RQ does when somebody else keeps the graph."""
        width, rates = self.sizes.fan, list[float]()
        for _ in range(self.sizes.repeats):
            stamps = Stamps.new(self.folder, "flat")
            calls = [
                Queue.prepare_data(WORK, args=(str(stamps.path), f"f{number}")) for number in range(width)
            ]
            called = time.time()
            self.queue.enqueue_many(calls)
            stamps.wait("end", width, self.sizes.run_limit)
            stamps.check_isolation(width)
            rates.append(width / (stamps.last() - called))
        notes = f"{width} jobs by enqueue_many; first call -> last job's end"
        return [Figure("FLAT jobs without dependencies: tasks/s", "1/s", rates, notes)]

    def prepare(self, workload: str) -> None:
        """Started, and every worker has done something."""
        if not self.processes:
            self._start()
            common.warm_up(self)

    def _start(self) -> None:
        port = free_port()
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._launch("redis", binary(), *options)
        connection = redis.Redis(port=port)
        wait_for_redis(connection, self.sizes.start_limit)
        self.queue = Queue("bench", connection=connection)
        for number in range(WORKERS):
            words = ("--worker-class", "rq.worker.Worker", "--logging_level", "WARNING")
            address = f"redis://127.0.0.1:{port}/0"
            program = Path(sys.executable).with_name("rq")
            self._launch(f"worker-{number}", program, "worker", "bench", "--url", address, *words)

    def _launch(self, name: str, *command: str | Path) -> None:
        environment = plain_environment(PYTHONPATH=str(CODE))
        self.processes.append(Started(command, self.folder / f"{name}.log", environment, self.folder))


def wait_for_redis(connection: redis.Redis, limit: float) -> None:
    deadline = time.monotonic() + limit
    while True:
        try:
            connection.ping()
            return
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise Wrong(f"Redis did not answer within {limit:g} s") from None
            time.sleep(0.02)
