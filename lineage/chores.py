"""Nudges of lineage: after an attempt has ended, have it recorded soon."""

from __future__ import annotations

import time
from typing import Any

from runs import dispatch

RECORD = "record"
# Seconds between two rings of one process: a recorder takes all there is, and a ring costs a way to Redis.
PAUSE = 0.25

_rang_at = float("-inf")


def ask_to_record(**_: Any) -> None:
    """Ring for the recorder, at most every :data:`PAUSE`; what goes unheard the sweep finds."""
    global _rang_at
    now = time.monotonic()
    if now - _rang_at >= PAUSE:
        _rang_at = now
        dispatch.ring_system("nudge", RECORD)
