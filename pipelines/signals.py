"""What the rooms above are told after the commit; best effort, as their sweeps find what was missed."""

from __future__ import annotations

from django.dispatch import Signal

# A code location has a new snapshot. Keyword: snapshot (CodeSnapshot).
code_synced = Signal()

# Somebody may see or do more, or less, than before. Keyword: users, their ids; None when it may be anybody.
rights_changed = Signal()
