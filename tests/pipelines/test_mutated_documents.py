"""5,000 documents made by breaking good and bad ones: whatever the text is, a validation answers."""

from __future__ import annotations

import json
from typing import Final

import pytest

from pipelines.graph import Graph
from pipelines.validation import Result, validate
from tests.pipelines import mutations
from tests.pipelines.digits import context

pytestmark = pytest.mark.slow

SEED: Final = 20260101


def test_documents_with_broken_text_are_answered() -> None:
    for text in mutations.by_text(3_000, SEED):
        _answered(text)


def test_documents_with_broken_structure_are_answered() -> None:
    for text in mutations.by_structure(2_000, SEED + 1):
        _answered(text)


def _answered(text: str | bytes) -> Result:
    """Validates; what a page and a database do with the answer must work too."""
    result = validate(text, context())
    assert result.problems or result.ok
    for problem in result.problems:
        assert problem.line >= 1
        assert problem.column >= 1
    json.dumps([problem.to_json() for problem in result.problems], allow_nan=False).encode()
    if result.spec is not None:
        written = json.dumps(result.spec, allow_nan=False)
        assert "\\u0000" not in written
        graph = Graph.from_json(json.loads(written))
        assert len(graph.order()) == len(graph.tasks)
    elif result.graph is not None:
        json.dumps(result.graph.to_json(), allow_nan=False)
    return result
