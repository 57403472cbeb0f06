"""What teams may have at a time: said by site admins, here alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import transaction

from pipelines import audit
from pipelines.errors import Invalid
from pipelines.models import ApiToken, Team, User
from runs import pausing
from runs.models import Queue, Run, TeamLimits
from runs.states import RunState
from runs.transitions import Told

MOST: Final = 1_000_000
MOST_WEIGHT: Final = 1_000.0
EVERYWHERE: Final = ""  # in place of a queue
COUNTS: Final = ("active_runs", "queued_tasks", "running_tasks")
NO_COUNT: Final = f"A whole number from 0 to {MOST:,}, or nothing for no limit."
NO_WEIGHT: Final = f"A number above 0 and up to {MOST_WEIGHT:,.0f}, or nothing for 1."


@dataclass(frozen=True)
class Limits:
    """What one row of :class:`~runs.models.TeamLimits` says."""

    active_runs: int | None = None
    queued_tasks: int | None = None
    running_tasks: int | None = None
    weight: float | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in asdict(self).values())


def of(team: Team) -> dict[str, Limits]:
    """Queue, or "" for all together -> the limits of a team there; none that say nothing. One query."""
    rows = TeamLimits.objects.filter(team=team).order_by("queue")
    found = {
        row.queue: Limits(row.active_runs, row.queued_tasks, row.running_tasks, row.weight) for row in rows
    }
    return {queue: limits for queue, limits in found.items() if limits}


@transaction.atomic
def set_for(team: Team, wanted: Mapping[str, Limits], *, actor: User, token: ApiToken | None = None) -> bool:
    """Have a team have these limits and no others, from the next start and claim on; what runs goes on.

    False when nothing changes. Invalid names what makes no sense.
    """
    row = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    wanted = {queue: limits for queue, limits in wanted.items() if limits}
    _check(wanted)
    before = of(row)
    if before == wanted:
        return False
    for queue in {*before, *wanted}:
        values = asdict(wanted.get(queue, Limits()))
        TeamLimits.objects.update_or_create(values, team=row, queue=queue)
    facts = {"before": _told(before), "limits": _told(wanted)}
    audit.write(actor, "team.limits", row, facts, team=row, token=token)
    Told(woken=pausing.due(Run.objects.filter(team=row, state=RunState.RUNNING))).after_commit()
    return True


def _told(limits: Mapping[str, Limits]) -> dict[str, Any]:
    return {
        queue or "all": {name: value for name, value in asdict(one).items() if value is not None}
        for queue, one in limits.items()
    }


def _check(wanted: Mapping[str, Limits]) -> None:
    errors = [error for queue, limits in wanted.items() for error in _problems(queue, limits)]
    known = set(Queue.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    errors += [("queue", f"There is no queue '{queue}'.") for queue in wanted if queue and queue not in known]
    if errors:
        raise Invalid(" ".join(f"{name}: {message}" for name, message in errors), errors=errors)


def _problems(queue: str, limits: Limits) -> list[tuple[str, str]]:
    found = []
    for name in COUNTS:
        value = getattr(limits, name)
        if value is not None and not 0 <= value <= MOST:
            found.append((name, NO_COUNT))
        if value is not None and queue and name != "running_tasks":
            found.append((name, f"It is counted over all queues: say nothing of it for the queue {queue}."))
    if not is_weight(limits.weight):
        found.append(("weight", NO_WEIGHT))
    return found


def is_weight(value: float | None) -> bool:
    """Can it be a share, or nothing?"""
    return value is None or 0 < value <= MOST_WEIGHT
