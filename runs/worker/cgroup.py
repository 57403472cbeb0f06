"""Memory limits by the kernel, where this process may divide its own control group (cgroup v2, delegated).

Standard library only: the zygote loads this file too. The kernel allows processes only in groups without
children that share memory out, so the worker first moves into a group of its own:

    <delegated>/product            the worker, and whatever else was in the delegated group
    <delegated>/attempt-<uuid>     one attempt: memory.max, memory.oom.group, pids.max

Whatever is missing, from the kernel to the permission, means no group: limits are then watched by sampling.
"""

from __future__ import annotations

import os
import time

CGROUPS = "/proc/self/cgroup"
MOUNTS = "/proc/self/mountinfo"
PRODUCT = "product"
ATTEMPT = "attempt-"
SPARE_PROCESSES = 64  # above the limit that is watched by counting, so that the count can say what happened
EMPTY_WITHIN = 2.0  # seconds for the kernel to see killed processes off


def delegated() -> str | None:
    """The folder in which this process may make groups with a memory limit; None where it may not."""
    mount, own = mount_point(), own_group()
    if mount is None or own is None:
        return None
    group = os.path.normpath(mount + own)
    base = os.path.dirname(group) if os.path.basename(group) == PRODUCT else group
    try:
        if "memory" not in read(base, "cgroup.controllers").split():
            return None
        if not os.path.exists(os.path.join(base, "cgroup.type")):
            return None  # the root of the machine is nobody's to divide
        if base == group:
            move_into_product(base)
        write(base, "cgroup.subtree_control", "+memory")
        try_write(base, "cgroup.subtree_control", "+pids")
    except OSError:
        return None
    return base


def mount_point() -> str | None:
    """Where cgroup v2 is mounted."""
    with open(MOUNTS) as file:
        for line in file:
            before, _, after = line.partition(" - ")
            if after.startswith("cgroup2 "):
                return before.split()[4]
    return None


def own_group() -> str | None:
    """The v2 group of this process, as a path below the mount point."""
    with open(CGROUPS) as file:
        for line in file:
            if line.startswith("0::"):
                return line[3:].strip()
    return None


def move_into_product(base: str) -> None:
    """Empty the delegated group into a child of it. Raises OSError."""
    os.makedirs(os.path.join(base, PRODUCT), exist_ok=True)
    for pid in read(base, "cgroup.procs").split():
        write(os.path.join(base, PRODUCT), "cgroup.procs", pid)


def make(base: str, attempt: str, memory: int, processes: int) -> str | None:
    """A group for one attempt, its limits set; None when the kernel refuses."""
    group = os.path.join(base, ATTEMPT + attempt)
    try:
        os.mkdir(group)
        write(group, "memory.max", str(memory))
        # What the kernel ends, it ends whole: half a tree helps nobody.
        write(group, "memory.oom.group", "1")
    except OSError:
        remove(group)
        return None
    try_write(group, "memory.swap.max", "0")
    if processes:
        try_write(group, "pids.max", str(processes + SPARE_PROCESSES))
    return group


def enter(group: str, pid: int) -> bool:
    """Put a process, and all it will start, into a group; False when the kernel refuses."""
    return try_write(group, "cgroup.procs", str(pid))


def was_out_of_memory(group: str) -> bool:
    """Has the kernel ended processes of this group for its memory limit?"""
    try:
        events = dict(line.split() for line in read(group, "memory.events").splitlines())
    except (OSError, ValueError):
        return False
    return int(events.get("oom_kill", "0")) > 0


def held(group: str) -> int:
    """The most bytes that a group has held."""
    try:
        return int(read(group, "memory.peak"))
    except (OSError, ValueError):
        return 0


def remove(group: str) -> None:
    """End what is left in a group, and the group; one that stays is removed when a worker starts."""
    try_write(group, "cgroup.kill", "1")
    deadline = time.monotonic() + EMPTY_WITHIN
    while True:
        try:
            os.rmdir(group)
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.005)


def read(group: str, name: str) -> str:
    with open(os.path.join(group, name)) as file:
        return file.read()


def write(group: str, name: str, text: str) -> None:
    with open(os.path.join(group, name), "w") as file:
        file.write(text)


def try_write(group: str, name: str, text: str) -> bool:
    try:
        write(group, name, text)
    except OSError:
        return False
    return True
