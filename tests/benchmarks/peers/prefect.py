"""The subjects `prefect-threads` and `prefect-pool`: a self-hosted server, flows called in a warm process.

Calling the flow there leaves out what a deployment of Prefect adds (polling, a process for each flow run), so
these are Prefect's best figures. Neither gives an attempt a process of its own: threads of one process, or a
pool of two processes that are used again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import httpx

from tests.benchmarks import common
from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import Started, free_port, plain_environment
from tests.benchmarks.peers.driver import PROGRAMS, Driver
from tests.benchmarks.peers.environment import programs, version
from tests.benchmarks.shapes import Performance, Shape
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

PACKAGES = ("prefect==3.9.1",)
# It asks for the certifi of the day; only dates of certificates are in it, and nothing leaves loopback.
ANY_VERSION = "certifi"


class Prefect:
    """Started at the first workload that needs it; `folder` is its own."""

    name: ClassVar[str]
    runner: ClassVar[str]
    isolation: ClassVar[str]

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self.version = ""
        self.server: Started | None = None
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
        """Started and warm. Raises Wrong when it cannot be installed."""
        if self.driver is None:
            folder = programs("prefect", *PACKAGES, any_version=ANY_VERSION)
            self.version = version(folder, "prefect")
            self._start(folder)
            common.warm_up(self)

    def close(self) -> None:
        if self.driver is not None:
            self.driver.stop()
        if self.server is not None:
            self.server.stop()
        self.driver = self.server = None

    def carry_out(self, shape: Shape) -> Performance:
        assert self.driver is not None
        return self.driver.carry_out(shape, f"flow called in a warm process; {self.isolation}")

    def _start(self, folder: Path) -> None:
        port = free_port()
        environment = plain_environment(
            PREFECT_HOME=str(self.folder / "home"),
            PREFECT_API_URL=f"http://127.0.0.1:{port}/api",
            PREFECT_SERVER_ANALYTICS_ENABLED="false",
            PREFECT_LOGGING_LEVEL="WARNING",
            DO_NOT_TRACK="1",
            NO_PROXY="127.0.0.1",
        )
        command = (folder / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        self.server = Started(command, self.folder / "server.log", environment, self.folder)
        wait_for(f"http://127.0.0.1:{port}/api/health", self.server, self.sizes.start_limit)
        flows = [str(folder / "python"), str(PROGRAMS / "prefect_flows.py"), self.runner]
        self.driver = Driver(flows, environment, self.folder)


class PrefectThreads(Prefect):
    name = "prefect-threads"
    runner = "threads"
    isolation = "no isolation: threads of one process; durable in SQLite, states sent in the background"


class PrefectPool(Prefect):
    name = "prefect-pool"
    runner = "processes"
    isolation = "a pool of 2 processes, used again; durable in SQLite, states sent in the background"


def wait_for(address: str, server: Started, limit: float) -> None:
    """Until it answers 200. Raises Wrong after `limit` seconds."""
    deadline = time.monotonic() + limit
    with httpx.Client(timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            server.check_alive()
            try:
                if client.get(address).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
    raise Wrong(f"{address} did not answer 200 within {limit:g} s")
