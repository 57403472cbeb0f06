"""References in texts, and the expressions they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipelines.references import Broken, Reference, ResolveError, describe, read, references, resolve, split


def _lookup(reference: Mapping[str, Any]) -> Any:
    return {
        "params.rate": 0.5,
        "params.count": 3,
        "params.name": "digits",
        "params.flag": True,
        "params.list": [1],
        "secrets.db": "hunter2",
        "tasks.g/a.outputs.n": 7,
    }[describe(reference)]


@pytest.mark.parametrize(
    "inner, root, name, output",
    [
        ("params.learning_rate", "params", "learning_rate", ""),
        ("tasks.train-all.outputs.model", "tasks", "train-all", "model"),
        ("inputs.x", "inputs", "x", ""),
        ("secrets.my-key", "secrets", "my-key", ""),
        ("item", "item", "item", ""),
    ],
)
def test_each_form_of_reference_is_read(inner: str, root: str, name: str, output: str) -> None:
    found = read(inner)
    assert isinstance(found, Reference)
    assert (found.root, found.name, found.output) == (root, name, output)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "params",
        "params.",
        "params.a.b",
        "tasks.a",
        "tasks.a.outputs",
        "tasks.a.n",
        "env.HOME",
        "a b",
        "1+1",
        "x()",
    ],
)
def test_anything_else_is_broken_with_a_way_out(inner: str) -> None:
    found = read(inner)
    assert isinstance(found, Broken)
    assert found.why.endswith(".")


def test_a_text_is_split_into_literal_parts_and_references() -> None:
    parts = split("a ${{ params.x }}b${{inputs.y}}")
    assert [part if isinstance(part, str) else type(part).__name__ for part in parts] == [
        *("a ", "Reference", "b", "Reference"),
    ]
    assert split("plain } text {") == ["plain } text {"]
    assert split("") == []


def test_an_unclosed_reference_is_broken() -> None:
    assert isinstance(split("x ${{ params.y")[-1], Broken)


def test_thousands_of_unclosed_references_do_not_take_long() -> None:
    assert len(split("${{" * 500_000)) == 1


@pytest.mark.parametrize(
    "expr, value",
    [
        ({"lit": {"a": [1, None]}}, {"a": [1, None]}),
        ({"ref": "params.rate"}, 0.5),
        ({"ref": "secrets.db"}, "hunter2"),
        ({"ref": "tasks", "task": "g/a", "output": "n"}, 7),
        ({"list": [{"lit": 1}, {"ref": "params.count"}]}, [1, 3]),
        ({"map": {"k": {"ref": "params.name"}}}, {"k": "digits"}),
        ({"cat": [{"lit": "n="}, {"ref": "params.count"}, {"lit": " "}, {"ref": "params.flag"}]}, "n=3 true"),
        ({"cat": [{"ref": "params.rate"}, {"lit": "%"}]}, "0.5%"),
    ],
)
def test_expressions_resolve_to_values(expr: dict[str, Any], value: Any) -> None:
    assert resolve(expr, _lookup) == value


def test_a_list_inside_a_text_is_refused_by_name() -> None:
    with pytest.raises(ResolveError, match=r"params\.list"):
        resolve({"cat": [{"lit": "x"}, {"ref": "params.list"}]}, _lookup)


def test_an_unknown_expression_is_refused() -> None:
    with pytest.raises(ResolveError):
        resolve({"code": "1"}, _lookup)


def test_all_references_of_an_expression_are_found() -> None:
    expr = {"map": {"a": {"list": [{"ref": "params.x"}]}, "b": {"cat": [{"lit": ""}, {"ref": "secrets.y"}]}}}
    assert [describe(reference) for reference in references(expr)] == ["params.x", "secrets.y"]
