"""Parameters of a pipeline: their declarations, and the values given when a run starts. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipelines.limits import MAX_INLINE_BYTES
from pipelines.ports import article, literal_type, value_fits
from pipelines.problems import At, Problem, Problems, listed, shorten

_NO_PLACE: Final = At(0, 0)


def check_parameters(
    parameters: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """Values for a run: what was given, else the defaults, and every problem with them.

    parameters: those of a version ({"type", "default", "minimum", …} by name). A problem's path is
    "parameters.NAME", its line and column are 0. Use the values only when there is no problem.
    """
    problems = Problems()
    for name in given:
        if name not in parameters:
            known = f"It has {listed(parameters)}." if parameters else "It takes none."
            hint, params = problems.hint(name, parameters, known)
            message = f"The pipeline has no parameter '{shorten(name)}'.{hint}"
            problems.error("unknown-parameter", _NO_PLACE, f"parameters.{shorten(name)}", message, **params)
    values: dict[str, Any] = {}
    for name, spec in parameters.items():
        path = f"parameters.{name}"
        if name not in given and "default" in spec:
            values[name] = spec["default"]
        elif name not in given:
            message = f"The parameter '{name}' has no default: give {article(spec['type'])}."
            problems.error("missing-parameter", _NO_PLACE, path, message, name=name)
        elif fault := value_problem(spec, given[name]):
            code, sentence = fault
            message = f"The parameter '{name}' {sentence}."
            problems.error(code, _NO_PLACE, path, message, name=name)
        else:
            values[name] = _typed(spec["type"], given[name])
    return values, problems.sorted()


def _typed(kind: str, value: Any) -> Any:
    """2.0 given for an integer is 2, and 2 given for a number stays as it is."""
    return int(value) if kind == "integer" and isinstance(value, float) else value


Fault = tuple[str, str]  # a code, and the end of the sentence "The parameter 'x' …"


def value_problem(spec: Mapping[str, Any], value: Any) -> Fault | None:
    """Why a value does not satisfy the declaration of a parameter; None when it does."""
    kind = spec["type"]
    if not value_fits(value, kind):
        got = "no value" if value is None else article(literal_type(value))
        return "wrong-parameter-type", f"must be {article(kind)}, not {got}"
    for judge in _JUDGES:
        if fault := judge(spec, value):
            return fault
    return None


def _size(spec: Mapping[str, Any], value: Any) -> Fault | None:
    try:
        size = len(json.dumps(value, allow_nan=False).encode("utf-8", "replace"))
    except (ValueError, TypeError, RecursionError):
        return "wrong-parameter-type", "must be plain JSON with finite numbers"
    if size <= MAX_INLINE_BYTES:
        return None
    return "parameter-too-large", f"has {size:,} bytes; at most {MAX_INLINE_BYTES:,} pass inline, pass a file"


def _range(spec: Mapping[str, Any], value: Any) -> Fault | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low, high = spec.get("minimum"), spec.get("maximum")
    if low is not None and value < low:
        return "parameter-out-of-range", f"must be at least {low}, not {value}"
    if high is not None and value > high:
        return "parameter-out-of-range", f"must be at most {high}, not {value}"
    return None


def _choice(spec: Mapping[str, Any], value: Any) -> Fault | None:
    choices = spec.get("enum")
    if choices is None or any(value == choice and type(value) is type(choice) for choice in choices):
        return None
    return "parameter-not-allowed", f"must be one of {listed(shorten(str(choice)) for choice in choices)}"


def _length(spec: Mapping[str, Any], value: Any) -> Fault | None:
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return "wrong-parameter-type", "must not hold the character U+0000"
    low, high = spec.get("min_length"), spec.get("max_length")
    if low is not None and len(value) < low:
        return "parameter-out-of-range", f"must have at least {low} characters"
    if high is not None and len(value) > high:
        return "parameter-out-of-range", f"must have at most {high} characters"
    return None


_JUDGES: Final[tuple[Callable[[Mapping[str, Any], Any], Fault | None], ...]] = (
    _size,
    _range,
    _choice,
    _length,
)


def declaration_problem(spec: Mapping[str, Any]) -> Fault | None:
    """Why a declaration contradicts itself: (key it is about, end of a sentence); None when it does not."""
    for low, high in (("minimum", "maximum"), ("min_length", "max_length")):
        if low in spec and high in spec and spec[low] > spec[high]:
            return low, f"has a {low} of {spec[low]} above its {high} of {spec[high]}"
    for keys, kinds in _ONLY_FOR.items():
        for key in keys:
            if key in spec and spec["type"] not in kinds:
                return key, f"is {article(spec['type'])}, and '{key}' is for {listed(kinds)} only"
    for choice in spec.get("enum", ()):
        if not value_fits(choice, spec["type"]):
            return "enum", f"is {article(spec['type'])}, and {shorten(str(choice))!r} in its enum is not"
    if "default" in spec and (fault := value_problem(spec, spec["default"])):
        return "default", f"has a default that {fault[1]}"
    return None


_ONLY_FOR: Final = {
    ("minimum", "maximum"): ("integer", "number"),
    ("min_length", "max_length"): ("string",),
}
