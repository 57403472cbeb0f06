"""register: a model becomes a version in the registry."""

from __future__ import annotations

import re
from typing import Any

from pipelines.ports import Port
from pipelines.problems import shorten
from pipelines.task_kinds.base import NAME, VALUES, Desk, Draft, Kind, Ports, named


class Register(Kind):
    """`with` takes `model`, `name` (of the model in the registry) and `metrics`; gives `version`."""

    name = "register"
    label = "a register task"
    title = "Register a model"
    description = "Makes a model a version in the registry."
    category = "Models"
    keys = {"with": VALUES}

    def ports(self, task: Draft, desk: Desk) -> Ports:
        inputs = (
            Port("model", "model", accepts=("file", "folder")),
            Port("name", "string"),
            Port("metrics", "json", required=False),
        )
        return Ports(named(inputs), named((Port("version", "json"),)))

    def check(self, task: Draft, desk: Desk) -> None:
        name = task.literal("name")
        if isinstance(name, str) and not re.search(NAME["pattern"], name):
            message = f"'{shorten(name)}' cannot name a model: write {NAME['x-says']}."
            desk.problems.error("bad-name", task.place("with", "name"), f"{task.path}.with.name", message)

    def config(self, task: Draft) -> dict[str, Any]:
        return {}
