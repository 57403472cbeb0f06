"""A published pipeline as tasks and edges: order, ancestors, descendants, selections and differences. Pure.

`Graph.to_json()` is the canonical form that a version holds. Edges join siblings only (tasks of the same
scope); the key of a task is its path, `train-all/fit`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

SCHEMA: Final = "orchestrator/v1"
RULES: Final = ("success", "failure", "always")

# What an attempt that failed may be tried again for, and what it is by default.
RETRY_REASONS: Final = ("error", "exit", "timeout", "oom", "infrastructure", "transient", "validation")
DEFAULT_RETRIES: Final[Mapping[str, Any]] = {
    "limit": 0,
    "base": 5.0,  # seconds
    "factor": 2.0,
    "cap": 300.0,  # seconds
    "jitter": "full",
    "on": ["error", "exit", "timeout", "transient"],
}
DEFAULT_QUEUE: Final = "cpu"


@dataclass(slots=True)
class TaskSpec:
    """One task, defaults applied. `with_` is "with" in JSON; queue is "" where no worker is needed."""

    key: str
    name: str
    kind: str
    parent: str | None = None
    title: str = ""
    description: str = ""
    queue: str = DEFAULT_QUEUE
    timeout: float | None = None
    retries: dict[str, Any] = field(default_factory=lambda: dict(DEFAULT_RETRIES))
    resources: dict[str, Any] = field(default_factory=lambda: {"memory": None, "gpu": 0})
    start: str = "warm"
    when: dict[str, Any] | None = None
    with_: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The form inside a version's spec."""
        return {
            "key": self.key,
            "name": self.name,
            "parent": self.parent,
            "kind": self.kind,
            "title": self.title,
            "description": self.description,
            "queue": self.queue,
            "timeout": self.timeout,
            "retries": self.retries,
            "resources": self.resources,
            "start": self.start,
            "when": self.when,
            "with": self.with_,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "config": self.config,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaskSpec:
        """The inverse of `to_json`. TypeError on unknown or missing keys."""
        return cls(**{("with_" if key == "with" else key): value for key, value in data.items()})


@dataclass(frozen=True, slots=True)
class EdgeSpec:
    """`down` waits for `up`. `data`: because of a reference, not only of order."""

    up: str
    down: str
    rule: str = "success"
    data: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"up": self.up, "down": self.down, "rule": self.rule, "data": self.data}


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed from one graph to another; keys of tasks, names of fields, edges."""

    added: list[str]
    removed: list[str]
    changed: dict[str, list[str]]
    edges_added: list[EdgeSpec]
    edges_removed: list[EdgeSpec]
    parameters: list[str]
    fields: list[str]

    @property
    def is_empty(self) -> bool:
        parts = (self.added, self.removed, self.changed, self.edges_added, self.edges_removed)
        return not any((*parts, self.parameters, self.fields))

    def to_json(self) -> dict[str, Any]:
        return {
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "edges_added": [edge.to_json() for edge in self.edges_added],
            "edges_removed": [edge.to_json() for edge in self.edges_removed],
            "parameters": self.parameters,
            "fields": self.fields,
        }


def parameters_in_order(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a canonical spec, in the order of the document."""
    parameters = spec.get("parameters") or {}
    order = spec.get("parameter_order") or parameters
    return {name: parameters[name] for name in order if name in parameters}


