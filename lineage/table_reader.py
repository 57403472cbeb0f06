"""The process that looks into one table: the first rows, or a profile of every column.

Bytes of tables come from anywhere, so they are opened here and not in the web process: with a limit on memory
and processor time, without files to write, and with a database that sees this one file. A crash ends this
process only. Standard library and DuckDB; no ORM, no settings. Run as a script:

    stdin   {"verb": "rows" | "profile", "path": …, "form": "parquet" | "csv"}
    stdout  {"columns", "columns_total", "rows", "row_count", …} as `first_rows` and `profile` say, or
            {"unreadable": why in words}
"""

# ruff: noqa: S608 - names of columns are quoted, values are parameters

from __future__ import annotations

import json
import math
import os
import re
import resource
import sys
import time
from typing import Any

import duckdb

Json = dict[str, Any]
Column = tuple[str, str]  # name, type in DuckDB's words

ROWS = 50
COLUMNS = 200
CELL = 500  # characters
PART = 100_000  # rows that a profile looks at, fewer of wide tables
CELLS = 4_000_000
TOP = 5  # values named with their counts
TOP_CELL = 80  # characters
BINS = 20
WHOLE = 2**53  # beyond it a number of JavaScript is not exact
PATIENCE = 8.0  # seconds after which no further column is begun

MEMORY = "384MB"
ADDRESS_SPACE = 2 * 1024**3  # bytes, most of it only reserved
PROCESSOR = 20  # seconds

INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
NUMBERS = INTEGERS | {f"U{name}" for name in INTEGERS} | {"FLOAT", "DOUBLE", "DECIMAL"}
MOMENTS = {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}
TEXTS = {"VARCHAR", "UUID", "ENUM", "TIME", "INTERVAL", "BOOLEAN"}
SOURCES = {
    "parquet": "read_parquet(?)",
    # A file of one column is rather a text that somebody called .csv, but it reads as well as a table.
    "csv": "read_csv(?, strict_mode = false, null_padding = true, sample_size = 20480)",
}


class Unreadable(Exception):
    """The bytes are no table; the text says so in words."""


def main() -> None:
    limit_self()
    request = json.load(sys.stdin)
    try:
        answer = VERBS[request["verb"]](Table(request["path"], request["form"]))
    except (duckdb.OutOfMemoryException, MemoryError):
        answer = {
            "unreadable": "Looking into this table takes more memory than a look may have. Download it."
        }
    except (duckdb.Error, Unreadable) as problem:
        # What is wrong may quote the data, and whoever asks may see the data.
        print(problem, file=sys.stderr)
        answer = {"unreadable": UNREADABLE[request["form"]]}
    json.dump(answer, sys.stdout, allow_nan=False)


UNREADABLE = {
    "parquet": "It is no Parquet file that can be read.",
    "csv": "It cannot be read as a table of separated values.",
}


def limit_self() -> None:
    """Before anything of the table is touched; the parent ends this process by the clock on the wall."""
    os.nice(10)  # runs of pipelines come first
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Table:
    """One file as a database sees it that sees nothing else of the machine."""

    def __init__(self, path: str, form: str) -> None:
        self.path, self.form, self.source = path, form, SOURCES[form]
        config = {
            "memory_limit": MEMORY,
            "temp_directory": "",  # or it writes to the disk what does not fit
            "threads": 1,
            "autoload_known_extensions": "false",
        }
        self.database = duckdb.connect(":memory:", config=config)
        for setting in (
            f"allowed_paths = [{literal(path)}]",
            "enable_external_access = false",
            "TimeZone = 'UTC'",
        ):
            self.database.execute(f"SET {setting}")
        described = self.rows(f"DESCRIBE SELECT * FROM {self.source}", path)
        self.all_columns: list[Column] = [(str(row[0]), str(row[1]).strip('"')) for row in described]
        self.columns = self.all_columns[:COLUMNS]
        if not self.columns:
            raise Unreadable("no columns")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.database.execute(query, list(values)).fetchall()

    def count(self) -> int | None:
        """Rows of the file; None where all of it would have to be read."""
        if self.form != "parquet":
            return None
        return int(self.rows(f"SELECT count(*) FROM {self.source}", self.path)[0][0])


