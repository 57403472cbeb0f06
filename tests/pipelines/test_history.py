"""The audit chain in words."""

from __future__ import annotations

import pytest

from pipelines.admin.history import _said


@pytest.mark.parametrize(
    "value, words",
    [
        ({}, "nothing"),
        ({"all": {"active_runs": 5, "weight": 3.0}}, "all: (active runs: 5, weight: 3)"),
        ({"all": {"weight": 0.5}, "gpu": {}}, "all: (weight: 0.5); gpu: nothing"),
        ([True, None], "yes, nothing"),
    ],
)
def test_what_a_fact_says(value: object, words: str) -> None:
    assert _said(value) == words
