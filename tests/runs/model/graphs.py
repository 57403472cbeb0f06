"""Graphs to try the engine with: a few tasks, groups up to two deep, every rule, condition and retry."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.runs.model.predicted import Task

RULES = st.sampled_from(["success", "success", "failure", "always"])
WHEN = st.sampled_from(["", "", "", "", "yes", "no", "odd"])


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Task]:
    """Tasks by key, what holds others before what it holds."""
    tasks: dict[str, Task] = {}
    _fill(draw, tasks, "", depth=0)
    return tasks


def _fill(draw: st.DrawFn, tasks: dict[str, Task], parent: str, depth: int) -> None:
    keys: list[str] = []
    for number in range(draw(st.integers(1, 3 if depth else 4))):
        task = _task(draw, f"{parent}t{number}", depth)
        task.ups = [(up, draw(RULES)) for up in keys if draw(st.booleans())]
        keys.append(task.key)
        tasks[task.key] = task
        if task.kind == "group":
            _fill(draw, tasks, f"{task.key}/", depth + 1)


def _task(draw: st.DrawFn, key: str, depth: int) -> Task:
    kinds = ["python", "python", "python", "approval", *(["group"] if depth < 2 else [])]
    kind = draw(st.sampled_from(kinds))
    task = Task(key, kind=kind, when=draw(WHEN))
    if kind == "approval":
        task.deadline = draw(st.sampled_from([None, 8.0, 100.0]))
    if kind == "python":
        task.limit, task.base = draw(st.integers(0, 2)), draw(st.sampled_from([0.0, 1.0, 10.0]))
        task.timeout = draw(st.sampled_from([5.0, 3600.0]))
    return task
