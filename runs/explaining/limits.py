"""What a team may have at a time: tasks that run, in all and on one queue."""

from __future__ import annotations

from django.db.models import Count, Window

from runs.explaining.answers import MOST, Asked, Blocker, Code, held_link
from runs.models import TaskRun, TeamLimits


def running_tasks(asked: Asked) -> list[Blocker]:
    """The limits of the team that are reached; of a task that is not due, those that let nothing run at all.

    Up to three queries.
    """
    queue = asked.task.queue
    rows = TeamLimits.objects.filter(team=asked.run.team_id, queue__in=("", queue))
    limits = rows.exclude(running_tasks=None).order_by("queue")
    found = [_reached(asked, limit) for limit in limits if asked.due or limit.running_tasks == 0]
    return [blocker for blocker in found if blocker is not None]


def _reached(asked: Asked, limit: TeamLimits) -> Blocker | None:
    running = TaskRun.objects.filter(team=asked.run.team_id, state="running")
    if limit.queue:
        running = running.filter(queue=limit.queue)
    rows = running.select_related("run__pipeline__team").defer("run__params", "run__only")
    held = list(rows.annotate(total=Window(Count("*"))).order_by("id")[:MOST])
    most, total = limit.running_tasks or 0, held[0].total if held else 0
    if total < most:
        return None
    seen = [task for task in held if asked.rights.can("view", task.run)]
    return Blocker(
        Code.TEAM_LIMIT,
        _words(asked, limit.queue, most),
        since=asked.task.ready_at,
        links=tuple(held_link(asked, "running", task.run, task.key) for task in seen),
        remedy=_remedy(most),
    )


def _remedy(most: int) -> str:
    if most == 0:
        return "It waits until a site admin raises the limit."
    return "It begins when one of them has ended; a site admin may raise the limit."


def _words(asked: Asked, queue: str, most: int) -> str:
    team, where = asked.run.team.slug, f" on the queue {queue}" if queue else ""
    if most == 0:
        return f"The team {team} may run no tasks{where}."
    return f"The team {team} runs as many tasks as it may{where}: {most}."
