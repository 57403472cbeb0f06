"""What the rooms above are told after the commit; best effort, as their sweeps find what was missed."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.dispatch import Signal

# A code location has a new snapshot. Keyword: snapshot (CodeSnapshot).
code_synced = Signal()

# Somebody wants a repository synced; sent within their transaction, so that the wish and its work are one.
# Keywords: location (CodeLocation), actor (User or None), token (ApiToken or None).
sync_wanted = Signal()

# Somebody may see or do more, or less, than before. Keyword: users, their ids; None when it may be anybody.
rights_changed = Signal()


def tell_rights(users: Collection[int] | None) -> None:
    """Say after the commit that these people (None: perhaps anybody) may now do more or less."""
    transaction.on_commit(lambda: rights_changed.send_robust(None, users=users), robust=True)
