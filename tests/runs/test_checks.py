"""The kind `check`: each rule counted, told in words, and stopping the run when it shall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runs.worker.builtin import __file__ as builtin
from tests.runs.trials import Ended, Trials, value

ROWS = {
    "label": [0, 1, 2, 3, None, 11],
    "name": ["ab", "cd", "ab", "", "e1", None],
    "when": ["2026-01-01", "2026-02-01", "2026-03-01", None, "2026-05-01", "2027-01-01"],
    "share": [0.1, 0.2, 0.3, 0.4, 0.5, float("nan")],
    "flag": [True, False, True, None, True, True],
    'odd "name"': [1, 2, 3, 4, 5, 6],
}


@pytest.fixture
def table(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "table"
    pq.write_table(pa.table(ROWS), path)
    return {"type": "table", "path": str(path), "media_type": "application/vnd.apache.parquet"}


def check(trials: Trials, table: dict[str, Any], *rules: dict[str, Any], on_failure: str = "warn") -> Ended:
    return trials.run(
        entry="check:run",
        code_path=str(Path(builtin).parent),
        inputs={"table": table, "checks": value(list(rules)), "on_failure": value(on_failure)},
        outputs={"report": "json"},
    )


@pytest.mark.parametrize(
    "rule, violations",
    [
        ({"rows": {"min": 6, "max": 6}}, 0),
        ({"rows": {"min": 10}}, 4),
        ({"rows": {"max": 5}}, 1),
        ({"column": "label", "between": [0, 9]}, 1),
        ({"column": "label", "between": [2, None]}, 2),
        ({"column": "label", "between": [None, 11]}, 0),
        ({"column": "when", "between": ["2026-01-01", "2026-12-31"]}, 1),
        ({"column": "share", "between": [0, 1]}, 1),  # a number that is none is not between anything
        ({"column": "label", "nulls": {"max": 1}}, 0),
        ({"column": "label", "nulls": {"max": 0}}, 1),
        ({"column": "label", "nulls": {"share": 0.2}}, 0),
        ({"column": "label", "nulls": {"share": 0.1}}, 1),
        ({"column": "label", "unique": True}, 0),
        ({"column": "name", "unique": True}, 1),
        ({"column": "label", "in": [0, 1, 2, 3]}, 1),
        ({"column": "name", "in": ["ab", "cd", ""]}, 1),
        ({"column": "flag", "in": [True]}, 1),
        ({"column": "name", "pattern": "[a-z]*"}, 1),
        ({"column": "name", "pattern": "[a-z0-9]*"}, 0),
        ({"column": "label", "pattern": "[0-9]"}, 1),
        ({"column": 'odd "name"', "between": [1, 6]}, 0),
    ],
)
def test_each_rule_counts_the_rows_that_break_it(
    trials: Trials, table: dict[str, Any], rule: dict[str, Any], violations: int
) -> None:
    (verdict,) = check(trials, table, rule).outputs["report"]["rules"]
    assert verdict["passed"] == (violations == 0), verdict
    tolerated = "nulls" in rule and verdict["passed"]
    assert verdict["violations"] == (1 if tolerated else violations)


def test_the_log_says_every_rule_in_words(trials: Trials, table: dict[str, Any]) -> None:
    log = check(trials, table, {"rows": {"min": 1}}, {"column": "label", "between": [0, 9]}).log
    assert "6 rows, 6 columns, 2 rules" in log
    assert "passed  number of rows is at least 1" in log
    assert "FAILED  label is between 0 and 9: 1 of 6 rows are not, for example 11" in log
    assert "the task goes on" in log


def test_a_failed_rule_blocks_as_a_validation_failure(trials: Trials, table: dict[str, Any]) -> None:
    rules: list[dict[str, Any]] = [
        {"column": "label", "between": [0, 9]},
        {"column": "label", "nulls": {"max": 0}},
    ]
    ended = check(trials, table, *rules, on_failure="block")
    assert ended.error["reason"] == "validation"
    expected = (
        "2 of 2 rules failed: label is between 0 and 9: 1 of 6 rows are not, for example 11, and 1 more"
    )
    assert ended.error["message"] == expected
    assert "Traceback" not in ended.log


def test_rules_that_hold_let_the_run_go_on(trials: Trials, table: dict[str, Any]) -> None:
    report = check(trials, table, {"rows": {"min": 1}}, on_failure="block").outputs["report"]
    assert report["passed"]
    assert report["rows"] == 6


def test_a_title_is_used_where_there_is_one(trials: Trials, table: dict[str, Any]) -> None:
    rule = {"title": "a digit", "column": "label", "between": [0, 9]}
    assert check(trials, table, rule).outputs["report"]["rules"][0]["rule"] == "a digit"


@pytest.mark.parametrize(
    "rule, words",
    [
        ({"column": "weight", "unique": True}, "there is no column weight; the table has label, name"),
        ({"column": "label", "in": ["x"]}, "it cannot be looked at"),
        ({"column": "name", "pattern": "("}, "it cannot be looked at"),
    ],
)
def test_a_rule_that_cannot_be_looked_at_has_failed(
    trials: Trials, table: dict[str, Any], rule: dict[str, Any], words: str
) -> None:
    verdict = check(trials, table, rule).outputs["report"]["rules"][0]
    assert not verdict["passed"]
    assert verdict["violations"] is None
    assert words in verdict["message"]


def test_a_hostile_column_name_is_only_a_name(trials: Trials, table: dict[str, Any]) -> None:
    rule = {"column": 'label" IS NULL; DROP TABLE x; --', "unique": True}
    assert "there is no column" in check(trials, table, rule).log


def test_a_file_that_is_no_table_is_an_error_in_words(trials: Trials, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("not a table")
    ended = check(trials, {"type": "table", "path": str(tmp_path / "bad")}, {"rows": {"min": 1}})
    assert "error" in ended.result
    assert "parquet" in ended.error["message"].lower()
