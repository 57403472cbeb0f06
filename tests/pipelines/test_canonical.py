from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.canonical import CanonicalError, canonical, digest, portable

# Appendix B of RFC 8785, and the borders of its number format.
NUMBERS = [
    (0.0, "0"),
    (-0.0, "0"),
    (5e-324, "5e-324"),
    (-5e-324, "-5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (9007199254740992.0, "9007199254740992"),
    (295147905179352830000.0, "295147905179352830000"),
    (9.999999999999997e22, "9.999999999999997e+22"),
    (1e23, "1e+23"),
    (1.0000000000000001e23, "1.0000000000000001e+23"),
    (999999999999999700000.0, "999999999999999700000"),
    (1e21, "1e+21"),
    (9.999999999999997e-7, "9.999999999999997e-7"),
    (0.000001, "0.000001"),
    (333333333.3333332, "333333333.3333332"),
    (333333333.33333325, "333333333.33333325"),
    (4.5, "4.5"),
    (100.0, "100"),
]


@pytest.mark.parametrize("number,text", NUMBERS)
def test_numbers_are_written_as_ecmascript_does(number: float, text: str) -> None:
    assert canonical(number) == text


def test_keys_are_sorted_by_their_utf_16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    in_order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 1)))) == in_order


def test_texts_escape_only_what_json_demands() -> None:
    assert canonical('\u20ac$\u000f\nA\'B"\\\\"/\x7f') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53 + 1, 10**400, "\ud800", {1: 2}, {1, 2}, b"x"])
def test_what_json_cannot_carry_exactly_is_refused(value: object) -> None:
    with pytest.raises(CanonicalError):
        canonical(value)


def test_numbers_without_a_double_are_made_portable() -> None:
    value = portable({"seed": 2**64 - 1, "loss": math.nan, "kept": [1, 1.5, True]})
    assert value == {
        "seed": {"$integer": "18446744073709551615"},
        "loss": {"$float": "nan"},
        "kept": [1, 1.5, True],
    }
    canonical(value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(json_values)
def test_reading_canonical_json_gives_the_same_value_and_the_same_digest(value: object) -> None:
    again = json.loads(canonical(value))
    assert canonical(again) == canonical(value)
    assert digest(again) == digest(value)


def test_a_large_double_that_was_read_as_an_integer_is_written_the_same() -> None:
    assert canonical(52312072049315530) == canonical(5.231207204931553e16) == "52312072049315530"
    assert canonical(10**300) == canonical(1e300) == "1e+300"
