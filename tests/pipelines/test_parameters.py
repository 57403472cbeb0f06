"""Parameters: the values a run starts with."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.limits import MAX_INLINE_BYTES
from pipelines.parameters import check_parameters

SPEC: dict[str, dict[str, Any]] = {
    "learning_rate": {"type": "number", "default": 0.1, "minimum": 0, "maximum": 1},
    "epochs": {"type": "integer"},
    "solver": {"type": "string", "default": "lbfgs", "enum": ["lbfgs", "saga"]},
    "note": {"type": "string", "default": "", "max_length": 5},
    "extra": {"type": "json", "default": None},
    "fast": {"type": "boolean", "default": False},
}


def _codes(given: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in check_parameters(SPEC, given)[1]]


def test_defaults_fill_what_was_not_given() -> None:
    values, problems = check_parameters(SPEC, {"epochs": 3, "learning_rate": 1})
    assert problems == []
    assert values == {
        "learning_rate": 1,
        "epochs": 3,
        "solver": "lbfgs",
        "note": "",
        "extra": None,
        "fast": False,
    }


def test_a_whole_float_for_an_integer_becomes_one() -> None:
    values, _ = check_parameters(SPEC, {"epochs": 3.0})
    assert values["epochs"] == 3
    assert isinstance(values["epochs"], int)


@pytest.mark.parametrize(
    "given, code, name",
    [
        ({}, "missing-parameter", "epochs"),
        ({"epochs": "3"}, "wrong-parameter-type", "epochs"),
        ({"epochs": 2.5}, "wrong-parameter-type", "epochs"),
        ({"epochs": True}, "wrong-parameter-type", "epochs"),
        ({"epochs": None}, "wrong-parameter-type", "epochs"),
        ({"epochs": 1, "learning_rate": 1.5}, "parameter-out-of-range", "learning_rate"),
        ({"epochs": 1, "learning_rate": -0.1}, "parameter-out-of-range", "learning_rate"),
        ({"epochs": 1, "learning_rate": float("nan")}, "wrong-parameter-type", "learning_rate"),
        ({"epochs": 1, "solver": "sgd"}, "parameter-not-allowed", "solver"),
        ({"epochs": 1, "note": "longer"}, "parameter-out-of-range", "note"),
        ({"epochs": 1, "note": "a\0"}, "wrong-parameter-type", "note"),
        ({"epochs": 1, "extra": "x" * MAX_INLINE_BYTES}, "parameter-too-large", "extra"),
        ({"epochs": 1, "extra": {"a": object()}}, "wrong-parameter-type", "extra"),
        ({"epochs": 1, "fast": "yes"}, "wrong-parameter-type", "fast"),
    ],
)
def test_a_value_that_does_not_satisfy_its_declaration_is_a_problem(
    given: dict[str, Any], code: str, name: str
) -> None:
    assert _codes(given) == [(code, f"parameters.{name}")]


def test_every_problem_is_told_at_once() -> None:
    assert len(_codes({"learning_rate": 7, "solver": "sgd", "other": 1})) == 4


def test_an_unknown_parameter_names_the_nearest() -> None:
    _, [problem] = check_parameters(SPEC, {"epochs": 1, "learning_rte": 0.1})
    assert problem.code == "unknown-parameter"
    assert problem.params["nearest"] == "learning_rate"
    assert "Did you mean 'learning_rate'?" in problem.message
    assert (problem.line, problem.column) == (0, 0)
