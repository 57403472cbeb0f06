"""A wrong clock for one process: every wall clock that Python code asks is off by some seconds.

The kernel has no such thing for one process, so Python's own names are replaced, before anything else is
imported. The monotonic clock stays as it is, as it does where a machine's clock is wrong.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

RightTime = datetime.datetime


def set_wrong(seconds: float) -> None:
    """Let ``time.time`` and ``datetime.now`` be off from now on."""
    off = datetime.timedelta(seconds=seconds)
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + int(seconds * 1e9)

    class Kind(type):
        def __instancecheck__(cls, given: object) -> bool:
            return isinstance(given, RightTime)

    class Wrong(RightTime, metaclass=Kind):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return RightTime.now(tz) + off

        @classmethod
        def utcnow(cls) -> Any:
            return RightTime.now(datetime.UTC).replace(tzinfo=None) + off

    datetime.datetime = Wrong  # type: ignore[misc]
