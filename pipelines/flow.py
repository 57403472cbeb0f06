"""What flows through a document: references become expressions of whole paths, types are compared. Pure.

Tasks are taken in the order in which they can run, so everything a value is made from is known before it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines import conditions
from pipelines.document import Node
from pipelines.limits import MAX_SPEC_BYTES
from pipelines.ports import (
    INLINE_TYPES,
    SCALAR_TYPES,
    SECRET,
    Port,
    article,
    literal_type,
    port_fits,
    value_fits,
)
from pipelines.problems import At, Place, listed, shorten
from pipelines.references import Broken, Expr, Part, Reference, is_name, split
from pipelines.scopes import Scope
from pipelines.task_kinds.base import Desk, Draft

_REFERENCE_BYTES: Final = 64  # of a reference in the spec, about


@dataclass(frozen=True, slots=True)
class Value:
    """An expression, its port type (or SECRET), and its bytes in the spec, about."""

    expr: Expr
    type: str
    size: int
    literal: bool = False


_UNKNOWN: Final = Value({"lit": None}, "any", 8)


@dataclass(slots=True)
class Flow:
    """All values, by key of the task. outputs: those that scopes declare."""

    with_: dict[str, dict[str, Value]] = field(default_factory=dict)
    when: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Value]] = field(default_factory=dict)


def trace(scope: Scope, desk: Desk, known_parameters: Collection[str]) -> Flow:
    """Follows every value of a document. known_parameters: their names, also of those with a problem."""
    tracer = _Tracer(desk, known_parameters)
    tracer.scope(scope)
    return tracer.flow


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value is written. whole: directly under `with` or `outputs`, not inside another value."""

    scope: Scope
    draft: Draft
    path: str
    whole: bool = False
    inside: str = ""  # "a text", "a list" or "a mapping" around it


