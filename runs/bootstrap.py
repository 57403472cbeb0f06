"""What a fresh installation begins with: the queues that documents name. Safe to repeat at every start."""

from __future__ import annotations

from typing import Final

from runs import queues
from runs.models import Queue

QUEUES: Final = {"cpu": "Processors", "gpu": "Accelerators"}


def first_queues() -> None:
    """The queues `cpu` and `gpu`, where they are missing."""
    known = set(Queue.objects.values_list("slug", flat=True))
    for slug, title in QUEUES.items():
        if slug not in known:
            queues.make(slug, title, actor=None)
