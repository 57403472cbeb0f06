"""The warm process of one environment: forks one runner per attempt and watches it to its end.

Standard library only, Python >= 3.9, Linux. Started by `runs/worker/zygotes.py` as

    <interpreter> -s zygote.py FD SILENCE IDLE

with a nearly empty environment. FD is one end of a stream socket pair; messages are a big-endian 32-bit
length and that many bytes of JSON. SILENCE and IDLE are seconds: how long the worker may say nothing while
an attempt runs, and how long the zygote waits without work before it ends.

    worker -> zygote   run, kill, ping, end
    zygote -> worker   started, capture (once), then exactly one ended per run

With `run` come four descriptors: the request itself, a place for the report, stdout and stderr. They are for
the runner alone; what is in them, secrets too, never passes through this process, whose memory later runners
inherit.

After an answer the zygote forks the runner of the next attempt ahead of time and lets it rehearse: a fork is
cheap, but each page that it touches first costs microseconds, and there are hundreds. So there is at most
one child at any time, a spare one or one at work. Nothing of the user runs in this process except the import
of `preload` modules.
"""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import gc
import importlib.util
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time

TYPE_CHECKING = False  # importing `typing` would cost every fork of the zygote its pages
if TYPE_CHECKING:
    from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
CLOSE_RANGE = 436  # the number of this system call is the same on every architecture
RESULT_FD = 3
SHORT = 0.05  # seconds; the worker hears of the start of an attempt that is shorter together with its end
PRIVATE_FOLDERS = ("/dev/shm", "/tmp", "/var/tmp", "/run/lock")  # noqa: S108
LIBC = ctypes.CDLL(None, use_errno=True)


