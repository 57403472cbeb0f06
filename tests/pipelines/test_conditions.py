"""Conditions in CEL."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pipelines.conditions import ConditionError, check, evaluate, references

VALUES: dict[str, Any] = {
    "params": {"whole": 1, "part": 0.9, "text": "x", "nothing": None, "flag": True, "many": [1, 2, 3]},
    "tasks": {"evaluate": {"outputs": {"accuracy": 0.97, "n": 3}}, "train-all": {"outputs": {"x": 2}}},
    "inputs": {"limit": 2},
}


@pytest.mark.parametrize(
    "text, truth",
    [
        ("params.whole >= 0.9", True),
        ("params.part < 1", True),
        ("params.whole == 1.0", True),
        ("params.whole != 1.5", True),
        ("tasks.evaluate.outputs.n >= params.part", True),
        ("params.whole + 0.5 > 1", True),
        ("params.part * 2 > inputs.limit", False),
        ("params.whole in [1.0, 'x']", True),
        ("params.part in params.many", False),
        ("params.many.exists(i, i > 2.5)", True),
        ("params.nothing == null", True),
        ("params.flag && !(params.text == 'y')", True),
        ("tasks.train-all.outputs.x == 2", True),
        ("tasks['train-all'].outputs['x'] - 1 == 1", True),
        ("tasks.evaluate.outputs.n-1 == 2", True),
        ("'params.missing' != params.text", True),
        ("has(params.text) && !has(params.other)", True),
        ("size(params.many) == 3 && params.text.startsWith('x')", True),
        ("tasks.evaluate.outputs.accuracy >= 0.9 ? true : false", True),
    ],
)
def test_conditions_are_true_or_false(text: str, truth: bool) -> None:
    assert check(text) is None
    assert evaluate(text, VALUES) is truth


@pytest.mark.parametrize(
    "text, names",
    [
        ("params.a > 1 && params.b < params.a", ["params.a", "params.b"]),
        ("tasks.t-1.outputs.o == inputs.x", ["tasks.t-1.outputs.o", "inputs.x"]),
        ("params['a'] == 1", ["params.a"]),
        ("[1].all(i, i < params.a)", ["params.a"]),
        ("size(tasks.t.outputs.o) > 0", ["tasks.t.outputs.o"]),
        ("tasks.t.outputs.o.deep.down == 1", ["tasks.t.outputs.o"]),
        ("true", []),
        ("this is no condition", []),
    ],
)
def test_the_names_a_condition_uses_are_found(text: str, names: list[str]) -> None:
    assert references(text) == names


@pytest.mark.parametrize(
    "text, hint",
    [
        ("", "empty"),
        ("   ", "empty"),
        ("params.a >= >= 1", "character 13"),
        ("params.a = 1", "=="),
        ("${{ params.a }} > 1", "without ${{ }}"),
        ("accuracy > 1", "'accuracy' is not known"),
        ("params > 1", "params.NAME"),
        ("tasks.a.n > 1", "tasks.TASK.outputs.NAME"),
        ("secrets.key == 'x'", "secrets"),
        ("launch(params.a)", "'launch' does not exist"),
        ("params.a.launch()", "'launch' does not exist"),
        ("params.a.all(x, params.b.all(y, x == y))", "loop"),
        ("(" * 200 + "true" + ")" * 200, "too many"),
        ("! " * 900 + "true", "too many"),
        ("1+" * 900 + "1 > 2", "too many"),
        ("'" + "x" * 3000 + "' == ''", "characters"),
    ],
)
def test_what_is_no_condition_is_refused_with_a_way_out(text: str, hint: str) -> None:
    problem = check(text)
    assert problem is not None
    assert hint in problem
    with pytest.raises(ConditionError):
        evaluate(text, VALUES)


@pytest.mark.parametrize(
    "text, hint",
    [
        ("params.other > 1", "no value for params.other"),
        ("tasks.gone.outputs.x == 1", "no value for tasks.gone.outputs.x"),
        ("params.text > 1", "types differ"),
        ("params.whole / 0 == 1", "zero"),
        ("params.text", "must be true or false"),
        ("params.whole + 1", "must be true or false"),
    ],
)
def test_an_error_while_evaluating_says_what_it_is_about(text: str, hint: str) -> None:
    assert check(text) is None
    with pytest.raises(ConditionError, match=hint):
        evaluate(text, VALUES)


def test_missing_groups_of_values_are_as_if_empty() -> None:
    assert evaluate("1 < 2", {}) is True


def test_cel_is_imported_only_for_the_first_condition() -> None:
    script = (
        "import sys, pipelines.conditions, pipelines.validation as v\n"
        "v.validate('schema: orchestrator/v1\\nname: a\\ntasks: {a: {kind: shell, run: x}}')\n"
        "assert not {'celpy', 'django', 'jsonschema'} & set(sys.modules)\n"
        "assert pipelines.conditions.check('true') is None and 'celpy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
