"""The one parent: starts every process of the product, brings dead ones back, and takes all down again.

It has one thread and no connection, so that its children can be forked from it at any time. Signals only
write into a pipe (`signal.set_wakeup_fd`); everything happens in the loop.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from orchestrator_site.processes import (
    adopt_orphans,
    ending,
    fork,
    last_lines,
    open_log,
    own_children,
    trim_log,
)
from runs.worker.processes import LEFT

FIRST_DELAY = 0.5  # seconds before a dead child is started again, doubled each time
LONGEST_DELAY = 30.0
MOST_DOUBLINGS = 20  # more only make numbers that no float holds, when something dies for hours
LOOPING = 3  # deaths in a row after which more is said
HEALTHY_AFTER = 60.0  # seconds of life after which the next death counts as a first one again
TRIM_EVERY = 60.0  # seconds between looks at the size of the logs
CHILD_PATIENCE = 6.5  # seconds for web, sweep and workers, whose own kill grace is 5
SERVER_PATIENCE = 2.5  # seconds for PostgreSQL and Redis; together below the 10 that a stop may take

Say = Callable[[str], None]


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent TERM."""


class ChildFailed(Exception):
    """A child that had to end well did not; says how it ended."""


class Program(Protocol):
    """Something that can be started as a child and is known by its name."""

    name: str
    stop_signal: signal.Signals
    harsh_signal: signal.Signals

    @property
    def log(self) -> Path | None:
        """Where it writes; None is where we do."""

    def start(self) -> int: ...


@dataclass
class Forked:
    """A process of the product: a function run in a child forked from the loaded parent."""

    name: str
    body: Callable[[], None]
    log: Path | None
    stop_signal: signal.Signals = signal.SIGTERM
    harsh_signal: signal.Signals = signal.SIGKILL

    def start(self) -> int:
        if self.log is None:
            return fork(self.body, name=self.name, log=None)
        log = open_log(self.log)
        try:
            return fork(self.body, name=self.name, log=log)
        finally:
            os.close(log)


@dataclass
class Child:
    """One program and how it is doing. Times are of the monotonic clock, in seconds."""

    program: Program
    is_server: bool = False
    pid: int | None = None
    started: float = 0.0
    deaths: int = 0
    due: float | None = None  # when it is started again


