"""check: rules that a table must satisfy, counted by DuckDB without loading the table into memory."""

# ruff: noqa: S608 - names of columns are quoted, values are parameters

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from orchestrator_task import Invalid

SAMPLE = 5  # violating values shown
Rule = dict[str, Any]
KINDS = ("rows", "between", "nulls", "unique", "in", "pattern")


@dataclass
class Verdict:
    """How one rule went. `violations`: rows that break it; None when it could not be looked at."""

    rule: str
    passed: bool
    violations: int | None
    message: str
    sample: list[Any]


class Table:
    """A Parquet file as DuckDB sees it."""

    def __init__(self, path: Path) -> None:
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self.connection.execute("SET threads = 1")
        # Both judge a column by the smallest and largest value in the file's statistics, which leave NaN out.
        self.connection.execute("SET disabled_optimizers = 'statistics_propagation,filter_pushdown'")
        self.path = str(path)
        self.columns = {row[0]: row[1] for row in self.rows("DESCRIBE SELECT * FROM read_parquet(?)")}
        self.size: int = self.rows("SELECT count(*) FROM read_parquet(?)")[0][0]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The result of a query whose first parameter is the file."""
        return self.connection.execute(query, [self.path, *values]).fetchall()

    def violations(self, condition: str, column: str, values: list[Any]) -> tuple[int, list[Any]]:
        """How many rows meet a condition, and a few different values of the column in them."""
        where = f"FROM read_parquet(?) WHERE {condition}"
        count = self.rows(f"SELECT count(*) {where}", *values)[0][0]
        if not count:
            return 0, []
        found = self.rows(f"SELECT DISTINCT {column} {where} ORDER BY 1 LIMIT {SAMPLE}", *values)
        return count, [shown(row[0]) for row in found]


def shown(value: Any) -> Any:
    """A value as a report can hold it."""
    finite = isinstance(value, float) and math.isfinite(value)
    return value if finite or isinstance(value, (int, str)) else str(value)


def run(table: Path, checks: list[Rule], on_failure: str = "block") -> dict[str, Any]:
    """{"report": {"passed", "rows", "rules": [one each]}}. Raises Invalid when a rule fails and blocks."""
    looked_at = Table(table)
    verdicts = [judge(looked_at, rule) for rule in checks]
    failed = [verdict for verdict in verdicts if not verdict.passed]
    print(f"{looked_at.size:,} rows, {len(looked_at.columns)} columns, {len(checks)} rules")
    for verdict in verdicts:
        print(f"{'passed' if verdict.passed else 'FAILED'}  {verdict.message}")
    report = {"passed": not failed, "rows": looked_at.size, "rules": [vars(verdict) for verdict in verdicts]}
    keep(report)
    if failed and on_failure == "block":
        first = failed[0].message
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise Invalid(f"{len(failed)} of {len(checks)} rules failed: {first}{more}")
    if failed:
        print("the task goes on: on_failure is warn")
    return {"report": report}


def keep(report: dict[str, Any]) -> None:
    """Beside the log also as a file in the attempt's folder, for who looks while it lasts."""
    Path("report.json").write_text(json.dumps(report, default=str), encoding="utf-8")


def judge(table: Table, rule: Rule) -> Verdict:
    """One rule against the table; a rule that cannot be looked at has failed."""
    kind = next(name for name in KINDS if name in rule)
    says = words(kind, rule)
    column = rule.get("column")
    if column is not None and column not in table.columns:
        known = ", ".join(list(table.columns)[:10]) + (", …" if len(table.columns) > 10 else "")
        return Verdict(says, False, None, f"{says}: there is no column {column}; the table has {known}", [])
    try:
        return JUDGES[kind](table, rule, says)
    except duckdb.Error as problem:
        reason = str(problem).splitlines()[0]
        return Verdict(says, False, None, f"{says}: it cannot be looked at: {reason}", [])


