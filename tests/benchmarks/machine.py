"""Processes that a measurement starts, what they use, and what everybody else uses meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from orchestrator_site.processes import die_with_parent
from tests.benchmarks.stamps import Wrong

MIB = 1024 * 1024
PORTS = range(21800, 22000)  # below the kernel's own: a client that polls one of those may meet itself


def free_port() -> int:
    """A port of loopback that nobody has. Raises Wrong when all of ours are taken."""
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Wrong(f"every port from {PORTS[0]} to {PORTS[-1]} is taken")


def plain_environment(**also: str) -> dict[str, str]:
    """What a person who has set nothing has, and `also`."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "ORCHESTRATOR_CACHE")
    return {**{name: os.environ[name] for name in names if name in os.environ}, **also}


class Started:
    """A process of ours and its descendants; its output goes to a file."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str], folder: Path
    ) -> None:
        parent = os.getpid()
        self.log = log
        self.at = time.time()
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM),
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def check_alive(self) -> None:
        """Raises Wrong when it has ended."""
        if self.process.poll() is not None:
            raise Wrong(f"it ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")

    def stop(self, patience: float = 30.0) -> None:
        """TERM, then KILL for it and whatever descends from it."""
        family = tree(self.pid)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for one in family:  # psutil checks that the process is still the same one
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(patience)


def tree(*roots: int) -> list[psutil.Process]:
    """These processes and their descendants, as far as they still are there."""
    found: list[psutil.Process] = []
    for root in roots:
        try:
            process = psutil.Process(root)
            found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """CPU that these and the children they have reaped have used so far."""
    total = 0.0
    for process in processes:
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system + used.children_user + used.children_system
    return total


def memory(processes: Iterable[psutil.Process]) -> tuple[float, float]:
    """RSS sum and PSS sum in MiB; PSS shares out what several have in common.

    Raises Wrong when one may not be asked: the product hides the memory of its processes, but not from root.
    """
    resident = shared_out = 0
    for process in processes:
        try:
            full = process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            raise Wrong("the memory of its processes is hidden from this user: measure as root") from None
        resident += full.rss
        shared_out += full.pss
    return resident / MIB, shared_out / MIB


class Meter:
    """CPU that processes other than this one and its descendants use, from its making on."""

    def __init__(self) -> None:
        self.began = self._look()

    @staticmethod
    def _look() -> tuple[float, float, float, float]:
        """Now, and CPU seconds of the machine, of ours, and stolen by the hypervisor."""
        times = psutil.cpu_times()
        busy = times.user + times.nice + times.system + times.irq + times.softirq
        return time.monotonic(), busy, cpu_seconds(tree(os.getpid())), times.steal

    def others(self) -> float:
        """In cores."""
        then, now = self.began, self._look()
        foreign = (now[1] - then[1]) - max(0.0, now[2] - then[2])
        return max(0.0, foreign) / max(now[0] - then[0], 0.01)

    @property
    def text(self) -> str:
        stolen = (self._look()[3] - self.began[3]) / max(time.monotonic() - self.began[0], 0.01)
        words = f"other load {self.others():.2f} cores"
        return words if stolen < 0.02 else f"{words}, steal {stolen:.2f}"


def when_quiet(limit: float, cores: float) -> Meter:
    """Wait until others use less than `cores`, at most `limit` seconds; a fresh meter."""
    deadline = time.monotonic() + limit
    while True:
        meter = Meter()
        time.sleep(1.5)
        if meter.others() < cores or time.monotonic() > deadline:
            return Meter()
