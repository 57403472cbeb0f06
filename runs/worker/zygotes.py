"""The worker's side of zygotes: start one, hand it an attempt, hear how it ended.

A zygote belongs to the process that started it and carries out one attempt at a time. `Running.poll` belongs
to one thread; `ping`, `terminate`, `kill` and the `close` of a zygote or pool may be called by any.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runs.worker import cgroup, processes, reports
from runs.worker.oversight import Oversight

if TYPE_CHECKING:
    from runs.worker.container import Container
    from runs.worker.view import Confined

    # Of a zygote in a pool: interpreter, modules, user.
    Key = tuple[str, tuple[str, ...], Confined | None]

SCRIPT = Path(__file__).with_name("zygote.py")
ENTRY_PATIENCE = 20.0  # seconds for a zygote to become the user of a team
SILENCE = 12.0  # seconds without a word after which a zygote gives its worker up for dead
IDLE = 300.0  # seconds without work after which a zygote ends by itself
RETIRE = 240.0  # ... and after which we no longer trust it to be there for the next request
KILL_PATIENCE = 5.0  # seconds a zygote may take to answer after KILL, before it is killed itself
NO_CHILDREN_LEFT = 5.0  # seconds we look for what a dead zygote left behind
STOPPED_FOR = 5.0  # seconds after which a zygote that somebody stopped (SIGSTOP) is given up
MESSAGE_LIMIT = 16 * 1024 * 1024  # bytes of a zygote's messages that wait to be understood
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36

# Of a request, what the zygote needs to know: all else goes to the runner alone.
CONTROL = ("entry", "code_path", "work", "temporary", "memory", "processes", "disk", "walled")

Message = dict[str, Any]


class ZygoteGone(Exception):
    """The zygote has ended; start another one."""


class Unfit(Exception):
    """No zygote can be started for the user of a team; the message says what is in its way."""


def become_subreaper() -> None:
    """Orphans of a killed zygote become children of this process, which can then kill them. Linux only."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this kernel has no child subreapers")


def hide_memory() -> None:
    """No process of the same user may read this one's memory or environment (PR_SET_DUMPABLE 0)."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def clean_environment() -> dict[str, str]:
    """All that user code inherits from us: where programs, home and temporary files are. No secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        "PATH": os.defpath,
        **kept,
        "LANG": "C.UTF-8",
        # The order of sets is an ingredient of a run; it shall be the same in the next one.
        "PYTHONHASHSEED": "0",
        processes.ATTEMPT_VARIABLE: processes.NO_ATTEMPT,
    }


