"""Whether the machine was quiet enough for a time to say something about the product."""

from __future__ import annotations

import threading
import time
from typing import Final

CROWDED: Final = 0.5  # cores; where others use more, times say nothing and are not judged
LONGEST: Final = 2.0  # seconds; whoever is not scheduled for longer is on a machine that stands still
EVERY: Final = 0.1  # seconds

Span = tuple[float, float]  # wall clock, from and to


class Watchdog(threading.Thread):
    """Notes when it was not scheduled for long: then nobody else may have been."""

    def __init__(self) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.stalls: list[Span] = []
        self._ended = threading.Event()

    def run(self) -> None:
        seen = time.monotonic()
        while not self._ended.wait(EVERY):
            now = time.monotonic()
            if now - seen > LONGEST:
                self.stalls.append((time.time() - (now - seen), time.time()))
            seen = now

    def end(self) -> None:
        self._ended.set()
        self.join()


def meets(times: list[Span], began: float, ended: float) -> bool:
    return any(start <= ended and began <= end for start, end in times)


def disturbed(others: float, stalls: list[Span], began: float, ended: float) -> str:
    """What of the machine may have made something take longer between these moments; "" for nothing.

    ``others``: cores that strangers used.
    """
    if others >= CROWDED:
        return f"others used {others:.2f} cores"
    if meets(stalls, began, ended):
        return f"the machine stood still for more than {LONGEST:g} s"
    return ""
