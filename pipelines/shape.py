"""Shape: what the JSON Schema refuses, as problems at their line, and the part that can be used. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pipelines.document import Node
from pipelines.limits import MAX_PROBLEMS
from pipelines.ports import article
from pipelines.problems import Place, Problems, listed, shorten
from pipelines.schema import DOCUMENT_KEYS, Judge, head_judge, task_judge, task_keys
from pipelines.task_kinds import KINDS
from pipelines.task_kinds.base import Draft, place

# How deep a bad value is cut out, by the key it is under: one bad parameter leaves the others usable.
_HEAD_CUTS: Final = {"parameters": 2, "triggers": 2, "defaults": 2}
_TASK_CUTS: Final = {"needs": 2, "outputs": 2, "with": 2}
# Fields of the pipeline, which people look for in the document.
_PIPELINE_FIELDS: Final = frozenset({"owner", "deputy", "runbook", "team", "tags"})


def check_head(root: Node, problems: Problems) -> dict[str, Any]:
    """The keys of the document whose shape is right; `tasks` as it is."""
    shape = _Shape(root, "", problems, root, known=DOCUMENT_KEYS)
    usable: dict[str, Any] = shape.judge(head_judge(), _HEAD_CUTS)
    return usable


def check_task(task: Draft, problems: Problems) -> None:
    """Fills `raw` and `broken` of a draft whose kind is known."""
    shape = _Shape(task.node, task.path, problems, task.at, known=task_keys(task.kind.name))
    shape.of = task.kind.label
    shape.holder = f"The task '{shorten(task.name)}'"
    task.raw = shape.judge(task_judge(task.kind.name), _TASK_CUTS)
    task.broken = {str(cut[0]) for cut in shape.cuts}


class _Shape:
    """Turns the errors of one value into problems, and remembers what to cut out."""

    def __init__(
        self, node: Node, path: str, problems: Problems, at: Place, known: Mapping[str, Any]
    ) -> None:
        self.node = node
        self.path = path
        self.problems = problems
        self.at = at
        self.known = known
        self.of = ""
        self.holder = "The document"
        self.cuts: set[tuple[str | int, ...]] = set()

    def judge(self, judge: Judge, depth: Mapping[str, int]) -> dict[str, Any]:
        raw = self.node.raw
        if judge.accepts(raw):
            return dict(raw)
        for count, error in enumerate(judge.errors(raw)):
            if count >= MAX_PROBLEMS:  # what is left could hold anything
                self.cuts = {(key,) for key in raw}
                break
            self._note(error, ())
        cuts = {cut[: depth.get(str(cut[0]), 1)] for cut in self.cuts}
        return _without(raw, cuts)

    def _note(self, error: Any, prefix: tuple[str | int, ...]) -> None:
        keys = (*prefix, *error.path)
        said = _says(error)
        if error.validator == "additionalProperties":
            self._unknown_keys(error, keys)
        elif error.validator == "required":
            self._missing_keys(error, keys)
        elif error.validator == "anyOf":
            self._branches(error, keys)
        elif "propertyNames" in error.absolute_schema_path:
            self._bad_name(error, keys, said)
        else:
            self.cuts.add(keys)
            code, message = _sentence(error, _name(keys), said, self.problems)
            self.problems.error(code, self._place(keys), self._where(keys), message)

    def _place(self, keys: tuple[str | int, ...]) -> Place:
        return place(self.node, keys, self.at)

    def _where(self, keys: Iterable[str | int]) -> str:
        parts = [self.path, *(shorten(str(key)) for key in keys)]
        return ".".join(part for part in parts if part)

    def _unknown_keys(self, error: Any, keys: tuple[str | int, ...]) -> None:
        allowed = error.schema.get("properties", {})
        for name in error.instance:
            if name in allowed:
                continue
            self.cuts.add((*keys, name))
            at = self._key_place(keys, name)
            known = f"It takes {listed(allowed, 20)}."
            hint, params = self.problems.hint(name, allowed, known)
            code, message = "unknown-key", f"The key '{shorten(name)}' is not known here.{hint}"
            if not keys:
                code, message = self._unknown_top_key(name, message, hint)
            self.problems.error(code, at, self._where((*keys, name)), message, **params)

    def _unknown_top_key(self, name: str, message: str, hint: str) -> tuple[str, str]:
        if not self.path and name in _PIPELINE_FIELDS:
            return (
                "field-of-pipeline",
                f"'{name}' is a field of the pipeline, set on its page: remove it here.",
            )
        if self.path and any(name in task_keys(kind) for kind in KINDS):
            return "key-of-other-kind", f"{self.of[0].upper()}{self.of[1:]} has no '{shorten(name)}'.{hint}"
        return "unknown-key", message

    def _key_place(self, keys: tuple[str | int, ...], name: str) -> Place:
        current: Node | None = self.node
        for key in keys:
            value = current.value if current is not None else None
            current = value[key] if isinstance(value, dict | list) else None  # type: ignore[index]
        return current.key_at(name) if current is not None else self.at

    def _missing_keys(self, error: Any, keys: tuple[str | int, ...]) -> None:
        for name in error.validator_value:
            if name not in error.instance:
                if keys:
                    self.cuts.add(keys)
                holder = f"'{_name(keys)}'" if keys else self.holder
                message = f"{holder} has no `{name}`: add it."
                if not keys and not self.path and name == "schema":
                    message = "The document has no `schema`: begin it with `schema: orchestrator/v1`."
                self.problems.error("missing-key", self._place(keys), self._where(keys), message, name=name)

    def _bad_name(self, error: Any, keys: tuple[str | int, ...], said: str) -> None:
        name = str(error.instance)
        self.cuts.add((*keys, name))
        at = self._key_place(keys, name)
        message = f"'{shorten(name)}' is not {said}."
        self.problems.error("bad-name", at, self._where((*keys, name)), message)

    def _branches(self, error: Any, keys: tuple[str | int, ...]) -> None:
        """Of several forms the one whose type is right is meant, and its errors are told."""
        branches: dict[int, list[Any]] = {}
        for inner in error.context:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        for errors in branches.values():
            if not any(inner.validator == "type" and not inner.path for inner in errors):
                for inner in errors:
                    self._note(inner, keys)
                return
        self.cuts.add(keys)
        message = f"'{_name(keys)}' must be {_says(error)}, not {_kind(error.instance)}."
        self.problems.error("wrong-type", self._place(keys), self._where(keys), message)


def _without(raw: Mapping[str, Any], cuts: set[tuple[str | int, ...]]) -> dict[str, Any]:
    """A copy in which the values under these keys (one or two levels down) are left out."""
    gone = {cut[0] for cut in cuts if len(cut) == 1}
    usable: dict[str, Any] = {}
    for key, value in raw.items():
        if key in gone:
            continue
        inner = {cut[1] for cut in cuts if len(cut) == 2 and cut[0] == key}
        if inner and isinstance(value, dict):
            usable[key] = {name: item for name, item in value.items() if name not in inner}
        elif inner and isinstance(value, list):
            # None keeps the places of the others, which name their lines.
            usable[key] = [None if number in inner else item for number, item in enumerate(value)]
        else:
            usable[key] = value
    return usable


# --- sentences --------------------------------------------------------------------------------------

_TYPE_WORDS: Final = {
    "object": "a mapping (`key: value` lines)",
    "array": "a list",
    "string": "a text",
    "null": "nothing",
}


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    visible = value.replace("\n", "\\n")
    return f"'{shorten(visible)}'"


def _name(keys: tuple[str | int, ...]) -> str:
    """The last name of a path, with the number of an item: `needs[0]`."""
    if keys and isinstance(keys[-1], int):
        return f"{_name(keys[:-1])}[{keys[-1]}]"
    return shorten(str(keys[-1])) if keys else "the value"


def _says(error: Any) -> str:
    said = error.schema.get("x-says") if isinstance(error.schema, dict) else None
    if said:
        return str(said)
    wanted = error.schema.get("type", "") if isinstance(error.schema, dict) else ""
    names = wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(_TYPE_WORDS.get(name) or article(name) for name in names)


def _sentence(error: Any, name: str, said: str, problems: Problems) -> tuple[str, str]:
    """Code and sentence of an error of one value."""
    value = error.instance
    if error.validator == "type":
        if value is None:
            return "wrong-type", f"'{name}' has no value: write {said}, or remove the key."
        quotes = " Put it in quotes." if error.validator_value == "string" and _is_scalar(value) else ""
        return "wrong-type", f"'{name}' must be {said}, not {_kind(value)}.{quotes}"
    if error.validator == "enum":
        return _not_listed(error, name, problems)
    if error.validator == "pattern":
        hint = " References are replaced in `with` only." if "${{" in value else ""
        return error.schema.get(
            "x-problem", "bad-value"
        ), f"'{name}' must be {said}, not {_kind(value)}.{hint}"
    make = _LIMITS.get(error.validator)
    if make is None:
        return "bad-value", f"'{name}' cannot be {_kind(value)}."
    code, words = make
    return code, f"'{name}' {words.format(error.validator_value)}."


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _not_listed(error: Any, name: str, problems: Problems) -> tuple[str, str]:
    choices = [_plain(choice) for choice in error.validator_value]
    written = _plain(error.instance) if _is_scalar(error.instance) else ""
    hint, _ = problems.hint(written, choices)
    words = f"one of {listed(choices, 20)}" if len(choices) > 1 else choices[0]
    code = error.schema.get("x-problem", "unknown-value")
    return code, f"'{name}' must be {words}, not {_kind(error.instance)}.{hint}"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_LIMITS: Final = {
    "minimum": ("out-of-range", "must be at least {}"),
    "maximum": ("out-of-range", "must be at most {}"),
    "minLength": ("empty", "is empty: write something, or remove the key"),
    "maxLength": ("too-long", "may have at most {} characters"),
    "minItems": ("empty", "needs at least {} values"),
    "maxItems": ("too-long", "may have at most {} values"),
    "minProperties": ("empty", "is empty: it needs at least {} entry"),
}
