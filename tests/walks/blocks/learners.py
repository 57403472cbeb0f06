"""Blocks that are drawn, and not run: their types are read without importing anything."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sklearn.ensemble import GradientBoostingClassifier


def train(table: pa.Table, label: str, eta: float = 0.3, max_depth: int = 6) -> GradientBoostingClassifier:
    """Trains gradient boosted trees."""
    raise NotImplementedError


def evaluate(model: GradientBoostingClassifier, table: pa.Table) -> dict[str, Any]:
    """How well a model does on a table."""
    raise NotImplementedError