class Zygote:
    """A warm interpreter in a process of its own."""

    def __init__(
        self, process: subprocess.Popen[bytes], end: socket.socket, preload: Sequence[str], silence: float
    ) -> None:
        self.process = process
        self.preload = list(preload)
        self.ping_every = silence / 4
        self.provenance: Message | None = None
        self.socket = end
        self.running: Running | None = None
        self.confined = False
        self.container: Container | None = None
        self.used_at = time.monotonic()
        self._lock = threading.Lock()
        self._closing = threading.Lock()
        self._buffer = bytearray()
        self._last_word = time.monotonic()

    @classmethod
    def start(
        cls,
        interpreter: str | Path,
        preload: Sequence[str] = (),
        *,
        silence: float = SILENCE,
        idle: float = IDLE,
        confined: Confined | None = None,
    ) -> Zygote:
        """Start a zygote with an interpreter, any Python >= 3.9. Returns at once. Raises OSError.

        `confined`: the user of a team that it shall be, for which it waits. Raises Unfit.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        number = theirs.fileno()
        command = [str(interpreter), "-s", str(SCRIPT), str(number), str(silence), str(idle)]
        environment = clean_environment()
        container = None
        if confined is not None:
            door = confined.door(command, number, environment)
            command, environment, container = door.command, door.environment, door.container
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE if container else None,
                pass_fds=[number],
                cwd="/",
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        zygote = cls(process, ours, preload, silence)
        if confined is not None:
            zygote.container = container
            zygote._enter()
        return zygote

    def _enter(self) -> None:
        """Wait until the zygote has become the user of its team, in its container if it shall have one."""
        self.confined = True
        began = time.monotonic()
        self.socket.settimeout(ENTRY_PATIENCE)
        while (message := self._next()) is None:
            if not self._receive():
                waited = time.monotonic() - began
                self.kill()
                words = self._last_words() or never_entered(waited)
                self.close()
                raise Unfit(words)
        self.socket.settimeout(None)
        if message["event"] != "entered":
            self.close()
            raise Unfit(message["message"])
        if self.container is not None:
            try:
                self.container.begun()
            except Exception:
                self.close()
                raise

    def _last_words(self) -> str:
        """What the engine of containers said before it gave up; it has ended."""
        if self.process.stderr is None:
            return ""
        self.process.wait()
        lines = self.process.stderr.read(64 * 1024).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def pid(self) -> int:
        """Of the process itself, as this machine numbers it, wherever it runs."""
        inside = self.container.pid if self.container is not None else None
        return inside or self.process.pid

    def kill(self) -> None:
        """End it at once, and all that runs beside it in its container."""
        if self.container is not None:
            self.container.kill()
        self.process.kill()

    @property
    def alive(self) -> bool:
        """Can it take a request? Not when it has ended, or may end any moment, being idle for so long."""
        if self.process.poll() is not None or self.socket.fileno() < 0:
            return False
        return self.running is not None or time.monotonic() - self.used_at < RETIRE

    def run(self, request: Message, stdout_fd: int, stderr_fd: int) -> Running:
        """Hand over one attempt. The descriptors remain the caller's.

        request: {"attempt": uuid, "task": key, "kind": "python" or "shell", "work": the attempt's folder,
        "entry": "module:function" or "source" or "shell": text, "code_path", "outputs": [{"name", "type"}],
        "inputs": {name: {"type", "value" or "path", "media_type", "meta"}}, "env": {}, "preload": [modules],
        "transient": [names of exceptions], "temporary": the folder for its temporary files}, and its limits:
        "memory" and "disk" in bytes, "processes", "open_files". What is empty may be left out.

        Raises ZygoteGone when it has ended, RuntimeError when an attempt is still running.
        """
        if self.running is not None:
            raise RuntimeError("this zygote already carries out an attempt")
        control: Message = {name: request[name] for name in CONTROL if name in request}
        group = self._group(request)
        preload = request.get("preload", self.preload)
        asked, report = os.memfd_create("request"), os.memfd_create("report")
        try:
            write_all(asked, json.dumps(request).encode())
            control |= {"preload": preload, "group": group}
            self._send({"verb": "run", **control}, [asked, report, stdout_fd, stderr_fd])
        except BaseException:
            os.close(report)
            if group:
                cgroup.remove(group)
            raise
        finally:
            os.close(asked)
        self.running = Running(self, request["attempt"], request["work"], report, group)
        if self.confined and self.container is None:
            self.running.oversight = Oversight(control, self.process.pid, time.monotonic())
        return self.running

    def _group(self, request: Message) -> str | None:
        """A control group for the attempt, where this worker may make one."""
        base = groups()
        if base is None or self.confined or not request.get("memory"):
            return None
        return cgroup.make(base, request["attempt"], request["memory"], request.get("processes") or 0)

    def ping(self) -> None:
        """Tell the zygote that its worker lives; a real message every quarter of the silence. Any thread."""
        if time.monotonic() - self._last_word >= self.ping_every:
            try:
                self._send({"verb": "ping"})
            except ZygoteGone:
                return  # poll() will say so to the one who waits

    def hang_up(self) -> None:
        """Have the zygote end, with whatever it carries out, as if its worker had gone. Returns at once.

        Closing the socket alone tells it nothing while another thread of ours waits on it.
        """
        with suppress(OSError):  # it may have ended
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the zygote and whatever it carries out. Returns when no process of it is left."""
        with self._closing:
            running = self.running
            self.hang_up()
            try:
                self.process.wait(KILL_PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                self.process.wait()
            # Only now: whoever waits for it is woken by its end, and not by another file of that number.
            self.socket.close()
            if self.container is not None:
                self.container.remove()
            if self.process.stderr is not None:
                self.process.stderr.close()
            if running is not None:
                kill_orphans(running.attempt)
                running.abandon()

    def _send(self, message: Message, fds: Sequence[int] = ()) -> None:
        body = json.dumps(message).encode()
        data = struct.pack("!I", len(body)) + body
        with self._lock:
            try:
                sent = socket.send_fds(self.socket, [data], fds) if fds else self.socket.send(data)
                if sent < len(data):
                    self.socket.sendall(data[sent:])
            except OSError as problem:
                raise ZygoteGone(f"the zygote {self.pid} does not answer: {problem}") from None
            self._last_word = time.monotonic()

    def _receive(self) -> bool:
        """Read what has come; False at end-of-file, and when it is more than any zygote of ours says."""
        try:
            data = self.socket.recv(256 * 1024)
        except OSError:
            return False
        self._buffer += data
        return bool(data) and len(self._buffer) <= MESSAGE_LIMIT

    def _next(self) -> Message | None:
        """The next whole message of the buffer. Raises Unbelievable."""
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[:4], "big")
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[4:end])
        del self._buffer[:end]
        return reports.event_of(body)


