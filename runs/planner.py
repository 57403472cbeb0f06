"""What a resume or a rerun does with each task, and why. Pure.

The engine does the same, the resume in SQL, the rerun task by task as it comes to them; tests prove that plan
and engine agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Action = Literal["run", "keep", "reuse", "decide"]

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
    "equal": "It is given the same as then; its result is reused.",
    "afresh": "You chose to run it.",
    "after": "It stands after the task from which you run.",
    "no_reuse": "Nothing is reused.",
    "effects": "It acts on the outside, so it is done again.",
    "person": "A decision belongs to its run; it is asked for again.",
    "new": "The old run did not have it.",
    "not_succeeded": "It did not succeed then.",
    "not_known": "What it was made from then is not fully known.",
    "differs": "It is not given the same as then.",
    "gone": "The bytes of its result are not there any more.",
    "inputs": "Decided when its inputs are known: a task before it runs.",
    "wiring": "Decided when its inputs are known: they come from elsewhere than then.",
    "condition": "Decided when its condition is known.",
    "rule": "Decided by how the tasks before it end.",
    "cache": "Decided when it is its turn: an equal result of another run may be reused.",
    "scope_run": "A task inside it runs.",
    "scope_reuse": "All inside it is reused.",
    "scope_decide": "It is decided inside it.",
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


# --- rerun ----------------------------------------------------------------------------------------------

# Kinds whose result is never taken over, with the code of the reason.
NEVER = {"approval": "person", "register": "effects", "deploy": "effects"}
SCOPES = frozenset({"group"})


class RerunTask(NamedTuple):
    """A task of the version that is to run, beside the same task of the old run.

    ``known``: "" when both are equal as far as can be told before the run, else the key of :data:`WORDS` that
    says why not; ``wired``: whether its inputs come from the same tasks; ``reads``: the paths of those;
    ``details``: what differs, in words.
    """

    key: str
    kind: str
    parent: str | None
    known: str
    wired: bool = True
    reads: frozenset[str] = frozenset()
    condition: bool = False
    cached: bool = False
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a rerun will do with one task: ``action`` is run, reuse or decide."""

    key: str
    kind: str
    action: Action
    code: str
    details: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        return WORDS[self.code]


def rerun_plan(
    tasks: Sequence[RerunTask],
    edges: Iterable[tuple[str, str, str]],
    fresh: Mapping[str, str],
    *,
    reuse: bool = True,
) -> list[Foreseen]:
    """What a rerun does with each task, in the order given, which puts every task after those it reads.

    ``fresh``: tasks that run whatever was done before, with the code of the reason (afresh or after).
    """
    rules: dict[str, set[str]] = defaultdict(set)
    for _up, down, rule in edges:
        rules[down].add(rule)
    actions: dict[str, tuple[Action, str]] = {}
    for task in _in_order(tasks):
        actions[task.key] = _foreseen(task, actions, rules[task.key], fresh, reuse)
    inside: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        inside[task.parent or ""].append(task.key)
    for task in reversed(tasks):  # inner scopes stand behind the outer ones
        if task.kind in SCOPES:
            actions[task.key] = _scope([actions[key][0] for key in inside[task.key]])
    return [
        Foreseen(task.key, task.kind, *actions[task.key], _details(task, actions[task.key][1]))
        for task in tasks
    ]


def _details(task: RerunTask, code: str) -> tuple[str, ...]:
    return task.details if code in ("differs", "not_known", "cache") else ()


def _in_order(tasks: Sequence[RerunTask]) -> list[RerunTask]:
    """The tasks, each after those that it reads."""
    by_key = {task.key: task for task in tasks}
    ordered: dict[str, RerunTask] = {}
    waiting = [(task, False) for task in reversed(tasks)]
    while waiting:
        task, read = waiting.pop()
        if task.key in ordered:
            continue
        if read:
            ordered[task.key] = task
            continue
        waiting.append((task, True))
        waiting += [(by_key[key], False) for key in task.reads if key in by_key and key not in ordered]
    return list(ordered.values())


def _foreseen(
    task: RerunTask,
    before: Mapping[str, tuple[Action, str]],
    rules: Collection[str],
    fresh: Mapping[str, str],
    reuse: bool,
) -> tuple[Action, str]:
    """What becomes of one task, given what becomes of those that it reads."""
    if task.kind in SCOPES:
        return "decide", "scope_decide"
    if code := NEVER.get(task.kind) or fresh.get(task.key) or ("" if reuse else "no_reuse"):
        return "run", code
    if task.known:
        return ("decide", "cache") if task.cached else ("run", task.known)
    if task.condition:
        return "decide", "condition"
    if "failure" in rules:
        return "decide", "rule"
    if not task.wired:
        return "decide", "wiring"
    if any(before.get(key, ("run", ""))[0] != "reuse" for key in task.reads):
        return "decide", "inputs"
    return "reuse", "equal"


def _scope(inside: Sequence[Action]) -> tuple[Action, str]:
    if "run" in inside:
        return "run", "scope_run"
    return ("decide", "scope_decide") if "decide" in inside else ("reuse", "scope_reuse")


def afresh(
    tasks: Sequence[tuple[str, str | None]], edges: Iterable[tuple[str, str]], start: str
) -> dict[str, str]:
    """The task ``start``, all inside it and all after it, at every level: key -> afresh or after.

    ``tasks`` are (path, path of the scope), ``edges`` (up, down).
    """
    inside: dict[str, list[str]] = defaultdict(list)
    behind: dict[str, list[str]] = defaultdict(list)
    parents = dict(tasks)
    for key, parent in tasks:
        inside[parent or ""].append(key)
    for up, down in edges:
        behind[up].append(down)
    found = dict.fromkeys(_with_inside(start, inside), "afresh")
    waiting = list(found)
    while waiting:
        key = waiting.pop()
        # What stands after a scope around it waits for it as well.
        around = (key, *_scopes_around(key, parents))
        for other in [down for up in around for down in behind[up]]:
            for each in _with_inside(other, inside):
                if each not in found:
                    found[each] = "after"
                    waiting.append(each)
    return found


def _with_inside(key: str, inside: Mapping[str, Sequence[str]]) -> list[str]:
    found = [key]
    for each in found:
        found += inside.get(each, ())
    return found


def _scopes_around(key: str, parents: Mapping[str, str | None]) -> list[str]:
    found = []
    scope = parents[key]
    while scope is not None:
        found.append(scope)
        scope = parents[scope]
    return found
