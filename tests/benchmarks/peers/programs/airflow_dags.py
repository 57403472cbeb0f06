"""The DAGs of a measurement, in the TaskFlow idiom; SHAPES: JSON of [{"name", "steps", "kind"}].

A fan's middle is one mapped task, as Airflow's users write it; a shape's tasks stamp into the file that the
run's configuration names.
"""

from __future__ import annotations

import json
import os
from typing import Any

from airflow.sdk import dag, task
from stamping import work


@task
def step(name: str, kind: str, params: dict[str, Any] | None = None) -> int:
    assert params is not None
    return work(params["stamps"], name, kind)


def make(name: str, steps: list[Any], kind: str) -> Any:
    @dag(dag_id=name, schedule=None, catchup=False, params={"stamps": ""}, max_active_tasks=16)
    def shape() -> None:
        before = None
        middle = [key for key, needs in steps if needs == ["root"] and key != "join"]
        for key, needs in steps:
            if key in middle:
                if key != middle[0]:
                    continue
                now = step.override(task_id="middle").partial(kind=kind).expand(name=middle)
            else:
                now = step.override(task_id=key)(key, kind)
            if before is not None and needs:
                before >> now
            before = now

    return shape()


for known in json.loads(os.environ["SHAPES"]):
    globals()[known["name"].replace("-", "_")] = make(known["name"], known["steps"], known["kind"])
