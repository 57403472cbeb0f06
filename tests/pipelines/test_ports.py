"""Port types and what fits what."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.ports import PORT_TYPES, Port, fits, literal_type, port_fits, value_fits


@pytest.mark.parametrize("given", PORT_TYPES)
@pytest.mark.parametrize("wanted", PORT_TYPES)
def test_only_equal_types_integers_for_numbers_and_any_fit(given: str, wanted: str) -> None:
    expected = given == wanted or "any" in (given, wanted) or (given, wanted) == ("integer", "number")
    assert fits(given, wanted) is expected


def test_a_port_may_accept_further_types() -> None:
    port = Port("model", "model", accepts=("json",))
    assert port_fits("json", port)
    assert not port_fits("table", port)


@pytest.mark.parametrize(
    "value, port_type",
    [
        (True, "boolean"),
        (1, "integer"),
        (1.0, "number"),
        ("", "string"),
        ([], "json"),
        ({}, "json"),
        (None, "any"),
    ],
)
def test_values_have_a_type(value: Any, port_type: str) -> None:
    assert literal_type(value) == port_type


def test_a_whole_float_is_an_integer_and_a_boolean_is_not() -> None:
    assert value_fits(2.0, "integer")
    assert not value_fits(2.5, "integer")
    assert not value_fits(True, "integer")
    assert not value_fits(None, "string")