def load_sibling(name: str) -> Any:
    """Load a file beside this one under a private name, so that it hides no module of the user."""
    private = "_orchestrator_" + name.replace("/", "_")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location(private, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    spec.loader.exec_module(module)
    return module


processes = load_sibling("processes")
memory = load_sibling("memory")
belongings = load_sibling("belongings")
limits = load_sibling("limits")
groups = load_sibling("cgroup")
helpers = load_sibling("orchestrator_task")
sys.modules["orchestrator_task"] = helpers
serializers = load_sibling("serializers")
runner = load_sibling("runner")
capture = load_sibling("capture/facts")


class WorkerGone(Exception):
    """The worker closed its end of the socket, or said nothing for too long."""


def environment_offset() -> int | None:
    """The address in memory of the value of ORCHESTRATOR_ATTEMPT in this process's first environment.

    /proc/PID/environ shows that memory. Writing an attempt's uuid there, in a fork, names the attempt for
    whoever looks for its processes, although nothing was executed anew.
    """
    mark = (processes.ATTEMPT_VARIABLE + "=" + processes.NO_ATTEMPT).encode()
    try:
        with open("/proc/self/environ", "rb") as file:
            at = file.read().find(mark)
        with open("/proc/self/stat", "rb") as file:
            start = int(file.read().rsplit(b") ", 1)[1].split()[47])
    except (OSError, IndexError, ValueError):
        return None
    return start + at + len(processes.ATTEMPT_VARIABLE) + 1 if at >= 0 and start else None


class Channel:
    """Framed JSON messages over the socket to the worker."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.socket.setblocking(True)
        self.socket.set_inheritable(False)

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """The next message and the file descriptors sent with it. Raises WorkerGone at end-of-file."""
        try:
            head, fds, _, _ = socket.recv_fds(self.socket, 4, 4)
            head += self._exactly(4 - len(head)) if head else b""
        except ConnectionError:
            raise WorkerGone from None
        if not head:
            raise WorkerGone
        return json.loads(self._exactly(struct.unpack("!I", head)[0])), list(fds)

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = self.socket.recv(size - len(parts))
            except ConnectionError:
                raise WorkerGone from None
            if not part:
                raise WorkerGone
            parts += part
        return bytes(parts)

    def send(self, *messages: dict[str, Any]) -> None:
        bodies = [json.dumps(message).encode() for message in messages]
        try:
            self.socket.sendall(b"".join(struct.pack("!I", len(body)) + body for body in bodies))
        except (BrokenPipeError, ConnectionError):
            raise WorkerGone from None


class Spare:
    """A runner that waits for its request at the other end of a socket."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self.end = end

    def hand_over(self, fds: list[int]) -> bool:
        """Give it the descriptors of an attempt; False when it has died meanwhile."""
        try:
            socket.send_fds(self.end, [b"!"], fds)
        except OSError:
            return False
        finally:
            self.end.close()
        return True


class Watch:
    """What the zygote knows about the one runner that is alive."""

    def __init__(self, pid: int, request: dict[str, Any], now: float) -> None:
        self.pid = pid
        self.memory: int = request.get("memory") or 0
        self.group: str | None = request.get("group")
        self.limits = limits.Limits(request, now, in_group=self.group is not None)
        # Its container has a limit of its own, which the kernel holds.
        self.walled = bool(request.get("walled"))
        # Of the whole machine, when first looked at.
        self.oom_kills = memory.oom_kills() if self.walled else None
        self.began = self.last_word = now
        self.grace_ends: float | None = None
        self.killed: str | None = None
        self.passed: dict[str, Any] | None = None


class Zygote:
    """The loop: wait for a request, fork, watch, answer."""

    def __init__(self, fd: int, silence: float, idle: float) -> None:
        # Process 1 of its namespace: it came through the door of confine.py and has folders of its own.
        self.private = os.getpid() == 1
        self.channel = Channel(socket.socket(fileno=fd))
        self.silence = silence
        self.idle = idle
        self.pid = os.getpid()
        self.loaded: set[str] = set()
        self.captured = False
        self.attempt_address = environment_offset()
        self.spare: Spare | None = None
        self.unsaid: list[dict[str, Any]] = []

    def serve(self) -> None:
        """Carry out requests until the worker goes, says `end`, or sends none for the idle time."""
        poller = select.poll()
        poller.register(self.channel.socket, select.POLLIN)
        idle_since = time.monotonic()
        while True:
            left = self.idle - (time.monotonic() - idle_since)
            if left <= 0 or not poller.poll(left * 1000):
                return
            message, fds = self.channel.receive()
            if message["verb"] == "run":
                self.run(message, fds)
                if self.private and not all(empty(folder) for folder in PRIVATE_FOLDERS):
                    return  # they end with this process; the next one has new ones
                self.make_spare(message)
                idle_since = time.monotonic()
            elif message["verb"] == "end":
                return

    def run(self, request: dict[str, Any], fds: list[int]) -> None:
        """One attempt, from fork to the answer `ended`."""
        problems = self.preload(request.get("preload") or [])
        pid = self.begin(request, fds)
        for fd in fds:
            os.close(fd)
        watch = Watch(pid, request, time.monotonic())
        self.unsaid = [{"event": "started", "pid": pid, "preload_problems": problems}]
        try:
            self.capture_once()
            self.wait_for(watch)
        except WorkerGone:
            processes.kill_descendants()
            raise
        self.unsaid.append(self.settle(watch))
        self.say()

    def say(self) -> None:
        """What the worker has not been told yet; of a short attempt all at once, so that it wakes once."""
        self.channel.send(*self.unsaid)
        self.unsaid.clear()

    def begin(self, request: dict[str, Any], fds: list[int]) -> int:
        """The pid of a runner that has the request."""
        for _ in range(2):
            spare = self.spare or self.fork_spare()
            self.spare = None
            if request.get("group") and not groups.enter(request["group"], spare.pid):
                request["group"] = None  # its limits are watched from here instead
            if spare.hand_over(fds):
                break
            # Something killed it while it waited; the next one is fresh.
            processes.kill_descendants()
        return spare.pid

    def make_spare(self, request: dict[str, Any]) -> None:
        """Fork the next runner while the worker is busy settling this attempt."""
        runner.remember(request)
        self.spare = self.fork_spare()

    def drop_spare(self) -> None:
        """The spare lacks what was imported since; a new one will have it."""
        if self.spare is not None:
            self.spare.end.close()
            self.spare = None
            processes.kill_descendants()

    def fork_spare(self) -> Spare:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pid = os.fork()
        if pid == 0:
            try:
                self.become_runner(theirs)
            except WorkerGone:
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        theirs.close()
        return Spare(pid, ours)

    def preload(self, names: list[str]) -> dict[str, str]:
        """Import modules that every runner of this environment will want; answers which failed, and why."""
        problems: dict[str, str] = {}
        wanted = [name for name in names if name not in self.loaded]
        if not wanted:
            return problems
        self.drop_spare()
        signal.signal(signal.SIGALRM, self.leave_if_orphaned)
        signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
        for name in wanted:
            self.loaded.add(name)
            try:
                importlib.import_module(name)
            except (Exception, SystemExit) as problem:
                problems[name] = f"{type(problem).__name__}: {problem}"
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        gc.collect()
        gc.freeze()
        return problems

    def leave_if_orphaned(self, *_: object) -> None:
        """During a long import nobody reads the socket; a worker that died must not leave us behind."""
        try:
            if self.channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                os._exit(0)
        except BlockingIOError:
            return
        except OSError:
            os._exit(0)

    def capture_once(self) -> None:
        """The facts about this environment and machine, found while the first runner is already at work.

        In a fork: what looking for them imports would cost every later fork its pages.
        """
        if not self.captured:
            self.captured = True
            self.unsaid.append({"event": "capture", "provenance": in_a_fork(capture.facts)})

    def become_runner(self, end: socket.socket) -> None:
        """In the fork: leave the zygote behind, rehearse, wait for the request, do it. Never returns."""
        os.setsid()
        LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self.pid:
            os._exit(1)
        be_first_to_die()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        keep_descriptor(end)
        runner.rehearse()
        request = receive_attempt()
        if self.attempt_address is not None:
            ctypes.memmove(self.attempt_address, request["attempt"].encode("ascii")[:36].ljust(36), 36)
        runner.main(request, RESULT_FD)

    def wait_for(self, watch: Watch) -> None:
        """Until the runner has ended: obey the worker, watch its silence, the grace time and the memory."""
        ended = os.pidfd_open(watch.pid)
        poller = select.poll()
        poller.register(ended, select.POLLIN)
        poller.register(self.channel.socket, select.POLLIN)
        try:
            while True:
                ready = [fd for fd, _ in poller.poll(self.patience(watch) * 1000)]
                if self.unsaid and ended not in ready:
                    self.say()
                if self.channel.socket.fileno() in ready:
                    watch.last_word = time.monotonic()
                    self.obey(self.channel.receive()[0], watch)
                if ended in ready:
                    return
                self.enforce(watch, time.monotonic())
        finally:
            os.close(ended)

    def patience(self, watch: Watch) -> float:
        """Seconds until something is due if nothing happens."""
        due = [watch.last_word + self.silence]
        if self.unsaid:
            due.append(watch.began + SHORT)
        if not watch.killed:
            due.append(watch.limits.due)
        if watch.grace_ends is not None:
            due.append(watch.grace_ends)
        return max(0.0, min(due) - time.monotonic()) + 0.001

    def obey(self, message: dict[str, Any], watch: Watch) -> None:
        verb = message["verb"]
        if verb == "end":
            raise WorkerGone
        if verb != "kill":
            return
        pids = processes.descendants(self.pid)
        watch.killed = watch.killed or message["signal"]
        if message["signal"] == "KILL":
            processes.signal_all(pids, signal.SIGKILL)
            return
        processes.signal_all(pids, signal.SIGTERM)
        processes.signal_all(pids, signal.SIGCONT)
        if watch.grace_ends is None:
            watch.grace_ends = time.monotonic() + float(message.get("grace", 10.0))

    def enforce(self, watch: Watch, now: float) -> None:
        if now - watch.last_word >= self.silence:
            raise WorkerGone
        if watch.grace_ends is not None and now >= watch.grace_ends:
            watch.grace_ends = None
            processes.signal_all(processes.descendants(self.pid), signal.SIGKILL)
        if not watch.killed and now >= watch.limits.due:
            self.hold_to_limits(watch, now)

    def hold_to_limits(self, watch: Watch, now: float) -> None:
        if watch.oom_kills is None:
            watch.oom_kills = memory.oom_kills()
        pids = processes.descendants(self.pid)
        watch.passed = watch.limits.passed(pids, now)
        if watch.passed is not None:
            watch.killed = watch.passed["what"]
            processes.signal_all(pids, signal.SIGKILL)

    def settle(self, watch: Watch) -> dict[str, Any]:
        """Collect the runner, see its last descendants off, and say how it ended."""
        _, status, usage = os.wait4(watch.pid, 0)
        while watch.grace_ends is not None and time.monotonic() < watch.grace_ends and processes.reap():
            time.sleep(0.01)
        processes.kill_descendants()
        watch.limits.belongings.clear()
        watch.passed = watch.passed or killed_by_kernel(status, watch, usage.ru_maxrss * 1024)
        return {
            "event": "ended",
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "killed": watch.killed,
            "passed": watch.passed,
            "rusage": {"user": usage.ru_utime, "system": usage.ru_stime, "max_rss": usage.ru_maxrss * 1024},
        }


def keep_descriptor(end: socket.socket) -> None:
    """Keep 0 (/dev/null), 1, 2 and, for now as 3, the socket of the request; close all that others opened."""
    above = fcntl.fcntl(end.detach(), fcntl.F_DUPFD_CLOEXEC, RESULT_FD + 1)
    os.dup2(above, RESULT_FD, inheritable=False)
    if LIBC.syscall(CLOSE_RANGE, RESULT_FD + 1, 0x7FFFFFFF, 0) != 0:
        os.closerange(RESULT_FD + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def receive_attempt() -> dict[str, Any]:
    """Wait for the descriptors of an attempt, put them where they belong, and read the request."""
    end = socket.socket(fileno=RESULT_FD)
    word, fds, _, _ = socket.recv_fds(end, 1, 4)
    end.close()
    if not word:
        raise WorkerGone
    request, result, stdout, stderr = fds
    os.dup2(stdout, 1, inheritable=True)
    os.dup2(stderr, 2, inheritable=True)
    os.dup2(result, RESULT_FD, inheritable=False)
    body = os.pread(request, os.fstat(request).st_size, 0)
    for fd in fds:
        os.close(fd)
    return json.loads(body)


def in_a_fork(look: Any) -> Any:
    """What a function finds, as JSON takes it, carried out in a short-lived process of its own.

    Told over a socket: a pipe could be opened by way of /proc and written to by an attempt of the same user.
    """
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            there.sendall(json.dumps(look()).encode())
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    there.close()
    with here, here.makefile("rb") as file:
        body = file.read()
    os.waitpid(pid, 0)
    return json.loads(body)


def be_first_to_die() -> None:
    """When the machine runs out of memory the kernel shall take a task, not a worker or the database."""
    try:
        number = os.open("/proc/self/oom_score_adj", os.O_WRONLY)  # a file object would touch more memory
        os.write(number, b"1000")
        os.close(number)
    except OSError as problem:
        os.write(2, f"oom_score_adj could not be set: {problem}\n".encode())


def empty(folder: str) -> bool:
    """Remove what an attempt has left in a private folder; False when something of it cannot be removed.

    What belongs to others are places of mounts.
    """
    try:
        for entry in list(os.scandir(folder)) if os.path.isdir(folder) else ():
            if entry.stat(follow_symlinks=False).st_uid != os.getuid():
                continue
            if entry.is_dir(follow_symlinks=False):
                importlib.import_module("shutil").rmtree(entry.path)
            else:
                os.unlink(entry.path)
    except (OSError, RecursionError):
        return False
    return True


def killed_by_kernel(status: int, watch: Watch, held: int) -> dict[str, Any] | None:
    """What the kernel ended the attempt for: the limit of its group, or the memory of the whole machine.

    For the latter there is no certainty: SIGKILL from nobody we know, while the kernel counted processes that
    it killed for their memory.
    """
    if watch.group is not None and groups.was_out_of_memory(watch.group):
        watch.killed = "memory"
        return {"what": "memory", "limit": watch.memory, "held": groups.held(watch.group)}
    if watch.killed or watch.oom_kills is None or not os.WIFSIGNALED(status):
        return None
    if os.WTERMSIG(status) == signal.SIGKILL and memory.oom_kills() > watch.oom_kills:
        watch.killed = "memory"
        return {"what": "container" if watch.walled else "machine", "limit": watch.memory, "held": held}
    return None


def main() -> None:
    fd, silence, idle = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    del sys.path[0]
    sys.dont_write_bytecode = True
    if LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this kernel has no child subreapers")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(file=2)
    runner.prepare()
    zygote = Zygote(fd, silence, idle)
    # No task of the same user may read or change the process that later attempts are forked from.
    LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    gc.collect()
    gc.freeze()
    try:
        zygote.serve()
    except WorkerGone:
        processes.kill_descendants()


if __name__ == "__main__":
    main()
