"""Every fault names tests, and every test that is named exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.runs.faults import FAULTS

ROOT = Path(__file__).parents[3]


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of all tests in a file, those in classes too."""
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_tests(fault: str) -> None:
    assert FAULTS[fault]
    for named in FAULTS[fault]:
        file, _, name = named.partition("::")
        assert name in names_in(file), f"{fault}: there is no {named}"
