"""`when`: conditions in CEL, over params, outputs of tasks and inputs.

The names are those of references, without `${{ }}`: `params.x`, `tasks.t.outputs.o`, `inputs.x`. A task
name may hold a '-' (`tasks.train-all.outputs.x`). Integers and floats compare and calculate with each
other, as JSON has one kind of number. cel-python is imported when the first condition is read. Pure.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pipelines.limits import MAX_CONDITION_LENGTH
from pipelines.problems import listed, shorten

_MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map", "reduce", "min"})
_ROOTS: Final = frozenset({"params", "tasks", "inputs"})
# Levels of a syntax tree. Evaluating takes two frames for each, of the 1,000 that Python allows; a bracket
# takes ten levels, an operator two.
_MAX_TREE_DEPTH: Final = 300


class ConditionError(Exception):
    """A condition cannot be evaluated; the text says why."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A condition as read: its problem, or the names it uses."""

    problem: str | None
    names: tuple[str, ...] = ()


def check(text: str) -> str | None:
    """Why this is no condition, as a sentence with the way out; None when it is one."""
    return _read(text).problem


def references(text: str) -> list[str]:
    """The names it uses, each once, in order of writing: ["params.x", "tasks.t.outputs.o", "inputs.y"].

    Empty for a text that `check` refuses.
    """
    return list(_read(text).names)


def evaluate(text: str, values: Mapping[str, Any]) -> bool:
    """The truth of a condition.

    values: {"params": {…}, "tasks": {name: {"outputs": {…}}}, "inputs": {…}}, plain JSON; each may be absent.
    ConditionError when it is no condition, names something absent, or gives no boolean.
    """
    import celpy

    read = _read(text)
    if read.problem is not None:
        raise ConditionError(read.problem)
    try:
        activation = {root: celpy.json_to_cel(values.get(root) or {}) for root in _ROOTS}
        result = _program(text).evaluate(activation)
    except (celpy.CELEvalError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        absent = [name for name in read.names if _is_absent(name, values)]
        said = f"there is no value for {listed(absent)}" if absent else _said(error)
        raise ConditionError(f"{shorten(text)}: {said}") from error
    if not isinstance(result, celpy.celtypes.BoolType | bool):
        raise ConditionError(f"{shorten(text)}: gives {_kind(result)}, and a condition must be true or false")
    return bool(result)


def _is_absent(name: str, values: Mapping[str, Any]) -> bool:
    found: Any = values
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return True
        found = found[part]
    return False


def _said(error: BaseException) -> str:
    said = str(error.args[0]) if error.args else type(error).__name__
    if "no matching overload" in said or "no such overload" in said:
        return "two values in it cannot be compared or combined, because their types differ"
    return shorten(said, 200)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__.removesuffix("Type").lower()


# --- reading ----------------------------------------------------------------------------------------

_STRINGS_OR_NAMES = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"|(?<![\w.])tasks\.(?P<task>[A-Za-z0-9_-]+)\.outputs\b"
    r"|(?<![\w.])(?P<root>params|inputs)\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
)


def _with_indexes(text: str) -> str:
    """`tasks.train-all.outputs` -> `tasks["train-all"].outputs`: CEL would read a minus or a keyword."""

    return _STRINGS_OR_NAMES.sub(_with_index, text)


def _with_index(match: re.Match[str]) -> str:
    if match["task"]:
        return f'tasks["{match["task"]}"].outputs'
    if match["root"]:
        return f'{match["root"]}["{match["name"]}"]'
    return match.group()


def _written_at(text: str, column: int) -> int:
    """The column, from 1, of what stands at `column` once indexes are written."""
    longer = 0
    for match in _STRINGS_OR_NAMES.finditer(text):
        growth = len(_with_index(match)) - len(match.group())
        if match.end() + longer + growth >= column:
            break
        longer += growth
    return max(column - longer, 1)