@dataclass
class Supervisor:
    """Owns the children. `say` prints a sentence for the person at the terminal."""

    say: Say
    patience: float = CHILD_PATIENCE
    children: list[Child] = field(default_factory=list)
    awaited: int | None = None  # the process that is run to its end
    ended: dict[int, int] = field(default_factory=dict)  # its wait status
    signals: int = 0
    _wakeup: tuple[int, int] = (-1, -1)
    _before: dict[int, Any] = field(default_factory=dict)

    # Signals

    def __enter__(self) -> Supervisor:
        adopt_orphans()
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = reading, writing
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for descriptor in self._wakeup:
            os.close(descriptor)

    def _note(self, *_: object) -> None:
        self.signals += 1

    def sleep(self, seconds: float, *also: int) -> list[int]:
        """Wait for a signal or for one of the descriptors; returns those that can be read."""
        readable, _, _ = select.select([self._wakeup[0], *also], [], [], max(0.0, seconds))
        if self._wakeup[0] in readable:
            readable.remove(self._wakeup[0])
            os.read(self._wakeup[0], 4096)
        return readable

    # Starting

    def start(self, program: Program, *, is_server: bool = False) -> Child:
        child = Child(program, is_server)
        self.children.append(child)
        self._start(child)
        return child

    def _start(self, child: Child) -> None:
        child.due = None
        child.started = time.monotonic()
        child.pid = child.program.start()

    def wait_until(self, what: str, condition: Callable[[], bool], patience: float) -> None:
        """Poll until the condition holds, supervising all the while.

        Raises Stopped on a signal and ChildFailed when `patience` seconds have passed.
        """
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise ChildFailed(f"{what} did not become ready within {patience:.0f} s")
            self.sleep(0.02)
            self._attend()

    def run_to_end(self, program: Forked) -> None:
        """Start a child and wait for its end. Raises ChildFailed unless that is 0, Stopped on a signal."""
        self.awaited = pid = program.start()
        while pid not in self.ended:
            self.sleep(1.0)
            self._attend(spare=pid)
        status = self.ended.pop(pid)
        if status:
            raise ChildFailed(f"{program.name} ended with {ending(status)}")

    # Watching

    def watch(self) -> None:
        """Supervise until no child is left to supervise. Raises Stopped on a signal."""
        while any(child.pid or child.due is not None for child in self.children):
            self._trim_logs()
            self.sleep(self._nap())
            self._attend()

    def _nap(self) -> float:
        due = [child.due for child in self.children if child.due is not None]
        return min(due) - time.monotonic() if due else TRIM_EVERY

    def _trim_logs(self) -> None:
        for child in self.children:
            if child.program.log:
                trim_log(child.program.log)

    def _attend(self, spare: int | None = None) -> None:
        if self.signals:
            raise Stopped
        self._reap()
        if self._kill_orphans(spare):
            self._reap()
        now = time.monotonic()
        for child in self.children:
            if child.due is not None and child.due <= now:
                self._start(child)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = next((child for child in self.children if child.pid == pid), None)
            if child is not None:
                self._bury(child, status)
            elif pid == self.awaited:
                self.ended[pid] = status

    def _bury(self, child: Child, status: int) -> None:
        now = time.monotonic()
        child.pid = None
        if self.signals:
            return
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == LEFT:
            self.say(f"{child.program.name} was drained and has left.")
            return
        child.deaths = 1 if now - child.started >= HEALTHY_AFTER else child.deaths + 1
        doublings = min(child.deaths - 1, MOST_DOUBLINGS)
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**doublings)
        child.due = now + delay
        self.say(
            f"{child.program.name} died ({ending(status)}) and is started again in {delay:g} s{_more(child)}."
        )

    def _kill_orphans(self, spare: int | None = None) -> bool:
        """Kill what a dead child left behind and we adopted; returns whether there was any."""
        known = {child.pid for child in self.children} | {spare}
        orphans = [pid for pid in own_children() if pid not in known]
        for pid in orphans:
            send(pid, signal.SIGKILL)
        return bool(orphans)

    # Stopping

    def stop(self) -> None:
        """End every child, the servers last; a second signal ends patience. Leaves no process behind."""
        self.signals = max(self.signals, 1)
        self._stop_those([child for child in self.children if not child.is_server], self.patience)
        self._kill_orphans()
        self._stop_those([child for child in self.children if child.is_server], SERVER_PATIENCE)
        while self._kill_orphans():
            self.sleep(0.02)
            self._reap()
        self._reap()

    def _stop_those(self, children: list[Child], patience: float) -> None:
        for child in children:
            if child.pid:
                send(child.pid, child.program.stop_signal)
        self._wait_for_ends(children, patience)
        for child in children:
            if child.pid:
                self.say(f"{child.program.name} did not stop within {patience:g} s and is ended harshly.")
                send(child.pid, child.program.harsh_signal)
        self._wait_for_ends(children, 0.5, hurried=False)
        for child in children:
            if child.pid:
                send(child.pid, signal.SIGKILL)
        self._wait_for_ends(children, 1.0, hurried=False)

    def _wait_for_ends(self, children: list[Child], patience: float, *, hurried: bool = True) -> None:
        before = self.signals
        deadline = time.monotonic() + patience
        while any(child.pid for child in children) and time.monotonic() < deadline:
            if hurried and self.signals > before:
                return
            self.sleep(min(0.2, deadline - time.monotonic()))
            self._reap()


def _more(child: Child) -> str:
    """Where its log is; of one that keeps dying also how often it did, and its last words."""
    log = child.program.log
    if log is None:
        return ""
    where = f"; its log is {log}"
    if child.deaths < LOOPING:
        return where
    return (
        f"{where}; it died {child.deaths} times in a row, its last words were: {last_lines(log, 1) or 'none'}"
    )


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class Gate:
    """Holds forked children back until the parent opens it."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe2(os.O_CLOEXEC)
        self.writing: int | None = writing

    def open(self) -> None:
        """For the parent: let waiting children go on, and later ones pass."""
        if self.writing is not None:
            os.close(self.writing)
            self.writing = None

    def wait(self) -> None:
        """For a child: returns when the gate is open. End of file says so, once nobody can write any more."""
        if self.writing is not None:
            os.close(self.writing)
        os.read(self.reading, 1)


class Message:
    """A pipe by which a child that ends tells its parent one JSON value."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe2(os.O_CLOEXEC)

    def send(self, value: object) -> None:
        os.write(self.writing, json.dumps(value).encode() + b"\n")

    def receive(self) -> Any:
        """What was sent, or None when nothing was."""
        os.close(self.writing)
        with os.fdopen(self.reading, "rb") as file:
            text = file.read()
        return json.loads(text) if text else None

    def has_come(self) -> bool:
        """Whether something was sent; does not wait."""
        readable, _, _ = select.select([self.reading], [], [], 0)
        return bool(readable)
