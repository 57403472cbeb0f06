"""References `${{ … }}`: reading them from a text, and resolving what they became in a version.

In a version every value of a task is an expression (EXPR), plain JSON:

    {"lit": any JSON}
    {"ref": "params.x"} | {"ref": "secrets.x"}
    {"ref": "tasks", "task": "train-all/fit", "output": "model"}      the task's whole path
    {"cat": [EXPR, …]}    text with scalars in it
    {"list": [EXPR, …]} | {"map": {"key": EXPR}}

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Expr = dict[str, Any]
Root = Literal["params", "tasks", "inputs", "secrets", "item"]
# Given the reference ({"ref": …}), returns its value.
Lookup = Callable[[Mapping[str, Any]], Any]

_OPEN, _CLOSE = "${{", "}}"
NAME_PATTERN: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_NAME = re.compile(NAME_PATTERN)
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "params": re.compile(rf"params\.({NAME_PATTERN})"),
    "inputs": re.compile(rf"inputs\.({NAME_PATTERN})"),
    # With the owner's team in front where it is lent.
    "secrets": re.compile(r"secrets\.((?:[a-z0-9-]+:)?[A-Za-z0-9_-]+)"),
    "tasks": re.compile(rf"tasks\.([A-Za-z0-9_-]+)\.outputs\.({NAME_PATTERN})"),
}


class ResolveError(Exception):
    """A value cannot be made; the text says which reference and why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${{ … }}`. `output` only with root "tasks"; root "item" is a bare name, the item of a map."""

    root: Root
    name: str
    output: str
    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Something between `${{` and `}}` that is no reference; `why` is a sentence with the way out."""

    text: str
    why: str


Part = str | Reference | Broken


def split(text: str) -> list[Part]:
    """A text -> its literal parts, references and broken references, in order; [] for the empty text."""
    if _OPEN not in text:
        return [text] if text else []
    # By `find`, not by a pattern: one that is never closed would be searched for from every `${{` on.
    parts: list[Part] = []
    end = 0
    while (start := text.find(_OPEN, end)) >= 0:
        if start > end:
            parts.append(text[end:start])
        close = text.find(_CLOSE, start)
        if close < 0:
            return [*parts, Broken(text[start:], "Close it with '}}'.")]
        parts.append(read(text[start + len(_OPEN) : close].strip()))
        end = close + len(_CLOSE)
    return [*parts, text[end:]] if end < len(text) else parts


def read(inner: str) -> Reference | Broken:
    """What stands between the braces -> a reference."""
    root = inner.partition(".")[0]
    shape = _SHAPES.get(root)
    match = shape.fullmatch(inner) if shape is not None else None
    if match is not None:
        return Reference(root, *_name_and_output(match), inner)  # type: ignore[arg-type]
    if _NAME.fullmatch(inner) and inner not in _SHAPES:
        return Reference("item", inner, "", inner)
    return Broken(inner, _why(inner))


def _name_and_output(match: re.Match[str]) -> tuple[str, str]:
    return match[1], match[2] if match.re.groups > 1 else ""


def _why(inner: str) -> str:
    first, _, rest = inner.partition(".")
    if not inner:
        return "Name a value, such as params.learning_rate."
    if first == "tasks" and re.fullmatch(r"[A-Za-z0-9_-]+", rest):
        return f"Name an output too: tasks.{rest}.outputs.NAME."
    if first == "tasks":
        return "Write tasks.TASK.outputs.NAME, with one task of the same scope."
    if first in ("params", "inputs", "secrets"):
        return f"Write {first}.NAME, with letters, digits and '_'."
    return "Only params.NAME, tasks.TASK.outputs.NAME, inputs.NAME and secrets.NAME are replaced."


def is_name(text: str) -> bool:
    """May a parameter, input or output be called so?"""
    return _NAME.fullmatch(text) is not None


# --- expressions of a version -----------------------------------------------------------------------


def resolve(expr: Mapping[str, Any], lookup: Lookup) -> Any:
    """The value of an expression. `lookup` gives the value of each reference; what it raises passes on.

    ResolveError when a text would hold something that is no scalar.
    """
    if "lit" in expr:
        return expr["lit"]
    if "ref" in expr:
        return lookup(expr)
    if "cat" in expr:
        return "".join(_as_text(resolve(part, lookup), part) for part in expr["cat"])
    if "list" in expr:
        return [resolve(item, lookup) for item in expr["list"]]
    if "map" in expr:
        return {key: resolve(item, lookup) for key, item in expr["map"].items()}
    raise ResolveError(f"unknown expression with keys {sorted(expr)}")


def _as_text(value: Any, part: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    name = describe(part)
    raise ResolveError(f"{name} stands inside a text and must be a scalar, not {type(value).__name__}")


def describe(expr: Mapping[str, Any]) -> str:
    """A reference as a person would write it; `a value` for everything else."""
    if "ref" not in expr:
        return "a value"
    if expr["ref"] == "tasks":
        return f"tasks.{expr['task']}.outputs.{expr['output']}"
    return str(expr["ref"])


_SECRETS: Final = "secrets."


def secret_named(expr: Mapping[str, Any]) -> str | None:
    """The name of the secret that an expression is; a secret always stands alone."""
    reference = expr.get("ref", "")
    return reference.removeprefix(_SECRETS) if reference.startswith(_SECRETS) else None


def secrets_named(task: Mapping[str, Any]) -> dict[str, str]:
    """Input -> name of its secret, for those inputs of a task (as a version holds it) that are secrets."""
    return {name: secret for name, expr in task["with"].items() if (secret := secret_named(expr))}


def references(expr: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every reference inside an expression, as {"ref": …}, in order of writing."""
    if "ref" in expr:
        yield expr
    for part in expr.get("cat") or expr.get("list") or ():
        yield from references(part)
    for part in (expr.get("map") or {}).values():
        yield from references(part)