@dataclass
class Graph:
    """A whole pipeline. Not changed after it was made: look-ups are computed once."""

    name: str
    tasks: list[TaskSpec] = field(default_factory=list)
    edges: list[EdgeSpec] = field(default_factory=list)
    title: str = ""
    description: str = ""
    purpose: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    triggers: dict[str, Any] = field(default_factory=dict)
    overlap: str | None = None  # runs go side by side
    priority: str = "normal"
    code: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The canonical spec, without a digest; equal graphs give equal JSON."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "purpose": self.purpose,
            "parameters": self.parameters,
            # JSON objects have no order once they have been in the database; the form of a run has one.
            "parameter_order": list(self.parameters),
            "triggers": self.triggers,
            "overlap": self.overlap,
            "priority": self.priority,
            "code": self.code,
            "tasks": [task.to_json() for task in self.tasks],
            "edges": [edge.to_json() for edge in self.edges],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Graph:
        """The inverse of `to_json`. ValueError on another schema, KeyError or TypeError on a broken one."""
        if data["schema"] != SCHEMA:
            raise ValueError(f"a spec of schema {data['schema']!r} cannot be read here, only {SCHEMA!r}")
        apart = ("schema", "tasks", "edges", "parameters", "parameter_order")
        rest = {key: value for key, value in data.items() if key not in apart}
        tasks = [TaskSpec.from_json(task) for task in data["tasks"]]
        edges = [EdgeSpec(**edge) for edge in data["edges"]]
        return cls(tasks=tasks, edges=edges, parameters=parameters_in_order(data), **rest)

    @cached_property
    def by_key(self) -> dict[str, TaskSpec]:
        return {task.key: task for task in self.tasks}

    @cached_property
    def children(self) -> dict[str | None, list[str]]:
        """Keys of the tasks of each scope; None is the outermost one."""
        found: dict[str | None, list[str]] = {None: []}
        for task in self.tasks:
            found.setdefault(task.parent, []).append(task.key)
        return found

    @cached_property
    def upstream(self) -> dict[str, list[EdgeSpec]]:
        """The edges into each task that has any."""
        found: dict[str, list[EdgeSpec]] = {}
        for edge in self.edges:
            found.setdefault(edge.down, []).append(edge)
        return found

    @cached_property
    def downstream(self) -> dict[str, list[EdgeSpec]]:
        """The edges out of each task that has any."""
        found: dict[str, list[EdgeSpec]] = {}
        for edge in self.edges:
            found.setdefault(edge.up, []).append(edge)
        return found

    def order(self) -> list[str]:
        """All keys, each after what it waits for and after its scope. ValueError on a cycle."""
        # Each scope has an end beside its beginning: what comes after it also comes after all inside it.
        ends = {key: f"{key}/" for key in self.children if key is not None}
        pairs = list(ends.items())
        pairs += [(ends.get(edge.up, edge.up), edge.down) for edge in self.edges]
        for task in self.tasks:
            if task.parent is not None:
                pairs.append((task.parent, task.key))
                pairs.append((ends.get(task.key, task.key), ends[task.parent]))
        ordered = topological_order([*self.by_key, *ends.values()], pairs)
        if ordered is None:
            raise ValueError(f"the graph {self.name} has a cycle")
        return [key for key in ordered if key in self.by_key]

    def inside(self, key: str) -> set[str]:
        """Every task inside a scope, at any depth; empty for a plain task."""
        found: set[str] = set()
        waiting = list(self.children.get(key, ()))
        while waiting:
            inner = waiting.pop()
            found.add(inner)
            waiting.extend(self.children.get(inner, ()))
        return found

    def scopes_of(self, key: str) -> list[str]:
        """The scopes around a task, the innermost first."""
        found = []
        parent = self.by_key[key].parent
        while parent is not None:
            found.append(parent)
            parent = self.by_key[parent].parent
        return found

    def ancestors(self, key: str) -> set[str]:
        """All that must have ended before this task begins, with what is inside; KeyError if unknown."""
        found: set[str] = set()
        for level in (key, *self.scopes_of(key)):
            found |= self._reach(level, up=True)
        return found

    def descendants(self, key: str) -> set[str]:
        """All that waits for this task, what is inside of it, and the scopes around. KeyError if unknown."""
        found: set[str] = set()
        for level in (key, *self.scopes_of(key)):
            found |= self._reach(level, up=False)
        return found | set(self.scopes_of(key))

    def _reach(self, key: str, *, up: bool) -> set[str]:
        edges = self.upstream if up else self.downstream
        seen: set[str] = set()
        waiting = deque([key])
        while waiting:
            for edge in edges.get(waiting.popleft(), ()):
                other = edge.up if up else edge.down
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen.union(*(self.inside(other) for other in seen))

    def only(self, keys: Iterable[str]) -> set[str]:
        """These tasks and what they need: their ancestors, what is inside them, the scopes around them.

        ValueError names keys that do not exist.
        """
        wanted = list(keys)
        unknown = [key for key in wanted if key not in self.by_key]
        if unknown:
            raise ValueError(f"no such task: {', '.join(sorted(unknown))}")
        found = set(wanted)
        for key in wanted:
            found |= self.ancestors(key) | self.inside(key) | set(self.scopes_of(key))
        return found


