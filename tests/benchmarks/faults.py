"""W9: a worker is killed under its task."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psutil

from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import tree
from tests.benchmarks.shapes import single
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

if TYPE_CHECKING:
    from tests.benchmarks.orchestrator import Orchestrator

INTO_IT = 2.0  # seconds from the task's start to the kill


def killed_worker(subject: Orchestrator, sizes: Sizes) -> list[Figure]:
    """Seconds from the worker's death to the first line of the next attempt, which must succeed."""
    stamps, _, run = subject.start(single(f"sleep:{sizes.crash_sleep:g}"))
    stamps.wait("start", 1, sizes.run_limit)
    time.sleep(INTO_IT)
    worker = worker_of(subject, run)
    killed = time.time()
    os.kill(worker.pid, signal.SIGKILL)
    stamps.wait("start", 2, sizes.crash_limit)
    if (state := subject.wait_for_end(run)) != "succeeded":
        raise Wrong(f"the run whose worker was killed ended as {state}")
    stamps.check_isolation(2)
    again = stamps.last("start") - killed
    return [Figure("W9 kill -9 of a worker: next attempt after", "s", [again], "a second worker was free")]


def worker_of(subject: Orchestrator, run: str) -> psutil.Process:
    """The worker that carries out the only task of a run; surely one of the processes we started."""
    attempt = subject.details(run, "only")["attempts"][-1]
    pid = int(attempt["worker"].rsplit(":", 1)[1])
    found = next((one for one in tree(subject.root) if one.pid == pid), None)
    if found is None:
        raise Wrong(f"the worker {attempt['worker']} is not one of ours")
    return found
