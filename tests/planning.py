"""What PostgreSQL's planner knows of the rows of a test."""

from __future__ import annotations

from django.db import connection


def analyze(*tables: str) -> None:
    """Count the rows of these tables for the planner, those of the open transaction too.

    Else a table of uncommitted rows is planned for as an empty one, and a thousand of them take minutes.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(tables))
