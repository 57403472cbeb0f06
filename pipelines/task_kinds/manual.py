"""manual: a step that a person does, with instructions. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import DECLARED_OUTPUTS, VALUES, Desk, Draft, Kind, Ports, declared


class Manual(Kind):
    """`instructions`, `outputs: {name: type}`."""

    name = "manual"
    label = "a manual task"
    title = "Manual task"
    description = "Is done by a person, following instructions."
    category = "People"
    starter = {"instructions": "Say what is to be done, and how one knows that it is done."}
    available = False
    worked = False
    keys = {
        "instructions": {"type": "string", "minLength": 1, "x-lines": 6},
        "with": VALUES,
        "outputs": DECLARED_OUTPUTS,
    }
    required = ("instructions",)

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports(
            outputs=declared(task.raw.get("outputs", {})),
            open_inputs=True,
            open_outputs="outputs" in task.broken,
        )
