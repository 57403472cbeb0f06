"""Two tasks of one key are given the same things: all that a task can see of what it is given counts."""

from __future__ import annotations

from typing import Any

import pytest

from runs import fingerprints
from runs.fingerprints import Ingredients

Json = dict[str, Any]
FILE: Json = {"type": "file", "sha256": "a" * 64, "value": None, "media_type": "text/csv", "meta": {}}


def key(value: Any, ref: Json) -> str:
    """The key of a task with one input."""
    spec = {
        "kind": "python",
        "config": {"source": "def main(x): return str(x)"},
        "with": {"x": ref},
        "outputs": [],
        "resources": {},
        "queue": "default",
    }
    made = Ingredients(spec, lambda _: value, {"source": "c"}, {"python": "3.12"})
    return fingerprints.key_of(fingerprints.document(made))


def of_parameter(value: Any) -> str:
    return key(value, {"ref": "params.x"})


def of_output(**changes: Any) -> str:
    return key({**FILE, **changes}, {"ref": "tasks", "task": "up", "output": "result"})


@pytest.mark.parametrize(
    "one, other",
    [(2, 2.0), (0, -0.0), (1, True), ("1", 1), ([2], [2.0]), ({"a": 2}, {"a": 2.0}), (2**53 + 1, 2.0**53)],
)
def test_numbers_that_a_task_can_tell_apart_have_different_keys(one: Any, other: Any) -> None:
    assert of_parameter(one) != of_parameter(other)
    inline = {"type": "number", "sha256": "", "media_type": "", "meta": {}}
    assert of_output(**inline, value=one) != of_output(**inline, value=other)


@pytest.mark.parametrize("value", [2, 2.5, "2", None, [1, {"a": 0.1}]])
def test_equal_values_have_one_key(value: Any) -> None:
    assert of_parameter(value) == of_parameter(value)


@pytest.mark.parametrize(
    "changes", [{"media_type": "application/json"}, {"meta": {"filename": "b.csv"}}, {"sha256": "b" * 64}]
)
def test_a_file_of_another_name_or_media_type_is_another_input(changes: Json) -> None:
    assert of_output() != of_output(**changes)


def test_what_a_task_cannot_see_of_a_file_is_not_in_its_key() -> None:
    assert of_output() == of_output(meta={"rows": 3}, id=7, address="file:///elsewhere", size=9)


def test_the_difference_of_a_name_is_not_called_one_of_content() -> None:
    before, after = ({"inputs": {"x": {"sha256": "a" * 64, "filename": name}}} for name in ("a.csv", "b.csv"))
    (found,) = fingerprints.differences(before, after)
    assert found.words == "Input x: the same content under another name, type or media type"


def test_a_whole_float_is_shown_as_one() -> None:
    before, after = ({"parameters": {"x": fingerprints.brief(value)}} for value in (2, 2.0))
    (found,) = fingerprints.differences(before, after)
    assert found.words == "Parameter x: 2 → 2.0"