@lru_cache(maxsize=4096)
def _read(text: str) -> _Read:
    if problem := _unreadable(text):
        return _Read(problem)
    import celpy

    found = _Names()
    try:
        tree = _environment().compile(_with_indexes(text))
        if _depth(tree) > _MAX_TREE_DEPTH:
            return _Read("It has too many operators or brackets inside each other: let a task decide.")
        found.visit(tree)
    except celpy.CELParseError as error:
        known = error.column and "\n" not in text
        where = f" near character {_written_at(text, error.column)}" if known else ""
        return _Read(f"It is not a condition in CEL{where}: compare values with ==, <, >=, &&, || and !.")
    except (ValueError, TypeError, RecursionError) as error:
        return _Read(f"It is not a condition in CEL: {shorten(str(error), 120)}.")
    return _Read(found.problem) if found.problem else _Read(None, tuple(dict.fromkeys(found.names)))


@lru_cache(maxsize=256)  # a syntax tree takes some 50 KB
def _program(text: str) -> Any:
    """The compiled form of a text that `check` accepts."""
    environment = _environment()
    return environment.program(environment.compile(_with_indexes(text)), functions=_functions())


def _unreadable(text: str) -> str | None:
    """What is refused before the parser sees it."""
    if not text.strip():
        return "It is empty: write a comparison, or leave `when` out."
    if "${{" in text:
        return "A condition names values without ${{ }}: write params.x, not ${{ params.x }}."
    if len(text) > MAX_CONDITION_LENGTH:
        return (
            f"It has {len(text):,} characters; at most {MAX_CONDITION_LENGTH:,} are read. Let a task decide."
        )
    return None


@lru_cache(maxsize=1)
def _environment() -> Any:
    import celpy

    return celpy.Environment()


def _depth(tree: Any) -> int:
    deepest = 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in getattr(node, "children", ()))
    return deepest