def words(kind: str, rule: Rule) -> str:
    """The rule as a person would say it; its own title where it has one."""
    if rule.get("title"):
        return str(rule["title"])
    column = rule.get("column", "")
    if kind == "rows":
        return "number of rows " + bounds(rule["rows"].get("min"), rule["rows"].get("max"))
    if kind == "between":
        return f"{column} " + bounds(*rule["between"])
    if kind == "nulls":
        wanted = rule["nulls"]
        most = f"{wanted['max']:,}" if "max" in wanted else f"{wanted['share']:.2%} of the rows"
        return f"{column} is empty in at most {most}"
    if kind == "unique":
        return f"{column} holds no value twice"
    if kind == "in":
        return f"{column} is one of {', '.join(map(str, rule['in'][:10]))}"
    return f"{column} matches {rule['pattern']}"


def bounds(low: Any, high: Any) -> str:
    if low is None:
        return f"is at most {high}"
    return f"is at least {low}" if high is None else f"is between {low} and {high}"


def quoted(column: str) -> str:
    """A column's name in SQL."""
    return '"' + column.replace('"', '""') + '"'


def judge_rows(table: Table, rule: Rule, says: str) -> Verdict:
    low, high = rule["rows"].get("min"), rule["rows"].get("max")
    passed = (low is None or table.size >= low) and (high is None or table.size <= high)
    missing = max(0, (low or 0) - table.size) + (max(0, table.size - high) if high is not None else 0)
    return Verdict(says, passed, missing, says if passed else f"{says}: the table has {table.size:,}", [])


def judge_nulls(table: Table, rule: Rule, says: str) -> Verdict:
    column = quoted(rule["column"])
    empty = table.rows(f"SELECT count(*) FROM read_parquet(?) WHERE {column} IS NULL")[0][0]
    most = rule["nulls"]["max"] if "max" in rule["nulls"] else rule["nulls"]["share"] * table.size
    passed = empty <= most
    return Verdict(
        says, passed, empty, says if passed else f"{says}: {empty:,} of {table.size:,} are empty", []
    )


def judge_unique(table: Table, rule: Rule, says: str) -> Verdict:
    column = quoted(rule["column"])
    groups = (
        f"(SELECT {column} AS value, count(*) AS often FROM read_parquet(?) "
        f"WHERE {column} IS NOT NULL GROUP BY 1 HAVING often > 1)"
    )
    count = int(table.rows(f"SELECT coalesce(sum(often - 1), 0) FROM {groups}")[0][0])
    sample = [
        str(row[0]) for row in table.rows(f"SELECT value FROM {groups} ORDER BY often DESC, 1 LIMIT {SAMPLE}")
    ]
    message = says if not count else f"{says}: {count:,} rows repeat one, {example(sample)}"
    return Verdict(says, not count, count, message, sample)


def judge_between(table: Table, rule: Rule, says: str) -> Verdict:
    column = quoted(rule["column"])
    sides = [(side, value) for side, value in zip("<>", rule["between"], strict=True) if value is not None]
    condition = " OR ".join(f"{column} {side} ?" for side, _ in sides)
    return settle(table, f"({condition})", column, [value for _, value in sides], says)


def judge_in(table: Table, rule: Rule, says: str) -> Verdict:
    column = quoted(rule["column"])
    places = ", ".join("?" for _ in rule["in"])
    return settle(table, f"{column} IS NOT NULL AND {column} NOT IN ({places})", column, rule["in"], says)


def judge_pattern(table: Table, rule: Rule, says: str) -> Verdict:
    column = quoted(rule["column"])
    condition = f"NOT regexp_full_match(CAST({column} AS VARCHAR), ?)"
    return settle(table, condition, column, [rule["pattern"]], says)


def settle(table: Table, condition: str, column: str, values: list[Any], says: str) -> Verdict:
    count, sample = table.violations(condition, column, values)
    message = says if not count else f"{says}: {count:,} of {table.size:,} rows are not, {example(sample)}"
    return Verdict(says, not count, count, message, sample)


def example(sample: list[Any]) -> str:
    return "for example " + ", ".join(map(str, sample))


JUDGES = {
    "rows": judge_rows,
    "nulls": judge_nulls,
    "unique": judge_unique,
    "between": judge_between,
    "in": judge_in,
    "pattern": judge_pattern,
}
