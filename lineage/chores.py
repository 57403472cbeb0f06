"""Nudges and chores of lineage: recording soon after an attempt has ended, and order in the store."""

from __future__ import annotations

import time
from typing import Any

from lineage import tenants
from pipelines.store import configured
from runs import chores, dispatch
from runs.models import Chore

RECORD = "record"
# Seconds between two rings of one process: a recorder takes all there is, and a ring costs a way to Redis.
PAUSE = 0.25
TIDY = "tidy-store"
TIDY_EVERY = 3600.0  # seconds

_rang_at = float("-inf")
_tidy_at = time.monotonic() + 300


def ask_to_record(**_: Any) -> None:
    """Ring for the recorder, at most every :data:`PAUSE`; what goes unheard the sweep finds."""
    global _rang_at
    now = time.monotonic()
    if now - _rang_at >= PAUSE:
        _rang_at = now
        dispatch.ring_system("nudge", RECORD)


def ask_to_tidy() -> None:
    """A sweep: have broken uploads and halves of files removed from the store, once an hour."""
    global _tidy_at
    if time.monotonic() >= _tidy_at:
        _tidy_at = time.monotonic() + TIDY_EVERY
        chores.ask(TIDY, "all")


def tidy(chore: Chore) -> None:
    """Carry out a chore of kind ``tidy-store``. Raises StoreError: tried again later."""
    with configured.store() as store:
        tenants.enter(store)
        store.tidy()