class _Names:
    """Walks the syntax tree of a condition and collects the names it uses."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.problem: str | None = None

    def visit(self, tree: Any, bound: frozenset[str] = frozenset(), macros: int = 0) -> None:
        """`bound` are the variables of macros around; `macros` how many there are."""
        if not hasattr(tree, "children"):
            return
        if tree.data in ("member_dot", "member_index", "member_dot_arg") or tree.data == "primary":
            chain, rest = _chain(tree)
            self._check_function(tree)
            root = chain[0] if chain else None
            if root in bound:
                chain = []
            elif root is not None:
                self._note(chain)
            for child, variables, inner in rest:
                self._inner(child, bound | variables, macros + inner)
            return
        for child in tree.children:
            self.visit(child, bound, macros)

    def _check_function(self, tree: Any) -> None:
        called: Any = tree if tree.data == "member_dot_arg" else (tree.children or [None])[0]
        if getattr(called, "data", "") not in ("member_dot_arg", "ident_arg", "dot_ident_arg"):
            return
        name = str(called.children[1] if called.data == "member_dot_arg" else called.children[0])
        if name not in _known_functions() and self.problem is None:
            self.problem = f"The function '{shorten(name)}' does not exist in CEL."

    def _inner(self, tree: Any, bound: frozenset[str], macros: int) -> None:
        # Lists go into the thousands: one loop is fast, loops inside loops could hold the engine for hours.
        if macros > 1:
            self.problem = self.problem or "A loop stands inside another one: let a task decide."
            return
        self.visit(tree, bound, macros)

    def _note(self, chain: list[str]) -> None:
        root = chain[0]
        if root == "tasks" and len(chain) >= 4 and chain[2] == "outputs":
            self.names.append(".".join(chain[:4]))
        elif root in ("params", "inputs") and len(chain) >= 2:
            self.names.append(".".join(chain[:2]))
        elif self.problem is None:
            self.problem = _unknown_name(chain)


def _unknown_name(chain: list[str]) -> str:
    root = chain[0]
    if root == "tasks":
        return "Name a task and its output: tasks.TASK.outputs.NAME."
    if root in ("params", "inputs"):
        return f"Name one value: {root}.NAME."
    if root == "secrets":
        return "A condition cannot use secrets: let a task decide."
    known = "params.NAME, tasks.TASK.outputs.NAME and inputs.NAME"
    return f"'{shorten(root)}' is not known: a condition uses {known}."


_Rest = list[tuple[Any, frozenset[str], int]]


def _chain(tree: Any) -> tuple[list[str], _Rest]:
    """A member expression -> its names from the root on, and the other expressions inside it.

    `tasks["a"].outputs.x` gives ["tasks", "a", "outputs", "x"]; the chain is [] when the root is no name.
    The rest holds (tree, variables bound in it, 1 if it is the body of a macro).
    """
    steps: list[Any] = []
    while tree.data in ("member", "member_dot", "member_index", "member_dot_arg"):
        if tree.data != "member":
            steps.append(tree)
        tree = tree.children[0]
    chain, rest = _root(tree)
    open_end = bool(chain)
    for step in reversed(steps):
        name = _step_name(step)
        if step.data == "member_dot_arg":
            rest.extend(_arguments(step))
        elif name is None:
            rest.append((step.children[1], frozenset(), 0))
        if open_end and name is not None and step.data != "member_dot_arg":
            chain.append(name)
        else:
            open_end = False
    return chain, rest


def _root(tree: Any) -> tuple[list[str], _Rest]:
    """The primary at the beginning of a member expression."""
    inner: Any = tree.children[0] if tree.children else None
    data = getattr(inner, "data", "")
    if data == "ident":
        return [str(inner.children[0])], []
    if data in ("ident_arg", "dot_ident_arg", "dot_ident"):
        return [], [(child, frozenset(), 0) for child in inner.children if hasattr(child, "children")]
    children = getattr(inner, "children", ())
    return [], [(child, frozenset(), 0) for child in children if hasattr(child, "children")]


def _step_name(step: Any) -> str | None:
    """`.x` -> "x"; `["x"]` -> "x"; anything computed -> None."""
    if step.data == "member_dot":
        return str(step.children[1])
    if step.data == "member_dot_arg":
        return str(step.children[1])
    tree = step.children[1]
    while hasattr(tree, "children") and len(tree.children) == 1:
        tree = tree.children[0]
    text = "" if hasattr(tree, "children") else str(tree)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else None


def _arguments(step: Any) -> _Rest:
    """The arguments of `x.method(…)`; in a macro the first one names a variable."""
    arguments = step.children[2].children if len(step.children) > 2 and step.children[2] is not None else []
    if str(step.children[1]) not in _MACROS or len(arguments) < 2:
        return [(argument, frozenset(), 0) for argument in arguments]
    variable = arguments[0]
    while hasattr(variable, "children") and len(variable.children) == 1:
        variable = variable.children[0]
    return [(argument, frozenset({str(variable)}), 1) for argument in arguments[1:]]


# --- numbers ----------------------------------------------------------------------------------------

_Operator = Callable[[Any, Any], Any]


@lru_cache(maxsize=1)
def _known_functions() -> frozenset[str]:
    from celpy.evaluation import base_functions

    return frozenset(base_functions) | _MACROS | {"has", "dyn"}


@lru_cache(maxsize=1)
def _functions() -> dict[str, _Operator]:
    """The operators of CEL, made to work between integers and floats."""
    from celpy.celtypes import BoolType, DoubleType, IntType, UintType
    from celpy.evaluation import base_functions, boolean

    whole = (IntType, UintType)

    def mixed(original: _Operator) -> _Operator:
        def call(left: Any, right: Any) -> Any:
            if isinstance(left, DoubleType) and isinstance(right, whole):
                right = DoubleType(right)
            elif isinstance(right, DoubleType) and isinstance(left, whole):
                left = DoubleType(left)
            return original(left, right)

        return call

    names = ("_+_", "_-_", "_*_", "_/_", "_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_")
    functions = {name: mixed(base_functions[name]) for name in names}
    equal = mixed(boolean(operator.eq))

    def contains(item: Any, container: Any) -> Any:
        numeric = DoubleType | IntType | UintType
        if isinstance(container, list) and isinstance(item, numeric):
            return BoolType(any(isinstance(x, numeric) and bool(equal(item, x)) for x in container))
        return base_functions["_in_"](item, container)

    functions["_in_"] = contains
    return functions
