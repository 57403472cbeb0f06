"""The limits of an attempt at `own user`, watched by the worker.

Its zygote is of the same user as the task, and a process can keep from its equals what the kernel knows of it
(PR_SET_DUMPABLE), though not from root with CAP_SYS_PTRACE. The zygote watches too, for workers without that.
"""

from __future__ import annotations

import os
from typing import Any

from runs.worker import processes
from runs.worker.limits import Limits

# In the zygote's view one file system in memory holds all private folders, and this one is among them.
PRIVATE = "/dev/shm"  # noqa: S108


class Oversight:
    """`request`: as for `Limits`. `door`: the process through which the zygote came, its parent."""

    def __init__(self, request: dict[str, Any], door: int, now: float) -> None:
        inside = processes.children(door)
        self._zygote = inside[0] if inside else door
        self._limits = Limits(request, now, private=private_folder(self._zygote))

    @property
    def due(self) -> float:
        """When, on the monotonic clock, passed() has something to do."""
        return self._limits.due

    def passed(self, now: float) -> dict[str, Any] | None:
        """The first limit that the attempt has passed: {"what", "limit", "held"}, or None."""
        if now < self.due:
            return None
        return self._limits.passed(processes.descendants(self._zygote), now)


def private_folder(zygote: int) -> str:
    """A folder that this zygote has for itself, by a path of ours; "" when it may be everybody's."""
    is_covered = os.path.realpath(PRIVATE) == PRIVATE  # as view.py wants it
    return f"/proc/{zygote}/root{PRIVATE}" if is_covered else ""