# --- The first rows -----------------------------------------------------------------------


def first_rows(table: Table) -> Json:
    """{"columns": [{"name", "type"}], "columns_total", "rows": [[…]], "row_count", "truncated"}."""
    shown = ", ".join(as_cell(quoted(name), kind) for name, kind in table.columns)
    rows = table.rows(f"SELECT {shown} FROM {table.source} LIMIT {ROWS + 1}", table.path)
    count = table.count()
    if count is None and len(rows) <= ROWS:
        count = len(rows)
    return {
        "columns": [{"name": name, "type": kind} for name, kind in table.columns],
        "columns_total": len(table.all_columns),
        "rows": [[cell(value) for value in row] for row in rows[:ROWS]],
        "row_count": count,
        "truncated": len(rows) > ROWS or len(table.all_columns) > COLUMNS,
    }


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def base(kind: str) -> str:
    """`DECIMAL(18,3)` as `DECIMAL`; what is nested stays as it is."""
    return re.sub(r"\(.*\)$", "", kind) if kind.startswith(("DECIMAL", "ENUM")) else kind


def as_cell(expression: str, kind: str, longest: int = CELL) -> str:
    """SQL that gives at most so much of a value as can be shown."""
    if base(kind) in NUMBERS - {"DECIMAL"} or kind == "BOOLEAN":
        return expression
    if kind == "BLOB":
        return f"octet_length({expression})::VARCHAR || ' bytes'"
    text = f"CAST({expression} AS VARCHAR)"
    return f"CASE WHEN length({text}) > {longest} THEN left({text}, {longest}) || '…' ELSE {text} END"