def diff(old: Graph, new: Graph) -> Diff:
    """What a person sees as changed. The order of tasks in the document is no change."""
    before, after = old.by_key, new.by_key
    changed = {}
    for key in before.keys() & after.keys():
        one, other = before[key].to_json(), after[key].to_json()
        if names := [name for name in one if one[name] != other[name]]:
            changed[key] = names
    old_edges, new_edges = set(old.edges), set(new.edges)
    parameters = sorted(
        name
        for name in old.parameters.keys() | new.parameters.keys()
        if old.parameters.get(name) != new.parameters.get(name)
    )
    fields = ("name", "title", "description", "purpose", "triggers", "overlap", "priority", "code")
    return Diff(
        added=[task.key for task in new.tasks if task.key not in before],
        removed=[task.key for task in old.tasks if task.key not in after],
        changed={task.key: changed[task.key] for task in new.tasks if task.key in changed},
        edges_added=[edge for edge in new.edges if edge not in old_edges],
        edges_removed=[edge for edge in old.edges if edge not in new_edges],
        parameters=parameters,
        fields=[name for name in fields if getattr(old, name) != getattr(new, name)],
    )


# --- on bare keys and pairs, for drafts too ---------------------------------------------------------


def topological_order(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[str] | None:
    """Keys with every `up` before its `down`, else in the given order; None when there is a cycle."""
    after: dict[str, list[str]] = {key: [] for key in keys}
    waits = dict.fromkeys(keys, 0)
    for up, down in pairs:
        after[up].append(down)
        waits[down] += 1
    ready = deque(key for key in keys if waits[key] == 0)
    ordered = []
    while ready:
        key = ready.popleft()
        ordered.append(key)
        for down in after[key]:
            waits[down] -= 1
            if waits[down] == 0:
                ready.append(down)
    return ordered if len(ordered) == len(after) else None


def find_cycles(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """One cycle of every knot of keys that wait for each other, beginning with its first key in order.

    [["a", "b"]] means b waits for a and a waits for b; [["a"]] that a waits for itself.
    """
    after: dict[str, list[str]] = {key: [] for key in keys}
    for up, down in pairs:
        after[up].append(down)
    place = {key: number for number, key in enumerate(keys)}
    cycles = []
    for knot in _knots(after):
        if len(knot) > 1 or knot[0] in after[knot[0]]:
            cycles.append(_shortest_cycle(min(knot, key=place.__getitem__), set(knot), after))
    return sorted(cycles, key=lambda cycle: place[cycle[0]])


def _shortest_cycle(start: str, knot: set[str], after: Mapping[str, list[str]]) -> list[str]:
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        key = waiting.popleft()
        for down in after[key]:
            if down == start:
                return _walk_back(key, start, came_from)
            if down in knot and down not in came_from:
                came_from[down] = key
                waiting.append(down)
    raise AssertionError("a knot has a cycle through each of its keys")


def _walk_back(key: str, start: str, came_from: Mapping[str, str]) -> list[str]:
    path = [key]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def _knots(after: Mapping[str, list[str]]) -> list[list[str]]:
    """Strongly connected components (Tarjan), without recursion: chains of thousands are ordinary."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    knots: list[list[str]] = []
    for root in after:
        if root in number:
            continue
        work = [(root, iter(after[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            key, rest = work[-1]
            down = next(rest, None)
            if down is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[key])
                if low[key] == number[key]:
                    knots.append(_take_knot(key, stack, on_stack))
            elif down not in number:
                number[down] = low[down] = len(number)
                stack.append(down)
                on_stack.add(down)
                work.append((down, iter(after[down])))
            elif down in on_stack:
                low[key] = min(low[key], number[down])
    return knots


def _take_knot(key: str, stack: list[str], on_stack: set[str]) -> list[str]:
    knot = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        knot.append(member)
        if member == key:
            return knot
