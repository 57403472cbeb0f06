"""What a fresh installation begins with: the queues that documents name. Safe to repeat at every start."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from runs import isolation, queues
from runs.models import Queue
from runs.worker import users

QUEUES: Final = {"cpu": "Processors", "gpu": "Accelerators"}


def first_queues() -> str | None:
    """The queues `cpu` and `gpu`, where they are missing; says which isolation they have got and why."""
    known = set(Queue.objects.values_list("slug", flat=True))
    missing = [slug for slug in QUEUES if slug not in known]
    if not missing:
        return None
    level, why = first_isolation()
    for slug in missing:
        queues.make(slug, QUEUES[slug], isolated=level, actor=None)
    return f"Tasks are isolated at the level '{level}'{why}."


def first_isolation() -> tuple[str, str]:
    """What the settings say, else the best that this machine gives; with the reason when it is the lesser."""
    if wanted := settings.ORCHESTRATOR["ISOLATION"]:
        return wanted, ""
    problem = users.why_not()
    return (isolation.SHARED, f": {problem}") if problem else (isolation.OWN, "")
