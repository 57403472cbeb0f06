"""The subject `floor`: the least that a durable engine with a process per task can cost on this machine.

One SQL call that ends a task and gives the next, and one fork: no leases, logs, outputs, retries or limits.
It is a ruler, not an engine, and runs on the same PostgreSQL with the same settings as `up` starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from orchestrator_site.embedded.postgres import MAJOR
from tests.benchmarks import common
from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import plain_environment
from tests.benchmarks.peers.database import Database
from tests.benchmarks.peers.driver import PROGRAMS, Driver
from tests.benchmarks.shapes import Performance, Shape
from tests.benchmarks.sizes import Sizes

NOTES = "one SQL call and one forked process per task, nothing else; durable (synchronous commit)"


class Floor:
    """Started at the first workload that needs it; `folder` is its own, and passable for every user."""

    name = "floor"
    version = f"postgres {MAJOR}"

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self.database = Database(folder / "postgres", sizes.start_limit)
        self.driver: Driver | None = None

    @property
    def workloads(self) -> dict[str, Callable[[], list[Figure]]]:
        sizes = self.sizes
        return {
            "W1": lambda: common.a_chain(self, sizes),
            "W2": lambda: common.wide(self, sizes, "W2", sizes.fan)[0],
            "W3": lambda: common.computing(self, sizes),
            "W7": lambda: common.wide(self, sizes, "W7", sizes.big)[0],
        }

    def prepare(self, workload: str) -> None:
        if self.driver is None:
            self._start()
            common.warm_up(self)

    def carry_out(self, shape: Shape) -> Performance:
        assert self.driver is not None
        done = self.driver.carry_out(shape, NOTES)
        done.stamps.check_isolation(len(shape.steps))
        return done

    def close(self) -> None:
        if self.driver is not None:
            self.driver.stop()
            self.driver = None
        self.database.stop()

    def _start(self) -> None:
        self.database.start()
        command = [sys.executable, str(PROGRAMS / "ruler.py")]
        self.driver = Driver(command, plain_environment(**self.database.variables), self.folder)
