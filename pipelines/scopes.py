"""Scopes of a document: their tasks, the edges between them, cycles. Pure.

A scope sees its own names only. An edge exists because of a reference in `with`, `when` or `over` (data),
or of a name in `needs` (order); there is one between two tasks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipelines import conditions
from pipelines.document import Node
from pipelines.graph import find_cycles, topological_order
from pipelines.limits import MAX_CONDITIONS, MAX_SCOPE_DEPTH
from pipelines.problems import At, Place, Problems, listed, shorten
from pipelines.references import Reference, split
from pipelines.shape import check_task
from pipelines.task_kinds import KINDS
from pipelines.task_kinds.base import TASK_NAME, Desk, Draft, Kind

_TASK_NAME = re.compile(TASK_NAME["pattern"])
# Values that may hold references, by the key they are under.
_VALUE_KEYS: Final = ("with", "over")


@dataclass(slots=True)
class EdgeDraft:
    """An edge as found, and the place of the reference or name that made it."""

    up: str
    down: str
    rule: str
    data: bool
    at: Place
    path: str


@dataclass(slots=True)
class Scope:
    """The tasks of one level. owner: the task that holds them, None outermost; item: the name a map gives."""

    owner: Draft | None
    depth: int
    drafts: dict[str, Draft] = field(default_factory=dict)
    inner: dict[str, Scope] = field(default_factory=dict)  # by name of the task that holds it
    edges: dict[tuple[str, str], EdgeDraft] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)  # names of tasks of unknown kind and the like
    item: str | None = None

    def order(self) -> list[str]:
        """Names with those first that others wait for; as written when there is a cycle."""
        names = list(self.drafts)
        pairs = [pair for pair in self.edges if pair[0] in self.drafts]
        return topological_order(names, pairs) or names


# --- reading ----------------------------------------------------------------------------------------


def read_scope(tasks: Node, path: str, owner: Draft | None, depth: int, desk: Desk) -> Scope:
    """The tasks of a mapping, with those inside them; problems of shape are noted."""
    scope = Scope(owner, depth)
    for name, node in tasks.value.items():
        draft = _read_task(name, node, tasks.keys[name], path, owner, desk.problems)
        if draft is None:
            scope.unreadable.add(name)
            continue
        scope.drafts[name] = draft
        _admit_condition(draft, desk)
        draft.ports = draft.kind.ports(draft, desk)
        draft.kind.check(draft, desk)
        if draft.kind.scope and "tasks" in draft.raw:
            _read_inner(draft, scope, desk)
    return scope


def _admit_condition(draft: Draft, desk: Desk) -> None:
    """Leaves `when` out where the document has too many different ones to read them all."""
    when = draft.raw.get("when")
    if when is None or when in desk.conditions:
        return
    if len(desk.conditions) < MAX_CONDITIONS:
        desk.conditions.add(when)
        return
    del draft.raw["when"]
    message = f"More than {MAX_CONDITIONS:,} different conditions: split the document into several pipelines."
    desk.problems.error("too-many-conditions", draft.place("when"), f"{draft.path}.when", message)


def _read_inner(draft: Draft, scope: Scope, desk: Desk) -> None:
    path = f"{draft.path}.tasks"
    if scope.depth >= MAX_SCOPE_DEPTH:
        message = f"More than {MAX_SCOPE_DEPTH} scopes inside each other: make it flatter."
        desk.problems.error("too-deep", draft.place("tasks"), path, message, limit=MAX_SCOPE_DEPTH)
        draft.ports.open_outputs = True
        return
    inner = read_scope(draft.node.value["tasks"], path, draft, scope.depth + 1, desk)
    inner.item = draft.raw.get("as")
    scope.inner[draft.name] = inner


def _read_task(
    name: str, node: Node, at: At, path: str, owner: Draft | None, problems: Problems
) -> Draft | None:
    place_in_text = f"{path}.{shorten(name)}"
    if not _TASK_NAME.match(name):
        message = f"'{shorten(name)}' cannot name a task: write {TASK_NAME['x-says']}."
        problems.error("bad-name", at, place_in_text, message)
    if not isinstance(node.value, dict):
        message = f"The task '{shorten(name)}' must be a mapping with a `kind`, such as {{kind: python}}."
        problems.error("wrong-type", at, place_in_text, message)
        return None
    kind = _kind_of(name, node, at, place_in_text, problems)
    if kind is None:
        return None
    key = f"{owner.key}/{name}" if owner is not None else name
    draft = Draft(name, key, place_in_text, at, node, kind)
    check_task(draft, problems)
    if not kind.available:
        message = f"The kind '{kind.name}' is part of the language but does not run yet: use another kind."
        problems.error(
            "kind-not-available", draft.place("kind"), f"{draft.path}.kind", message, kind=kind.name
        )
    return draft


def _kind_of(name: str, node: Node, at: At, path: str, problems: Problems) -> Kind | None:
    if "kind" not in node.value:
        guess = "python" if "source" in node.value else "approval" if "by" in node.value else "python"
        message = f"The task '{shorten(name)}' has no `kind`: add one, such as `kind: {guess}`."
        problems.error("missing-key", at, path, message, name="kind")
        return None
    written = node.raw["kind"]
    kind = KINDS.get(written) if isinstance(written, str) else None
    if kind is None:
        text = shorten(str(written))
        hint, params = problems.hint(text, KINDS, f"Kinds are {listed(KINDS, 20)}.")
        message = f"There is no kind of task '{text}'.{hint}"
        problems.error("unknown-kind", node.value["kind"], f"{path}.kind", message, **params)
    return kind


# --- edges ------------------------------------------------------------------------------------------


def link(scope: Scope, around: Scope | None, problems: Problems) -> None:
    """Finds the edges of a scope and of those inside, and the cycles among them."""
    for draft in scope.drafts.values():
        for reference, at, path in _task_references(draft):
            if _known(reference.name, scope, around, at, path, problems):
                _add_data(scope, draft, reference.name, at, path)
        _add_needs(scope, around, draft, problems)
    _note_cycles(scope, problems)
    for name, inner in scope.inner.items():
        link(inner, scope, problems)
        _check_outputs_names(scope.drafts[name], inner, scope, problems)


def _task_references(draft: Draft) -> Iterator[tuple[Reference, Place, str]]:
    for key in _VALUE_KEYS:
        node = draft.node.get(key)
        if node is not None and key in draft.raw:
            for part, at, path in references_in(node, f"{draft.path}.{key}"):
                if part.root == "tasks":
                    yield part, at, path
    when = draft.raw.get("when")
    if when is None:
        return
    at = draft.place("when")
    for name in conditions.references(when):
        if name.startswith("tasks."):
            yield Reference("tasks", name.split(".")[1], "", name), at, f"{draft.path}.when"


def references_in(node: Node, path: str) -> Iterator[tuple[Reference, Place, str]]:
    """Every reference in a value, with its place."""
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from references_in(child, f"{path}.{shorten(key)}")
    elif isinstance(node.value, list):
        for number, child in enumerate(node.value):
            yield from references_in(child, f"{path}.{number}")
    elif isinstance(node.raw, str) and "${{" in node.raw:
        for part in split(node.raw):
            if isinstance(part, Reference):
                yield part, node, path


def _known(name: str, scope: Scope, around: Scope | None, at: Place, path: str, problems: Problems) -> bool:
    """Is it a task of the scope? Notes what is wrong if not."""
    if name in scope.drafts:
        return True
    if name in scope.unreadable:
        return False  # told where it stands
    where = "" if problems.full else _where_instead(name, scope, around)
    hint, params = problems.hint(name, scope.drafts, where)
    message = f"There is no task '{shorten(name)}' in this scope.{hint}"
    problems.error("unknown-task", at, path, message, **params)
    return False


def _where_instead(name: str, scope: Scope, around: Scope | None) -> str:
    if around is not None and name in around.drafts:
        owner = scope.owner.name if scope.owner is not None else ""
        return f"It is outside of '{owner}': take its output there in `with`, and use inputs.NAME here."
    holders = [holder for holder, inner in scope.inner.items() if name in inner.drafts]
    if holders:
        way = f"tasks.{holders[0]}.outputs.NAME"
        return f"It is inside of '{holders[0]}': declare an output there, and use {way}."
    return f"It holds {listed(scope.drafts)}."


def _add_data(scope: Scope, draft: Draft, up: str, at: Place, path: str) -> None:
    pair = (up, draft.name)
    if pair not in scope.edges:
        scope.edges[pair] = EdgeDraft(up, draft.name, "success", True, at, path)


def _add_needs(scope: Scope, around: Scope | None, draft: Draft, problems: Problems) -> None:
    seen: dict[str, str] = {}
    for number, need in enumerate(draft.raw.get("needs", ())):
        if need is None:
            continue
        name, rule = (need, "success") if isinstance(need, str) else (need["task"], need.get("on", "success"))
        at, path = draft.place("needs", number), f"{draft.path}.needs.{number}"
        if name in seen:
            _note_twice(name, seen[name], rule, at, path, problems)
            continue
        seen[name] = rule
        if _known(name, scope, around, at, path, problems):
            _add_order(scope, EdgeDraft(name, draft.name, rule, False, at, path), problems)


def _note_twice(name: str, first: str, rule: str, at: Place, path: str, problems: Problems) -> None:
    if first == rule:
        problems.error("duplicate-edge", at, path, f"'{name}' stands in `needs` twice: keep it once.")
        return
    message = f"'{name}' is needed on {first} and on {rule}: there is one edge between two tasks, keep one."
    problems.error("conflicting-edge", at, path, message)


def _add_order(scope: Scope, edge: EdgeDraft, problems: Problems) -> None:
    pair = (edge.up, edge.down)
    before = scope.edges.get(pair)
    if before is None:
        scope.edges[pair] = edge
    elif before.rule != edge.rule:
        message = (
            f"'{edge.down}' uses an output of '{edge.up}', which there is on success only, and needs it on "
            f"{edge.rule}: remove one of the two."
        )
        problems.error("conflicting-edge", edge.at, edge.path, message)


def _note_cycles(scope: Scope, problems: Problems) -> None:
    for cycle in find_cycles(list(scope.drafts), scope.edges):
        edge = scope.edges[(cycle[-1], cycle[0])]
        if len(cycle) == 1:
            message = f"'{cycle[0]}' waits for itself: remove the reference."
        else:
            names = [*cycle, cycle[0]] if len(cycle) <= 8 else [*cycle[:7], "…", cycle[0]]
            message = f"These tasks wait for each other: {' → '.join(names)}. Remove one of the references."
        problems.error("cycle", edge.at, edge.path, message, tasks=cycle)


def _check_outputs_names(owner: Draft, inner: Scope, around: Scope, problems: Problems) -> None:
    """What a scope declares as outputs comes from its own tasks."""
    node = owner.node.get("outputs")
    if node is None or not isinstance(owner.raw.get("outputs"), Mapping):
        return
    for reference, at, path in references_in(node, f"{owner.path}.outputs"):
        if reference.root == "tasks":
            _known(reference.name, inner, around, at, path, problems)


def every(scope: Scope) -> Iterator[tuple[Scope, Draft]]:
    """All drafts, each scope's in order of writing, a scope's inner ones right after it."""
    for name, draft in scope.drafts.items():
        yield scope, draft
        if name in scope.inner:
            yield from every(scope.inner[name])
