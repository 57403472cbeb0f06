"""The limits of one attempt, watched from outside. Standard library only: the zygote loads this file too."""

from __future__ import annotations

import os
import sys
import time

if "_orchestrator_memory" in sys.modules:  # in the zygote, which loads its siblings under private names
    memory = sys.modules["_orchestrator_memory"]
    belongings = sys.modules["_orchestrator_belongings"]
else:
    from runs.worker import belongings, memory

TYPE_CHECKING = False  # importing `typing` would cost every fork of the zygote its pages
if TYPE_CHECKING:
    from typing import Any

SAMPLE_SECONDS = 0.2
DISK_SECONDS = 1.0
# A look must not take more than one part in so many of the time.
SHARE = 20
# Files and folders of one attempt: even empty ones cost whoever looks through them and removes them.
MOST_FILES = 1_000_000


class Pace:
    """When to look again: after a pause, longer where a look takes long."""

    def __init__(self, pause: float, now: float) -> None:
        self.pause = pause
        self.due = now + pause

    def is_due(self, now: float) -> bool:
        return now >= self.due

    def looked(self, since: float) -> None:
        now = time.monotonic()
        self.due = now + max(self.pause, SHARE * (now - since))


class Limits:
    """Memory, processes and disk of one attempt.

    request: {"memory": bytes, "processes": number, "disk": bytes, "work": folder, "temporary": folder}; what
    is missing or 0 is not limited. `in_group`: the kernel watches the memory itself. `private`: as Belongings
    take it.
    """

    def __init__(
        self, request: dict[str, Any], now: float, *, in_group: bool = False, private: str = ""
    ) -> None:
        self.memory: int = 0 if in_group else request.get("memory") or 0
        self.processes: int = request.get("processes") or 0
        self.disk: int = request.get("disk") or 0
        self.folders = [folder for folder in (request.get("work"), request.get("temporary")) if folder]
        self.belongings = belongings.Belongings(time.time(), private)
        self._often = Pace(SAMPLE_SECONDS, now)
        self._seldom = Pace(DISK_SECONDS, now)

    @property
    def due(self) -> float:
        """When, on the monotonic clock, passed() has something to do."""
        return min(self._often.due, self._seldom.due) if self.disk else self._often.due

    def passed(self, pids: list[int], now: float) -> dict[str, Any] | None:
        """The first limit that these processes have passed: {"what", "limit", "held"}, or None."""
        found = None
        if self._often.is_due(now):
            found = self._many(pids) or self._memory(pids)
            self._often.looked(now)
        if found is None and self.disk and self._seldom.is_due(now):
            found = self._disk(pids)
            self._seldom.looked(now)
        return found

    def _many(self, pids: list[int]) -> dict[str, Any] | None:
        return answer("processes", self.processes, len(pids))

    def _memory(self, pids: list[int]) -> dict[str, Any] | None:
        in_files = sum(self.belongings.look(pids).memory.values())
        held = memory.over_limit(pids, self.memory, in_files) if self.memory else None
        return answer("memory", self.memory, held or 0)

    def _disk(self, pids: list[int]) -> dict[str, Any] | None:
        nameless = sum(self.belongings.look(pids).disk.values())
        named, files = belongings.disk_used(self.folders, self.disk, MOST_FILES)
        return answer("disk", self.disk, nameless + named) or answer("files", MOST_FILES, files)


def answer(what: str, limit: int, held: int) -> dict[str, Any] | None:
    return {"what": what, "limit": limit, "held": held} if limit and held > limit else None


def free_disk(folder: str) -> int:
    """Bytes that an ordinary process may still write where this folder lies."""
    known = os.statvfs(folder)
    return known.f_bavail * known.f_frsize