class _Tracer:
    def __init__(self, desk: Desk, known_parameters: Collection[str]) -> None:
        self.desk = desk
        self.problems = desk.problems
        self.known_parameters = known_parameters
        self.flow = Flow()
        self.size = 0

    def scope(self, scope: Scope) -> None:
        for name in scope.order():
            draft = scope.drafts[name]
            self.flow.with_[draft.key] = self._with(scope, draft)
            self._over(scope, draft)
            self._check_required(draft)
            if "when" in draft.raw:
                self._when(scope, draft)
            if name in scope.inner:
                self.scope(scope.inner[name])
                self._outputs(scope.inner[name], draft)

    # --- the keys of a task ---

    def _with(self, scope: Scope, draft: Draft) -> dict[str, Value]:
        node = draft.node.get("with")
        if node is None or not isinstance(node.value, dict) or not isinstance(draft.raw.get("with"), dict):
            return {}
        values = {}
        for name in draft.raw["with"]:
            path = f"{draft.path}.with.{name}"
            value = self._value(node.value[name], _Spot(scope, draft, path, whole=True))
            values[name] = value
            self._check_input(draft, name, value, node, path)
        return values

    def _over(self, scope: Scope, draft: Draft) -> None:
        """The list of a map."""
        node = draft.node.get("over")
        if node is None or "over" not in draft.raw or not draft.kind.scope:
            return
        path = f"{draft.path}.over"
        value = self._value(node, _Spot(scope, draft, path))
        if value.type not in ("json", "any"):
            message = f"'over' needs a list, and this is {article(value.type)}."
            self.problems.error("port-mismatch", draft.place("over"), path, message)

    def _check_input(self, draft: Draft, name: str, value: Value, node: Node, path: str) -> None:
        ports = draft.ports
        port = ports.inputs.get(name)
        at = draft.place("with", name)
        if port is None and not ports.open_inputs:
            known = f"It takes {listed(ports.inputs)}." if ports.inputs else "It takes no inputs."
            hint, params = self.problems.hint(name, ports.inputs, known)
            message = f"'{draft.name}' has no input '{name}'.{hint}"
            self.problems.error("unknown-input", node.keys[name], path, message, **params)
        if value.type == SECRET:
            self._check_secret(draft, port, at, path)
        elif port is not None and value.literal:
            self._check_literal(draft, port, value.expr["lit"], at, path)
        elif port is not None and not port_fits(value.type, port):
            wanted = " or ".join(article(kind) for kind in (port.type, *port.accepts))
            message = (
                f"The input '{name}' of '{draft.name}' takes {wanted}, and this is {article(value.type)}."
            )
            params = {"wanted": port.type, "given": value.type}
            self.problems.error("port-mismatch", at, path, message, **params)

    def _check_secret(self, draft: Draft, port: Port | None, at: Place, path: str) -> None:
        if not draft.kind.takes_secrets:
            label = draft.kind.label
            message = f"{label[0].upper()}{label[1:]} takes no secrets: use them in python and shell tasks."
            self.problems.error("secret-not-allowed", at, path, message)
        elif port is not None and not port_fits("string", port):
            message = f"The input '{port.name}' takes {article(port.type)}, and a secret is a string."
            self.problems.error("port-mismatch", at, path, message)

    def _check_literal(self, draft: Draft, port: Port, value: Any, at: Place, path: str) -> None:
        if value is None and (not port.required or port.type == "any"):
            return
        if any(value_fits(value, kind) and _is_plain(value, kind) for kind in (port.type, *port.accepts)):
            self._check_choice(draft, port, value, at, path)
            return
        got = "no value" if value is None else article(literal_type(value))
        hint = ""
        if port.type not in INLINE_TYPES:
            hint = " Refer to the output of a task: ${{ tasks.TASK.outputs.NAME }}."
        message = (
            f"The input '{port.name}' of '{draft.name}' takes {article(port.type)}, and this is {got}.{hint}"
        )
        self.problems.error("wrong-value-type", at, path, message, wanted=port.type)

    def _check_choice(self, draft: Draft, port: Port, value: Any, at: Place, path: str) -> None:
        if not port.choices or value in port.choices:
            return
        known = [str(choice) for choice in port.choices]
        hint, params = self.problems.hint(str(value), known)
        message = (
            f"The input '{port.name}' of '{draft.name}' is one of {listed(known)}, "
            f"not '{shorten(str(value))}'.{hint}"
        )
        self.problems.error("unknown-value", at, path, message, **params)

    def _check_required(self, draft: Draft) -> None:
        if "with" in draft.broken and "with" not in draft.raw:
            return
        given = draft.node.raw.get("with") or {}
        for port in draft.ports.inputs.values():
            if port.required and port.name not in given:
                message = (
                    f"'{draft.name}' needs the input '{port.name}' ({article(port.type)}): give it in `with`."
                )
                self.problems.error("missing-input", draft.at, draft.path, message, name=port.name)

    def _outputs(self, inner: Scope, draft: Draft) -> None:
        node = draft.node.get("outputs")
        if node is None or not isinstance(node.value, dict) or not isinstance(draft.raw.get("outputs"), dict):
            return
        values = {}
        for name in draft.raw["outputs"]:
            path = f"{draft.path}.outputs.{name}"
            value = self._value(node.value[name], _Spot(inner, draft, path, whole=True))
            if value.type == SECRET:
                message = "A secret cannot be an output: everything outside would see it."
                self.problems.error("secret-not-allowed", draft.place("outputs", name), path, message)
                value = _UNKNOWN
            values[name] = value
            draft.ports.outputs[name] = Port(name, value.type)
        self.flow.outputs[draft.key] = values

    # --- conditions ---

    def _when(self, scope: Scope, draft: Draft) -> None:
        text = draft.raw["when"]
        at, path = draft.place("when"), f"{draft.path}.when"
        problem = conditions.check(text)
        if problem is not None:
            self.problems.error("bad-condition", at, path, f"`when` cannot be used. {problem}")
            return
        refs = {}
        spot = _Spot(scope, draft, path, inside="a condition")
        for name in conditions.references(text):
            value = self._condition_value(name, at, spot)
            refs[name] = value.expr
            if value.type == SECRET:
                message = "A condition cannot use secrets: let a task decide."
                self.problems.error("secret-not-allowed", at, path, message)
            elif value.type not in INLINE_TYPES and value.type != "any":
                message = f"'{name}' is {article(value.type)}: a condition uses values, not files."
                self.problems.error("condition-not-inline", at, path, message, name=name)
        self.flow.when[draft.key] = {"text": text, "refs": refs}

    def _condition_value(self, name: str, at: Place, spot: _Spot) -> Value:
        parts = name.split(".")
        if not is_name(parts[-1]) or len(parts) not in (2, 4):
            message = f"'{shorten(name)}' cannot be read: names are letters, digits and '_'."
            self.problems.error("bad-condition", at, spot.path, message)
            return _UNKNOWN
        if parts[0] == "tasks":
            return self._count(self._reference(Reference("tasks", parts[1], parts[3], name), at, spot))
        root = "params" if parts[0] == "params" else "inputs"
        return self._count(self._reference(Reference(root, parts[1], "", name), at, spot))  # type: ignore[arg-type]

    # --- values ---

    def _value(self, node: Node, spot: _Spot) -> Value:
        """A value of the document as an expression; a whole one without references is one literal."""
        return self._count(self._any(node, spot))

    def _count(self, value: Value) -> Value:
        """Groups repeat what they are given, so a small text can grow without end: it is counted."""
        before = self.size
        self.size += value.size
        if self.size <= MAX_SPEC_BYTES:
            return value
        if before <= MAX_SPEC_BYTES:
            message = (
                f"Written out, the values are larger than {MAX_SPEC_BYTES:,} bytes: "
                "pass large ones as files, and use fewer texts made of other texts."
            )
            self.problems.error("spec-too-large", At(1, 1), "tasks", message, limit=MAX_SPEC_BYTES)
        return _UNKNOWN

    def _any(self, node: Node, spot: _Spot) -> Value:
        if isinstance(node.value, dict):
            items = {
                key: self._any(child, _within(spot, key, "a mapping")) for key, child in node.value.items()
            }
            return _collected(node.raw, {key: item.expr for key, item in items.items()}, list(items.values()))
        if isinstance(node.value, list):
            elements = [
                self._any(child, _within(spot, number, "a list")) for number, child in enumerate(node.value)
            ]
            return _collected(node.raw, [item.expr for item in elements], elements)
        if isinstance(node.raw, str) and "${{" in node.raw:
            return self._text(node, split(node.raw), spot)
        return _literal(node.raw)

    def _text(self, node: Node, parts: list[Part], spot: _Spot) -> Value:
        if len(parts) == 1:
            return self._inline(self._part(parts[0], node, spot), parts[0], node, spot)
        inner = _Spot(spot.scope, spot.draft, spot.path, inside="a text")
        values = [self._inline(self._part(part, node, inner), part, node, inner) for part in parts]
        size = 16 + sum(value.size for value in values)
        return Value({"cat": [value.expr for value in values]}, "string", size)

    def _inline(self, value: Value, part: Part, node: Node, spot: _Spot) -> Value:
        """May the value stand there? In a text only scalars, in lists and mappings only JSON."""
        if not spot.inside:
            if value.type == SECRET and not spot.whole:
                self._note_secret(node, spot)
            return value
        allowed = SCALAR_TYPES if spot.inside == "a text" else INLINE_TYPES
        if value.type == SECRET:
            self._note_secret(node, spot)
        elif value.type not in allowed and value.type != "any":
            name = part.text if isinstance(part, Reference) else "this"
            need = "numbers, texts and booleans" if spot.inside == "a text" else "values, not files,"
            message = (
                f"'{shorten(name)}' is {article(value.type)}: inside {spot.inside} only {need} can stand."
            )
            self.problems.error("reference-not-inline", node, spot.path, message)
        return value

    def _note_secret(self, node: Node, spot: _Spot) -> None:
        message = "A secret stands alone, as the whole value of an input in `with`."
        self.problems.error("secret-not-whole", node, spot.path, message)

    def _part(self, part: Part, node: Node, spot: _Spot) -> Value:
        if isinstance(part, str):
            return _literal(part)
        if isinstance(part, Broken):
            message = f"'{shorten(part.text)}' is no reference. {part.why}"
            self.problems.error("bad-reference", node, spot.path, message)
            return _UNKNOWN
        return self._reference(part, node, spot)

    # --- references ---

    def _reference(self, reference: Reference, at: Place, spot: _Spot) -> Value:
        if reference.root == "params":
            return self._parameter(reference.name, at, spot)
        if reference.root == "tasks":
            return self._output(reference, at, spot)
        if reference.root == "inputs":
            return self._scope_input(reference.name, at, spot)
        if reference.root == "secrets":
            return self._secret(reference.name, at, spot)
        return self._item(reference, at, spot)

    def _parameter(self, name: str, at: Place, spot: _Spot) -> Value:
        expr = {"ref": f"params.{name}"}
        spec = self.desk.parameters.get(name)
        if spec is not None:
            return Value(expr, spec["type"], _REFERENCE_BYTES)
        if name not in self.known_parameters:
            known = self.known_parameters
            otherwise = f"It has {listed(known)}." if known else "Declare it under `parameters`."
            hint, params = self.problems.hint(name, known, otherwise)
            message = f"The pipeline has no parameter '{shorten(name)}'.{hint}"
            self.problems.error("unknown-parameter", at, spot.path, message, **params)
        return Value(expr, "any", _REFERENCE_BYTES)

    def _output(self, reference: Reference, at: Place, spot: _Spot) -> Value:
        draft = spot.scope.drafts.get(reference.name)
        if draft is None:
            return _UNKNOWN  # noted with the edges
        if reference.name in spot.scope.inner:
            declared = self.flow.outputs.get(draft.key, {})
            if reference.output in declared:
                return declared[reference.output]
        port = draft.ports.outputs.get(reference.output)
        if port is None and not draft.ports.open_outputs:
            known = draft.ports.outputs
            otherwise = f"It gives {listed(known)}." if known else "It gives no outputs."
            if not known and draft.kind.name in ("shell", "group"):
                otherwise = "Declare it under its `outputs`."
            hint, params = self.problems.hint(reference.output, known, otherwise)
            message = f"'{draft.name}' has no output '{shorten(reference.output)}'.{hint}"
            self.problems.error("unknown-output", at, spot.path, message, **params)
        expr = {"ref": "tasks", "task": draft.key, "output": reference.output}
        return Value(expr, port.type if port is not None else "any", _REFERENCE_BYTES + len(draft.key))

    def _scope_input(self, name: str, at: Place, spot: _Spot) -> Value:
        owner = spot.scope.owner
        if owner is None:
            message = f"'inputs.{shorten(name)}' is known inside a group only: use params.NAME here."
            self.problems.error("no-inputs-here", at, spot.path, message)
            return _UNKNOWN
        given = self.flow.with_.get(owner.key, {})
        if name in given:
            return given[name]
        if "with" not in owner.broken:
            otherwise = f"Add it to `with` of '{owner.name}'."
            hint, params = self.problems.hint(name, given, otherwise)
            message = f"'{owner.name}' is given no input '{shorten(name)}'.{hint}"
            self.problems.error("unknown-scope-input", at, spot.path, message, **params)
        return _UNKNOWN

    def _secret(self, name: str, at: Place, spot: _Spot) -> Value:
        secrets = self.desk.context.secrets
        if secrets is not None and name not in secrets:
            hint, params = self.problems.hint(name, secrets, "Store it on the team's page first.")
            message = f"The team has no secret '{shorten(name)}'.{hint}"
            self.problems.error("unknown-secret", at, spot.path, message, **params)
        return Value({"ref": f"secrets.{name}"}, SECRET, _REFERENCE_BYTES)

    def _item(self, reference: Reference, at: Place, spot: _Spot) -> Value:
        if spot.scope.item == reference.name:
            return Value({"ref": f"item.{reference.name}"}, "any", _REFERENCE_BYTES)
        roots = ["params", "tasks", "inputs", "secrets"]
        hint, params = self.problems.hint(
            reference.name, roots, f"Write params.{reference.name} if a parameter is meant."
        )
        message = f"'{shorten(reference.text)}' is no reference.{hint}"
        self.problems.error("bad-reference", at, spot.path, message, **params)
        return _UNKNOWN


def _within(spot: _Spot, key: str | int, inside: str) -> _Spot:
    return _Spot(spot.scope, spot.draft, f"{spot.path}.{shorten(str(key))}", inside=inside)


def _literal(raw: Any) -> Value:
    size = 8 + (len(raw.encode("utf-8")) if isinstance(raw, str) else 16)
    return Value({"lit": raw}, literal_type(raw), size, literal=True)


def _collected(raw: Any, parts: Mapping[str, Expr] | list[Expr], values: list[Value]) -> Value:
    """A list or mapping: one literal when nothing in it refers."""
    size = 16 + sum(value.size for value in values)
    if isinstance(parts, list):
        if all(value.literal for value in values):
            return Value({"lit": raw}, "json", size, literal=True)
        return Value({"list": parts}, "json", size)
    size += sum(len(key) for key in parts)
    if all(value.literal for value in values):
        return Value({"lit": raw}, "json", size, literal=True)
    return Value({"map": dict(parts)}, "json", size)


def _is_plain(value: Any, kind: str) -> bool:
    """A literal for `json` must be a list or a mapping: scalars have types of their own."""
    return kind != "json" or isinstance(value, dict | list)
