"""check: rules that a table must satisfy.

Each rule of `checks` is one of these, with an optional `title`:

    {rows: {min: 1000, max: 5000}}                  how many rows; either bound may be left out
    {column: c, between: [low, high]}               numbers or texts (dates); null for an open side
    {column: c, nulls: {max: 10}}                   at most so many empty values
    {column: c, nulls: {share: 0.01}}               at most this share of the rows, 0 to 1
    {column: c, unique: true}                       no value twice
    {column: c, in: [a, b]}                         only these values
    {column: c, pattern: "[a-z]+"}                  the whole text matches (RE2)

Empty values satisfy between, unique, in and pattern. `on_failure: block` (default) fails the task when a
rule is not satisfied, `warn` lets it succeed. The output `report` (json) says how each rule went.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.limits import MAX_CHECKS
from pipelines.ports import Port
from pipelines.problems import listed, shorten
from pipelines.task_kinds.base import VALUES, Desk, Draft, JsonSchema, Kind, Ports, named

_COLUMN_RULES: Final = ("between", "nulls", "unique", "in", "pattern")
_RULES: Final = ("rows", *_COLUMN_RULES)
_COUNT: Final[JsonSchema] = {"type": "integer", "minimum": 0}
_RULE: Final[JsonSchema] = {
    "type": "object",
    "additionalProperties": False,
    "x-one-of": list(_RULES),
    "properties": {
        "title": {"type": "string", "maxLength": 200},
        "column": {"type": "string", "minLength": 1},
        "rows": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {"min": _COUNT, "max": _COUNT},
        },
        "between": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": ["number", "string", "null"]},
        },
        "nulls": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "x-one-of": ["max", "share"],
            "properties": {"max": _COUNT, "share": {"type": "number", "minimum": 0, "maximum": 1}},
        },
        "unique": {"enum": [True]},
        "in": {
            "type": "array",
            "minItems": 1,
            "items": {"type": ["number", "string", "boolean"]},
        },
        "pattern": {"type": "string", "minLength": 1},
    },
}


class Check(Kind):
    """`with` takes `table`; `checks`; `on_failure: block | warn`. Gives `report`."""

    name = "check"
    label = "a check"
    title = "Check"
    description = "Looks whether a table satisfies rules, and stops what follows when it does not."
    category = "Data"
    starter = {"checks": [{"rows": {"min": 1}}]}
    keys = {
        "with": VALUES,
        "checks": {"type": "array", "minItems": 1, "maxItems": MAX_CHECKS, "items": _RULE},
        "on_failure": {"enum": ["block", "warn"], "default": "block"},
    }
    required = ("checks",)

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports(named((Port("table", "table"),)), named((Port("report", "json"),)))

    def check(self, task: Draft, desk: Desk) -> None:
        for number, rule in enumerate(task.raw.get("checks", ())):
            fault = _form(rule) or _bounds(rule) or _pattern(rule)
            if fault is not None:
                code, key, sentence = fault
                at = task.place("checks", number, *([key] if key else []))
                desk.problems.error(code, at, f"{task.path}.checks.{number}", sentence)

    def config(self, task: Draft) -> dict[str, Any]:
        return {"checks": task.raw.get("checks", []), "on_failure": task.raw.get("on_failure", "block")}


_Fault = tuple[str, str, str]  # code, the key it is about or "", sentence


def _form(rule: dict[str, Any]) -> _Fault | None:
    rules = [key for key in _RULES if key in rule]
    if len(rules) != 1:
        found = f"This one has {listed(rules)}." if rules else "This one has none."
        return "one-rule", "", f"Each check holds one rule of {listed(_RULES)}. {found}"
    if rules[0] == "rows" and "column" in rule:
        return "one-rule", "column", "`rows` is about the whole table: remove `column`."
    if rules[0] != "rows" and "column" not in rule:
        return "missing-key", "", f"`{rules[0]}` is about a column: add `column: NAME`."
    return None


def _bounds(rule: dict[str, Any]) -> _Fault | None:
    key = "rows" if "rows" in rule else "between"
    low, high = rule.get("between") or (rule.get("rows", {}).get("min"), rule.get("rows", {}).get("max"))
    if "nulls" in rule and len(rule["nulls"]) > 1:
        return "one-rule", "nulls", "`nulls` takes `max` (a number of rows) or `share` (0 to 1), not both."
    if low is None and high is None:
        return ("empty-range", key, "Both sides are open: give one a value.") if key in rule else None
    if low is None or high is None:
        return None
    if isinstance(low, str) != isinstance(high, str):
        return "wrong-type", key, "Both sides must be numbers, or both texts."
    if low > high:
        return "empty-range", key, f"{shorten(str(low))} is above {shorten(str(high))}: exchange them."
    return None


def _pattern(rule: dict[str, Any]) -> _Fault | None:
    if "pattern" not in rule:
        return None
    import re2  # type: ignore[import-untyped]  # the engine of DuckDB too

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(rule["pattern"], options)
    except re2.error as error:
        said = error.args[0] if error.args else "it cannot be read"
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return "bad-pattern", "pattern", f"The pattern is no regular expression (RE2): {shorten(said)}."
    return None