def cell(value: Any) -> Any:
    """A value as JSON that means the same to every reader."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > WHOLE:
        return str(value)
    return value


# --- The profile --------------------------------------------------------------------------


def profile(table: Table) -> Json:
    """{"rows": looked at, "row_count", "whole": whether these are all, "columns_total", "columns"}.

    Each column has "name", "type" and what `column` says. "row_count" is None where nobody counted. There are
    fewer columns than the table has when those are very many or take too long or too much memory.
    """
    until = time.monotonic() + PATIENCE
    looked_at, most = take_part(table)
    count = table.count()
    columns = []
    for number, (name, kind) in enumerate(table.columns):
        if time.monotonic() > until:
            break
        try:
            found = column(table, f"c{number}", kind, looked_at)
        except duckdb.OutOfMemoryException:
            break
        columns.append({"name": name, "type": kind, **found})
    whole = looked_at == count if count is not None else looked_at < most
    return {
        "rows": looked_at,
        "row_count": looked_at if whole else count,
        "whole": whole,
        "columns_total": len(table.all_columns),
        "columns": columns,
    }


def take_part(table: Table) -> tuple[int, int]:
    """Read the first rows into memory, as many as fit; how many, and how many were asked for.

    Fewer of a wide table. Raises OutOfMemoryException.
    """
    names = ", ".join(f"{quoted(name)} AS c{number}" for number, (name, _) in enumerate(table.columns))
    most = min(PART, CELLS // len(table.columns))
    while True:
        try:
            table.rows(f"CREATE TABLE part AS SELECT {names} FROM {table.source} LIMIT {most}", table.path)
            return int(table.rows("SELECT count(*) FROM part")[0][0]), most
        except duckdb.OutOfMemoryException:
            if most < 1000:
                raise
            most //= 10


def column(table: Table, name: str, kind: str, rows: int) -> Json:
    """What is in one column of the part that was read.

    {"nulls", "distinct": int | None, "top": [{"value", "count"}]} and, by type, "min", "max", "mean", "std",
    "quartiles": [q1, median, q3], "not_finite", "lengths": [shortest, longest],
    "histogram": {"from", "to", "counts"}.
    """
    filled = int(table.rows(f"SELECT count({name}) FROM part")[0][0])
    found: Json = {"nulls": rows - filled, "distinct": None, "top": []}
    sort = base(kind)
    if not filled or sort not in NUMBERS | MOMENTS | TEXTS:
        return found
    found |= values(table, name, kind)
    if sort in NUMBERS:
        found |= numbers(table, name, kind, filled)
    elif sort in MOMENTS:
        found |= moments(table, name, kind)
    elif sort == "VARCHAR":
        found |= texts(table, name)
    return found


def values(table: Table, name: str, kind: str) -> Json:
    """How many different values there are, and which of them come more than once."""
    rows = table.rows(
        f"SELECT {as_cell('v', kind, TOP_CELL)}, n, count(*) OVER () FROM"
        f" (SELECT {name} AS v, count(*) AS n FROM part WHERE {name} IS NOT NULL GROUP BY 1)"
        f" ORDER BY n DESC, v LIMIT {TOP}"
    )
    return {
        "distinct": int(rows[0][2]),
        "top": [{"value": cell(value), "count": count} for value, count, _ in rows if count > 1],
    }


def numbers(table: Table, name: str, kind: str, filled: int) -> Json:
    """Of the finite values; how many are not is said."""
    number = f"{name}::DOUBLE"
    low, high, mean, std, quartiles, finite = table.rows(
        f"SELECT min({name}), max({name}), avg({number}), stddev_samp({number}),"
        f" quantile_cont({number}, [0.25, 0.5, 0.75]), count(*) FROM part WHERE isfinite({number})"
    )[0]
    others = filled - finite
    if low is None:
        return {"not_finite": others}
    return {
        "min": bound(low, kind),
        "max": bound(high, kind),
        "mean": cell(mean),
        "std": None if std is None else cell(std),
        "quartiles": [cell(value) for value in quartiles],
        "not_finite": others,
        **histogram(table, number, bound(low, kind), bound(high, kind), bins_of(low, high)),
    }


def bound(value: Any, kind: str) -> Any:
    """A decimal keeps all its digits as text only where a float would lose some."""
    if base(kind) != "DECIMAL":
        return cell(value)
    return float(value) if len(str(value).strip("-").replace(".", "")) <= 15 else str(value)


def moments(table: Table, name: str, kind: str) -> Json:
    low, high = table.rows(
        f"SELECT min({name})::VARCHAR, max({name})::VARCHAR FROM part WHERE isfinite({name})"
    )[0]
    if low is None:
        return {}
    return {"min": low, "max": high, **histogram(table, f"epoch({name})", low, high)}


def texts(table: Table, name: str) -> Json:
    least, greatest = (as_cell(f"{which}({name})", "VARCHAR", TOP_CELL) for which in ("min", "max"))
    low, high, shortest, longest = table.rows(
        f"SELECT {least}, {greatest}, min(length({name})), max(length({name})) FROM part"
    )[0]
    return {"min": low, "max": high, "lengths": [shortest, longest]}


def bins_of(low: Any, high: Any) -> int:
    """A bin for each of a few whole numbers."""
    return min(BINS, high - low + 1) if isinstance(low, int) else BINS


def histogram(table: Table, number: str, low: Any, high: Any, bins: int = BINS) -> Json:
    """Counts in equal steps from the least to the greatest finite value; nothing where all are equal."""
    rows = table.rows(
        f"SELECT least(floor((v - low) / (high - low) * {bins}), {bins - 1})::INTEGER AS bin, count(*) FROM"
        f" (SELECT {number} AS v, min(v) OVER () AS low, max(v) OVER () AS high FROM part WHERE isfinite(v))"
        " WHERE high > low AND isfinite(high - low) GROUP BY 1"
    )
    if not rows:
        return {}
    counts = [0] * bins
    for position, count in rows:
        counts[position] = count
    return {"histogram": {"from": low, "to": high, "counts": counts}}


VERBS = {"rows": first_rows, "profile": profile}

if __name__ == "__main__":
    main()
