"""Reading what the tasks of one run stamped, and what follows from it."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

POLL = 0.02  # seconds; a stamp that is seen late costs a figure nothing, as it carries its own time


class Wrong(Exception):
    """A measurement that must not be believed; says why."""


@dataclass(frozen=True, order=True)
class Stamp:
    at: float  # seconds since 1970
    task: str
    event: str
    process: str  # the number of its process, and the namespace of that


class Stamps:
    """The stamp file of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def new(cls, folder: Path, name: str) -> Stamps:
        """Of a run that is about to begin."""
        return cls(folder / f"{name}-{uuid.uuid4().hex[:8]}.tsv")

    def read(self) -> list[Stamp]:
        """All stamps, in the order of their times."""
        rows = (line.split("\t") for line in self._bytes().decode().splitlines())
        return sorted(Stamp(float(at), task, event, process) for at, task, event, process in rows)

    def count(self, event: str) -> int:
        return self._bytes().count(f"\t{event}\t".encode())

    def wait(self, event: str, number: int, limit: float) -> None:
        """Until so many tasks stamped `event`. Raises Wrong after `limit` seconds."""
        deadline = time.monotonic() + limit
        while (found := self.count(event)) < number:
            if time.monotonic() > deadline:
                raise Wrong(f"after {limit:g} s only {found} of {number} tasks had stamped {event!r}")
            time.sleep(POLL)

    def at(self, task: str, event: str) -> float:
        """The time of the first such stamp."""
        return next(stamp.at for stamp in self.read() if (stamp.task, stamp.event) == (task, event))

    def first(self, event: str = "start") -> float:
        return min(stamp.at for stamp in self.read() if stamp.event == event)

    def last(self, event: str = "end") -> float:
        return max(stamp.at for stamp in self.read() if stamp.event == event)

    def gaps(self) -> list[float]:
        """Seconds from the end of each task of a chain to the start of the next."""
        rows = self.read()
        ends = [stamp.at for stamp in rows if stamp.event == "end"]
        starts = [stamp.at for stamp in rows if stamp.event == "start"]
        return [start - end for end, start in zip(ends, starts[1:], strict=False)]

    def check_isolation(self, attempts: int) -> None:
        """Raises Wrong unless there were so many attempts, each in a process of its own from start to end."""
        rows = self.read()
        starts = [stamp.process for stamp in rows if stamp.event == "start"]
        shared = sum(times - 1 for times in Counter(starts).values())
        if len(starts) != attempts:
            raise Wrong(f"{len(starts)} attempts started and {attempts} were expected, in {self.path.name}")
        if shared:
            raise Wrong(f"{shared} of {attempts} attempts had the process id of another, in {self.path.name}")
        began = {(stamp.task, stamp.process) for stamp in rows if stamp.event == "start"}
        ended = {(stamp.task, stamp.process) for stamp in rows if stamp.event == "end"}
        if not ended <= began:
            raise Wrong(f"a task ended in another process than it began in, in {self.path.name}")

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
