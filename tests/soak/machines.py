"""The machines of a soak: groups of workers that can be lost together, and who of them carries out what."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from orchestrator_site.processes import die_with_parent
from tests.orchestrator_site.running import ROOT

APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts")


@cache
def may_stand_apart() -> bool:
    """May a group of processes have numbers and a host name of its own, as another machine has? Root may."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*APART, "true"], capture_output=True).returncode == 0


@dataclass
class Machine:
    """Workers of one queue.

    ``wrong``: seconds by which its clock is off. ``apart``: it has namespaces of its own.
    """

    name: str
    queue: str
    processes: int
    environment: dict[str, str]
    log: Path
    wrong: float = 0.0
    apart: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.soak.workers", self.queue, str(self.processes), str(self.wrong)]
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings"}
        if self.apart:
            words, environment["SOAK_HOST"] = [*APART, *words], self.name
        parent = os.getpid()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: die_with_parent(parent, signal.SIGKILL),
            )

    def has(self, host: str) -> bool:
        """Is this host name that of this machine? Machines that do not stand apart share theirs."""
        return host == (self.name if self.apart else socket.gethostname())

    def worker(self, pid: int) -> psutil.Process | None:
        """The worker that knows itself by this number, which is another one outside of its namespace."""
        return next((each for each in self.everybody() if self.number_within(each.pid) == pid), None)

    def number_within(self, pid: int) -> int:
        """A process's number on this machine; 0 when it is gone. Attempts may have namespaces too."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 0
        line = next((line for line in status.splitlines() if line.startswith("NSpid:")), f"NSpid: {pid}")
        numbers = [int(word) for word in line.split()[1:]]
        return numbers[1 if self.apart else 0] if len(numbers) > self.apart else 0

    def everybody(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def lose(self) -> None:
        """Kill everything at once, as a power cut does."""
        assert self.process is not None
        everybody = self.everybody()
        for process in everybody:
            send(process, signal.SIGSTOP)  # so that nobody sees another one die
        for process in everybody:
            send(process, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """TERM to all of it, and KILL to whoever does not follow."""
        if self.process is None or self.process.poll() is not None:
            return
        everybody = self.everybody()
        for process in everybody:
            send(process, signal.SIGCONT)
        # `unshare` waits for its child and passes no signal on.
        heads = psutil.Process(self.process.pid).children() if self.apart else [self.process]
        for head in heads:
            head.terminate()
        _, alive = psutil.wait_procs(everybody, timeout=15)
        for process in alive:
            send(process, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


def send(process: psutil.Process, number: signal.Signals) -> bool:
    """False when the process is gone."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True
