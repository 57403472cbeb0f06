"""What a lost nudge left: attempts without a record, decisions without an entry."""

from __future__ import annotations

from lineage import approvals, recorder

# Records written in one round, so that other sweeps get their turn.
ONE_ROUND = 2000


def sweep() -> None:
    """Record what is finished and has no record, and enter decisions; nothing happens when all is done."""
    if recorder.record_politely(ONE_ROUND):
        recorder.advance_mark()
    approvals.catalogue_pending()
