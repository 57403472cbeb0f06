"""Who descends from whom, read from /proc. Standard library only: the zygote loads this file too."""

from __future__ import annotations

import os
import signal
import time

NO_ATTEMPT = "00000000-0000-0000-0000-000000000000"
ATTEMPT_VARIABLE = "ORCHESTRATOR_ATTEMPT"
LEFT = 64  # the exit code of a worker that a person has drained: nobody starts it again


def children(pid: int) -> list[int]:
    """The direct children of a process; empty when it has none or is gone."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found.extend(int(word) for word in file.read().split())
        except FileNotFoundError:
            if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
                return _children_by_scan(pid)
        except OSError:
            continue
    return found


def _children_by_scan(parent: int) -> list[int]:
    """The same for kernels without the `children` file (CONFIG_PROC_CHILDREN)."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and parent_of(int(name)) == parent:
            found.append(int(name))
    return found


def parent_of(pid: int) -> int | None:
    """The parent's pid, or None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b") ", 1)[1].split()[1])
    except (OSError, IndexError, ValueError):
        return None


def is_stopped(pid: int) -> bool:
    """Has somebody stopped this process (SIGSTOP)?"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b") ", 1)[1][:1] == b"T"
    except (OSError, IndexError):
        return False


def descendants(pid: int) -> list[int]:
    """All descendants of a process, parents before their children, without the process itself."""
    found: list[int] = []
    seen = {pid}
    waiting = [pid]
    while waiting:
        for child in children(waiting.pop()):
            if child not in seen:
                seen.add(child)
                found.append(child)
                waiting.append(child)
    return found


def began(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None when it is gone. Tells it from a later one."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b") ", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def as_seen_here(pid: int, above: int) -> int | None:
    """The number here of the process that has another one in its own namespace; it descends from `above`."""
    for found in descendants(above):
        try:
            with open(f"/proc/{found}/status", "rb") as file:
                numbers = file.read().partition(b"\nNSpid:")[2].partition(b"\n")[0].split()
        except OSError:
            continue
        if numbers and int(numbers[-1]) == pid:
            return found
    return None


def signal_all(pids: list[int], number: int) -> None:
    """Send one signal to each process that still exists and is ours."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def reap() -> bool:
    """Collect ended children of this process; False when it has no children left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def kill_descendants() -> None:
    """Kill and collect every descendant of this process, which must be a child subreaper.

    A process that forks while we look is found in the next round: whatever its parent was, it becomes our
    child. Returns only when none is left.
    """
    pause = 0.0005
    while reap():
        signal_all(descendants(os.getpid()), signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def attempt_of(pid: int) -> str | None:
    """The attempt (uuid) that a process belongs to, as its environment says; None when it belongs to none."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            block = file.read()
    except OSError:
        return None
    prefix = ATTEMPT_VARIABLE.encode() + b"="
    for entry in block.split(b"\0"):
        if entry.startswith(prefix):
            value = entry[len(prefix) :].decode("ascii", "replace")
            return None if value == NO_ATTEMPT else value
    return None


def attempt_processes() -> dict[int, str]:
    """Every process on this machine that names an attempt: pid -> uuid. For a worker that starts."""
    found: dict[int, str] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            attempt = attempt_of(int(name))
            if attempt:
                found[int(name)] = attempt
    return found