class Running:
    """One attempt that a zygote carries out, from the request to the event `ended`."""

    def __init__(self, zygote: Zygote, attempt: str, work: str, report: int, group: str | None) -> None:
        self.zygote = zygote
        self.attempt = attempt
        self._work = work
        self._report: int | None = report
        self._group = group
        self._stopped_since: float | None = None
        self._look_again = time.monotonic() + 1.0
        self.pid: int | None = None
        self.ended: Message | None = None
        self.oversight: Oversight | None = None
        self._passed: Message | None = None
        self._kill_by: float | None = None

    def fileno(self) -> int:
        """Readable when poll(0) may have something to say."""
        return self.zygote.socket.fileno()

    def poll(self, timeout: float | None = 0.0) -> Message | None:
        """The next event, `started` or `ended`, waiting up to `timeout` seconds (None: for ever).

        `ended` comes exactly once, whatever happens; its "result" is the runner's report with "provenance"
        added, or an {"error": …} made from the way the process ended. Calling this at least every few seconds
        keeps the attempt alive; a thread that calls `Zygote.ping` does too.
        """
        pause = self.zygote.ping_every / 3
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.ended is None:
            try:
                event = self._take()
            except reports.Unbelievable as problem:
                return self._finish(self._zygote_died(f"said what none of ours says: {problem}"))
            if event is not None:
                return event
            self.zygote.ping()
            if self._kill_by is not None and time.monotonic() > self._kill_by:
                self.zygote.kill()
            self._give_up_if_stopped()
            self._hold_to_limits()
            left = min(pause, self.due_in)
            if deadline is not None:
                left = min(left, deadline - time.monotonic())
            readable = self._wait(max(0.0, left))
            if readable and not self.zygote._receive():
                return self._finish(self._zygote_died())
            if not readable and deadline is not None and time.monotonic() >= deadline:
                return None
        return None

    def _give_up_if_stopped(self) -> None:
        """A task of the same user can stop its zygote, which then watches over nothing any more."""
        now = time.monotonic()
        if now < self._look_again:
            return
        self._look_again = now + 1.0
        if not processes.is_stopped(self.zygote.pid):
            self._stopped_since = None
        elif self._stopped_since is None:
            self._stopped_since = now
        elif now - self._stopped_since >= STOPPED_FOR:
            self.zygote.kill()

    @property
    def due_in(self) -> float:
        """Seconds after which poll() should be asked at the latest."""
        if self.oversight is None or self._passed is not None:
            return math.inf
        return max(0.0, self.oversight.due - time.monotonic())

    def _hold_to_limits(self) -> None:
        if self.oversight is not None and self._passed is None:
            self._passed = self.oversight.passed(time.monotonic())
            if self._passed is not None:
                self.kill()

    def _wait(self, seconds: float) -> bool:
        number = self.fileno()
        if number < 0:
            return True  # closed by another thread: there is an end to be heard of
        poller = select.poll()
        poller.register(number, select.POLLIN)
        return bool(poller.poll(seconds * 1000))

    def wait(self) -> Message:
        """The event `ended`, however long it takes."""
        while True:
            event = self.poll(None)
            if event is not None and event["event"] == "ended":
                return event

    def terminate(self, grace: float) -> None:
        """TERM to every process of the attempt, KILL to what is left after `grace` seconds; then `ended`."""
        self._ask({"verb": "kill", "signal": "TERM", "grace": grace}, grace)

    def kill(self) -> None:
        """KILL to every process of the attempt; then `ended`."""
        self._ask({"verb": "kill", "signal": "KILL"}, 0.0)

    def abandon(self) -> None:
        """The zygote was closed under this attempt; nobody hears of its end but who waits for it."""
        report = self._take_report()
        if report is not None:
            os.close(report)
            self._leave_group()
            self.zygote.running = None

    def _take_report(self) -> int | None:
        """The descriptor of the report, for one caller; None for all others."""
        with self.zygote._lock:
            report, self._report = self._report, None
        return report

    def _ask(self, message: Message, grace: float) -> None:
        self._kill_by = time.monotonic() + grace + KILL_PATIENCE
        try:
            self.zygote._send(message)
        except ZygoteGone:
            return  # poll() will say so

    def _take(self) -> Message | None:
        """The next event out of the buffer; facts for the zygote itself are taken aside."""
        while (message := self.zygote._next()) is not None and message["event"] == "capture":
            facts = message["provenance"]
            self.zygote.provenance = {**facts, "fingerprint": fingerprint(facts)}
        if message is None:
            return None
        if message["event"] == "started":
            self.pid = message["pid"]
            if self.zygote.confined:
                # Of an attempt that has ended since, nobody knows any more what it was called here.
                gone = b'"event": "ended"' in self.zygote._buffer
                self.pid = None if gone else processes.as_seen_here(self.pid, self.zygote.pid)
            return message
        return self._finish(message)

    def _finish(self, event: Message) -> Message:
        report = self._take_report()
        event["passed"] = self._passed or event["passed"]
        # An end that we know is told by us; all else is the word of the task.
        event["told"] = report is not None and "result" not in event and not event["passed"]
        event.setdefault("result", None)
        if report is None:
            event["result"] = {"error": gone("was closed")}
        else:
            event["result"] = event["result"] or reports.result_of(event, report, self._work)
            os.close(report)
            self._leave_group()
        event["result"]["provenance"] = self.zygote.provenance
        self.ended = event
        self.zygote.running = None
        self.zygote.used_at = time.monotonic()
        return event

    def _leave_group(self) -> None:
        if self._group is not None:
            cgroup.remove(self._group)

    def _zygote_died(self, how: str = "") -> Message:
        """The zygote ended under us, or shall; nothing of the attempt may outlive it. `how`: in words."""
        self.zygote.kill()
        self.zygote.process.wait()
        kill_orphans(self.attempt)
        self.zygote.socket.close()
        code = reports.describe(self.zygote.process.returncode)
        error = gone(how or f"ended ({code})")
        return {"event": "ended", "exit": None, "signal": None, "killed": None, "rusage": None,
                "passed": None, "result": {"error": error}}  # fmt: skip


