"""How much memory a process tree holds. Standard library only: the zygote loads this file too."""

from __future__ import annotations

import os

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> int:
    """Resident bytes of one process, shared pages included; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def proportional(pid: int) -> tuple[int, int]:
    """Bytes of one process, each shared page divided among those that share it; slower than `resident`.

    The second number is the part of it that files without a disk have: shared memory.
    """
    found = {"Pss": 0, "Pss_Shmem": 0}
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name in found:
                    found[name] = int(rest.split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return resident(pid), 0
    return found["Pss"], found["Pss_Shmem"]


def over_limit(pids: list[int], limit: int, in_files: int = 0) -> int | None:
    """The bytes these processes hold if that is more than the limit, else None.

    `in_files`: bytes in files without a disk, mapped or not. Resident memory counts a page that two processes
    share twice, so what looks too much is measured again by proportional shares before anybody is blamed.
    """
    if sum(map(resident, pids)) + in_files <= limit:
        return None
    shares = [proportional(pid) for pid in pids]
    mapped = sum(shared for _, shared in shares)
    held = sum(share for share, _ in shares) + max(0, in_files - mapped)
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
