"""group: a named scope. Its tasks see the inputs it takes, its outside sees the outputs it declares."""

from __future__ import annotations

from typing import Any

from pipelines.task_kinds.base import INNER_TASKS, VALUES, Desk, Draft, Kind, Ports


class Group(Kind):
    """`tasks`, `with` (inside: `inputs.NAME`), `outputs: {name: "${{ tasks.t.outputs.o }}"}`."""

    name = "group"
    label = "a group"
    title = "Group"
    description = "Holds tasks of its own; outside, only its inputs and outputs are seen."
    category = "Flow"
    starter = {"tasks": {"first": {"kind": "shell", "run": 'echo "Hello"\n'}}}
    worked = False
    scope = True
    takes_secrets = True
    keys = {"tasks": INNER_TASKS, "with": VALUES, "outputs": VALUES}
    required = ("tasks",)

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports(open_inputs=True, open_outputs="outputs" in task.broken)

    def config(self, task: Draft) -> dict[str, Any]:
        return {}  # its outputs are filled in when references have been written out