def gone(how: str) -> Message:
    """The error of an attempt that lost its zygote. `how`: in words."""
    return reports.error("infrastructure", "ZygoteGone", f"the process that watched this attempt {how}")


def never_entered(waited: float) -> str:
    """In words why a zygote said nothing within these seconds."""
    if waited < ENTRY_PATIENCE:
        return "it ended before it had become the user of its team"
    return f"it had not become the user of its team after {ENTRY_PATIENCE:g} s: is the machine overloaded?"


@cache
def groups() -> str | None:
    """Where this process makes control groups for attempts; None where limits are watched by sampling."""
    return cgroup.delegated()


def fingerprint(facts: Message) -> str:
    """sha256 of the canonical JSON: equal facts, equal fingerprint."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def kill_orphans(attempt: str) -> None:
    """Kill every process that names this attempt in its environment, until none is left (or 5 s have passed).

    For a zygote that was killed: its runner dies with it, what the runner started does not. Those are our
    children now if this process is a subreaper, and are collected here.
    """
    deadline = time.monotonic() + NO_CHILDREN_LEFT
    while time.monotonic() < deadline:
        left = [pid for pid, name in processes.attempt_processes().items() if name == attempt]
        if not left:
            return
        processes.signal_all(left, signal.SIGKILL)
        collect(left)
        time.sleep(0.005)


def collect(pids: Sequence[int]) -> None:
    """Reap those of these processes that have become our children; others are their parents' business."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue


def closed() -> ZygoteGone:
    return ZygoteGone("this worker ends and starts nothing any more")


class ZygotePool:
    """The zygotes of one worker: one per interpreter, list of modules, and user with the code it may read."""

    def __init__(self, *, silence: float = SILENCE, idle: float = IDLE) -> None:
        self.silence = silence
        self.idle = idle
        self._zygotes: dict[Key, Zygote] = {}
        self._cold: list[Zygote] = []
        self._lock = threading.Lock()
        self._closed = False

    def get(
        self,
        interpreter: str | Path,
        preload: Sequence[str] = (),
        *,
        cold: bool = False,
        confined: Confined | None = None,
    ) -> Zygote:
        """A zygote that can take a request now. `cold`: a new interpreter without modules, used once.

        Raises ZygoteGone when the pool was closed, OSError and Unfit when none can be started.
        """
        if self._closed:
            raise closed()
        self._retire()
        if cold:
            return self._start(None, interpreter, (), confined)
        key = (str(interpreter), tuple(preload), confined)
        return self._zygotes.get(key) or self._start(key, interpreter, preload, confined)

    def _start(
        self, key: Key | None, interpreter: str | Path, preload: Sequence[str], confined: Confined | None
    ) -> Zygote:
        """A new one, known by its key from now on; a cold one has none."""
        zygote = Zygote.start(interpreter, preload, silence=self.silence, idle=self.idle, confined=confined)
        with self._lock:
            if not self._closed:
                if key is None:
                    self._cold.append(zygote)
                else:
                    self._zygotes[key] = zygote
                return zygote
        zygote.close()
        raise closed()

    def _retire(self) -> None:
        """Close those that have ended or will soon, and cold ones that have had their attempt."""
        for key, zygote in list(self._zygotes.items()):
            if not zygote.alive:
                self._zygotes.pop(key).close()
        for zygote in [zygote for zygote in self._cold if zygote.running is None]:
            self._cold.remove(zygote)
            zygote.close()

    def ping(self) -> None:
        """Keep every attempt of this worker alive; for the heartbeat thread, at least every few seconds."""
        for zygote in [*self._zygotes.values(), *self._cold]:
            if zygote.running is not None:
                zygote.ping()

    def close(self) -> None:
        """End all zygotes and everything they carry out, for good."""
        with self._lock:
            self._closed = True
            zygotes = [*self._zygotes.values(), *self._cold]
        # They stay known: another thread may be about to retire one. To close one twice does no harm.
        for zygote in zygotes:  # none goes on while another one takes its time
            zygote.hang_up()
        for zygote in zygotes:
            zygote.close()
