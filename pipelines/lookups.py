"""What higher apps tell about their things: queues and endpoints that a document names, states of runs.

They register here in ``AppConfig.ready()``; nothing here imports them. Asking before anybody registered
gives nothing, as it does for a team that has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from pipelines.models import Pipeline, Team


@dataclass
class Lookups:
    """queues: slugs that a team may use -> image of their containers, or "".

    endpoints: name -> stage of those a team may deploy to.
    last_runs: pipeline ids, at most n -> for each id its newest runs as plain JSON, newest first.
    in_state: the pipelines whose newest run is in a state. environments: ids of code snapshots -> for each
    the environment of its lock file as plain JSON, where there is one. slots: kind -> the most units that one
    task could be given.
    """

    queues: Callable[[Team], dict[str, str]] = lambda team: {}
    endpoints: Callable[[Team], dict[str, str]] = lambda team: {}
    last_runs: Callable[[Iterable[int], int], dict[int, list[dict[str, Any]]]] = lambda ids, limit: {}
    in_state: Callable[[QuerySet[Pipeline], str], QuerySet[Pipeline]] = lambda pipelines, state: (
        pipelines.none()
    )
    environments: Callable[[Iterable[int]], dict[int, dict[str, Any]]] = lambda ids: {}
    slots: Callable[[], dict[str, int]] = dict


lookups = Lookups()
