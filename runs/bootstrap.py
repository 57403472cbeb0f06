"""What a fresh installation begins with: the queues that documents name. Safe to repeat at every start."""

from __future__ import annotations

from typing import Final

from runs.models import Queue

QUEUES: Final = {"cpu": "Processors", "gpu": "Accelerators"}


def queues() -> None:
    """The queues `cpu` and `gpu`, where they are missing."""
    for slug, title in QUEUES.items():
        Queue.objects.get_or_create(slug=slug, defaults={"title": title})
