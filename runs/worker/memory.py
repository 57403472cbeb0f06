"""How much memory a process tree holds. Standard library only: the zygote loads this file too."""

from __future__ import annotations

import os

PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.2


def resident(pid: int) -> int:
    """Resident bytes of one process, shared pages included; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def proportional(pid: int) -> int:
    """Bytes of one process, each shared page divided among those that share it; slower than `resident`."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        pass
    return resident(pid)


def tree_resident(pids: list[int]) -> int:
    """Resident bytes of several processes; pages they share are counted once for each."""
    return sum(resident(pid) for pid in pids)


def over_limit(pids: list[int], limit: int) -> int | None:
    """The bytes these processes hold if that is more than the limit, else None.

    Resident memory counts a page that two processes share twice, so what looks too much is measured again by
    proportional shares before anybody is blamed.
    """
    if tree_resident(pids) <= limit:
        return None
    held = sum(proportional(pid) for pid in pids)
    return held if held > limit else None


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory; 0 where it does not say."""
    try:
        with open("/proc/vmstat", "rb") as file:
            for line in file:
                if line.startswith(b"oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0


def default_limit() -> int:
    """Bytes allowed to a task that names no limit: 2 GiB or half the machine, whichever is less."""
    physical = os.sysconf("SC_PHYS_PAGES") * PAGE
    return min(2 * 1024**3, physical // 2)
