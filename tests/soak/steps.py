"""How a fault waits: each is a generator that gives the others their turn by `yield`."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

Steps = Iterator[None]


def pause(seconds: float) -> Steps:
    """Let the others go on for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


def waited(condition: Callable[[], bool], seconds: float) -> Generator[None, None, bool]:
    """Until the condition holds; `yield from` it gives whether it did in time."""
    until = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < until:
        yield
    return held
