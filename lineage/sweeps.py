"""What a lost nudge left: attempts without a record, decisions without an entry."""

from __future__ import annotations

import time

from lineage import approvals, recorder, reuses

# Records written in one round, so that other sweeps get their turn.
ONE_ROUND = 2000
# Seconds between two moves of the mark; until it moves, each round looks again at what was recorded since.
MARK_EVERY = 30.0

_marked_at = float("-inf")


def sweep() -> None:
    """Record what is finished and has no record, and enter decisions; nothing happens when all is done."""
    recorder.record_politely(ONE_ROUND)
    reuses.record_pending(ONE_ROUND)
    approvals.catalogue_pending()
    _mark_now_and_then()


def _mark_now_and_then() -> None:
    global _marked_at
    now = time.monotonic()
    if now - _marked_at >= MARK_EVERY:
        _marked_at = now
        recorder.advance_mark()
        reuses.advance_mark()
