"""Blocks that need nothing but the product's own environment."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc


class Read(NamedTuple):
    table: pa.Table
    rows: int


def read_csv(rows: int = 120) -> Read:
    """Reads a CSV of measurements."""
    numbers = range(rows)
    return Read(pa.table({"id": list(numbers), "size": [number / 7 for number in numbers]}), rows)


def clean(table: pa.Table, least: float = 1.0) -> pa.Table:
    """Keeps what is large enough."""
    return table.filter(pc.greater_equal(table["size"], least))


def summary(table: pa.Table) -> dict[str, Any]:
    """How many rows there are, and their mean."""
    return {"rows": table.num_rows, "mean": pc.mean(table["size"]).as_py()}
