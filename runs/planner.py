"""What a resume runs again, what it keeps, and why. Pure.

The verb ``resume`` does the same in SQL; a test proves that both agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Action = Literal["run", "keep"]

# A task in one of these runs again whatever surrounds it.
RUN_AGAIN = frozenset({"failed", "upstream_failed", "cancelled"})

WORDS = {
    "failed": "It failed.",
    "upstream_failed": "It did not run because a task before it failed.",
    "cancelled": "It was cancelled.",
    "skipped_downstream": "It was skipped, and a task before it runs again.",
    "skipped_in_scope": "It was skipped together with its group, which runs again.",
    "scope": "A task inside it runs again.",
    "succeeded": "It succeeded; its results are used.",
    "skipped": "It was skipped, and nothing before it runs again.",
    "open": "It has not ended.",
}


class PlanTask(NamedTuple):
    """A task as the planner sees it: its path, how far it is, and the path of the scope that holds it."""

    key: str
    state: str
    parent: str | None


class PlanEdge(NamedTuple):
    """``down`` waits for ``up`` by ``rule``; both are paths."""

    up: str
    down: str
    rule: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What happens to one task: ``code`` is a key of :data:`WORDS`, ``reason`` its English text."""

    key: str
    action: Action
    code: str

    @property
    def reason(self) -> str:
        return WORDS[self.code]


def resume_plan(tasks: Sequence[PlanTask], edges: Iterable[tuple[str, str, str]]) -> list[Planned]:
    """What a resume does with each task, in the order given.

    Failed, upstream_failed and cancelled tasks run again, and skipped ones behind one that runs again (with
    all that a skipped scope holds); a scope that holds one runs again as a scope. All others keep what
    they have. Tasks that have not ended are kept: nothing is to be resumed there.
    """
    codes = _run_again(tasks, _Shape(tasks, edges))
    return [_planned(task, codes.get(task.key)) for task in tasks]


class _Shape:
    """Who stands after, in and around a task."""

    def __init__(self, tasks: Sequence[PlanTask], edges: Iterable[tuple[str, str, str]]) -> None:
        self.state = {task.key: task.state for task in tasks}
        self.parent = {task.key: task.parent for task in tasks}
        self.after: dict[str, list[str]] = defaultdict(list)
        self.inside: dict[str, list[str]] = defaultdict(list)
        for task in tasks:
            if task.parent is not None:
                self.inside[task.parent].append(task.key)
        for up, down, _rule in edges:
            self.after[up].append(down)


def _run_again(tasks: Sequence[PlanTask], shape: _Shape) -> dict[str, str]:
    """The tasks that run again, each with the code of its reason."""
    codes: dict[str, str] = {task.key: task.state for task in tasks if task.state in RUN_AGAIN}
    waiting = list(codes)
    while waiting:
        key = waiting.pop()
        for other, code in _touched_by(key, shape):
            if other not in codes:
                codes[other] = code
                waiting.append(other)
    return codes


def _touched_by(key: str, shape: _Shape) -> list[tuple[str, str]]:
    """What runs again because ``key`` does. A kept task changes nothing for those behind it."""
    skipped = [down for down in shape.after[key] if shape.state[down] == "skipped"]
    touched = [(down, "skipped_downstream") for down in skipped]
    if shape.state[key] == "skipped":
        touched += [(child, "skipped_in_scope") for child in shape.inside[key]]
    parent = shape.parent[key]
    if parent is not None:
        touched.append((parent, "scope"))
    return touched


def _planned(task: PlanTask, code: str | None) -> Planned:
    if code is not None:
        return Planned(task.key, "run", code)
    return Planned(task.key, "keep", task.state if task.state in ("succeeded", "skipped") else "open")
