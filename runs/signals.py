"""What ``runs`` tells the rooms above it, after the commit. A lost signal is found again by a sweep."""

from __future__ import annotations

from django.dispatch import Signal

# attempts: list of ids of attempts that have just ended
attempt_finished = Signal()
# run: id of a run that has just ended
run_finished = Signal()
