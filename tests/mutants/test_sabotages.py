"""The list of sabotages is whole, each can be committed, and a few of them are, as a sample."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.__main__ import main, tell
from tests.mutants.sabotage import ROOT, Sabotage
from tests.mutants.sabotages import SABOTAGES
from tests.mutants.session import NOTHING

SAMPLE = ("finish forgets that", "an edge may lead", "a decision is written", "the silence of its worker")


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(SABOTAGES) >= 25
    assert [name for name, count in Counter(each.name for each in SABOTAGES).items() if count > 1] == []


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda each: each.name)
def test_each_can_be_committed_and_names_tests_that_exist(sabotage: Sabotage) -> None:
    assert sabotage.text() if sabotage.file else sabotage.before and sabotage.after
    assert sabotage.tests
    for named in sabotage.tests:
        file, *names = named.split("::")
        assert set(names) <= _names_in(ROOT / file), f"there is no {named}"


def _names_in(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sample_of_all_kinds_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*SAMPLE, "--jobs", "1"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "4 of 4 sabotages were caught" in said


@pytest.mark.parametrize(
    "found, words",
    [
        ({NOTHING: "", SABOTAGES[0].name: ""}, "SURVIVED"),
        ({NOTHING: ""}, "NOT COMMITTED"),
        (
            {NOTHING: "tests/x.py::test_y", SABOTAGES[0].name: ""},
            "FAILS WITHOUT ANY SABOTAGE: tests/x.py::test_y",
        ),
        ({}, "no session came to its tests"),
    ],
    ids=["nobody noticed", "its session broke off", "the tests fail anyhow", "nothing began"],
)
def test_whatever_is_not_caught_is_told_and_fails(
    found: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell(SABOTAGES[:1], found, 1.0) == 1
    assert words in capsys.readouterr().out
