"""map: the same tasks for each item of a list, so many at a time. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import INNER_TASKS, PORT_NAME, VALUES, Desk, Draft, Kind, Ports


class Map(Kind):
    """`over` (a list), `as` (the item's name inside), `limit` (at a time), `with`, `tasks`, `outputs`."""

    name = "map"
    label = "a map"
    title = "Map"
    description = "Runs the same tasks for each item of a list, so many at a time."
    category = "Flow"
    starter = {
        "over": [1, 2, 3],
        "as": "item",
        "tasks": {"each": {"kind": "shell", "run": 'echo "$IN_ITEM"\n', "with": {"item": "${{ item }}"}}},
    }
    available = False
    worked = False
    scope = True
    takes_secrets = True
    keys = {
        "over": {"type": ["array", "string"]},
        "as": PORT_NAME,
        "limit": {"type": "integer", "minimum": 1, "maximum": 10_000},
        "with": VALUES,
        "tasks": INNER_TASKS,
        "outputs": VALUES,
    }
    required = ("over", "as", "tasks")

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports(open_inputs=True, open_outputs="outputs" in task.broken)
