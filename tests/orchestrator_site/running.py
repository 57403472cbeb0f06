"""A real `manage.py up` in a process of its own, for tests."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"Ready: (http://\S+)")
ORDINARY = "nobody"
# Tasks that run as a user of their team have a /tmp of their own: what they and a test share lies elsewhere.
SHARED = "/srv" if os.geteuid() == 0 and os.path.isdir("/srv") else None


class Up:
    """One `up` on a free port. `lines` grows with what it says; `ended` has its exit code once it has one."""

    def __init__(self, home: Path, *options: str, ordinary: bool = False, **environment: str) -> None:
        words = [sys.executable, "manage.py", "up", "--port", "0", *options]
        self.home = home
        self.lines: list[str] = []
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*as_ordinary(), *words] if ordinary else words,
            cwd=ROOT,
            env={**environment_for(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, condition: Callable[[], bool], what: str, patience: float = 40.0) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"{what}: not within {patience:g} s; up said:\n{self.said}\n{self.logs()}")
            time.sleep(0.02)

    def logs(self) -> str:
        texts = [f"--- {log.name}\n{log.read_text()[-1500:]}" for log in self.home.glob("logs/*.log")]
        return "\n".join(texts)

    def until_ready(self) -> float:
        """Wait for the sentence with the address; returns the seconds since the start."""
        answers = lambda: READY.search(self.said) is not None or self.process.poll() is not None  # noqa: E731
        self.wait_for(answers, "ready", 90)
        assert READY.search(self.said), f"{self.said}\n{self.logs()}"
        return time.monotonic() - self.started

    @property
    def address(self) -> str:
        found = READY.search(self.said)
        assert found
        return found[1]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", timeout=10)

    def everybody(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        """The direct child of this name, as the kernel shows it (at most 15 letters)."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if name_of(child) == name)

    def has_child(self, name: str, *, other_than: int) -> bool:
        children = psutil.Process(self.process.pid).children()
        return any(name_of(child) == name and child.pid != other_than for child in children)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, as_from_terminal: bool = False) -> float:
        """Stop it; returns how many seconds that took. Fails when a process is left."""
        left = self.everybody()
        started = time.monotonic()
        if as_from_terminal:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.process.wait(30)
        took = time.monotonic() - started
        self._reader.join(5)
        alive = [f"{process.pid} {name_of(process)}" for process in left if process.is_running()]
        assert not alive, f"left behind: {alive}\n{self.said}"
        return took

    def end(self) -> tuple[int, str]:
        """Wait until it ends by itself; returns its exit code and what it said."""
        code = self.process.wait(60)
        self._reader.join(5)
        return code, self.said


def name_of(process: psutil.Process) -> str:
    try:
        return Path(f"/proc/{process.pid}/comm").read_text().strip()
    except OSError:
        return ""


def environment_for(home: Path) -> dict[str, str]:
    """The environment of a person who has set nothing but the home."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "ORCHESTRATOR_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def up(home: Path, *options: str, ordinary: bool = False, **environment: str) -> Iterator[Up]:
    """An `up` that answers; stopped at the end unless the test did so."""
    running = Up(home, *options, ordinary=ordinary, **environment)
    try:
        running.until_ready()
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def as_ordinary() -> list[str]:
    """Words before a command that run it as an ordinary user.

    It may read everything, as the interpreter may lie in root's home; it may write as any other user.
    """
    account = pwd.getpwnam(ORDINARY)
    return [
        "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search",
        "--bounding-set=-all,+dac_read_search",
    ]


@contextmanager
def folder_for_all(owner: str | None = None) -> Iterator[Path]:
    """A temporary folder that every user can pass, tasks too; pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="orchestrator-up-", dir=SHARED))
    folder.chmod(0o755)
    if owner:
        shutil.chown(folder, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
