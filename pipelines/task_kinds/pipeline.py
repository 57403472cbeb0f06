"""pipeline: a run inside a run. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import INNER_TASKS, VALUES, Desk, Draft, Kind, Ports


class Pipeline(Kind):
    """`pipeline` (a name, `team:name` for another team's) with `version`, or `tasks`; `with`."""

    name = "pipeline"
    label = "a pipeline task"
    title = "Pipeline"
    description = "Runs another pipeline inside of this one."
    category = "Flow"
    starter = {"pipeline": "another-pipeline"}
    available = False
    worked = False
    scope = True
    keys = {
        "pipeline": {
            "type": "string",
            "pattern": r"^([a-z0-9-]+:)?[a-z0-9-]+(?!\n)$",
            "x-problem": "bad-name",
            "x-says": "the name of a pipeline, such as digits-training",
        },
        "version": {"type": "integer", "minimum": 1},
        "tasks": INNER_TASKS,
        "with": VALUES,
        "outputs": VALUES,
    }

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports(open_inputs=True, open_outputs="tasks" not in task.raw)

    def check(self, task: Draft, desk: Desk) -> None:
        if len({"pipeline", "tasks"} & (task.raw.keys() | task.broken)) != 1:
            message = f"'{task.name}' needs either `pipeline`, a name, or `tasks`: keep one of the two."
            desk.problems.error("one-of", task.at, task.path, message)
