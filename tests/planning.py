"""What PostgreSQL's planner knows of the rows of a test, and what its plans cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction


def analyze(*tables: str) -> None:
    """Count the rows of these tables for the planner, those of the open transaction too.

    Else a table of uncommitted rows is planned for as an empty one, and a thousand of them take minutes.
    """
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute("SELECT seed.analyze(%s)", [table])
            cursor.execute(
                "SELECT reltuples > 0 OR NOT EXISTS (SELECT 1 FROM " + table + ")"
                " FROM pg_class WHERE oid = %s::regclass",
                [table],
            )
            assert cursor.fetchone() == (True,), f"The planner takes {table} for empty."


BLOCKS = ("Shared Hit Blocks", "Shared Read Blocks")


def pages_touched(sql: str, arguments: Sequence[Any] | Mapping[str, Any]) -> int:
    """Pages that PostgreSQL touches for one statement, what it does undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        for _ in range(2):  # the first time also reads the catalogue
            cursor.execute("SAVEPOINT before")
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", arguments)
            (plan,) = cursor.fetchone()
            cursor.execute("ROLLBACK TO SAVEPOINT before")
    found = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return sum(int(found[block]) for block in BLOCKS)
