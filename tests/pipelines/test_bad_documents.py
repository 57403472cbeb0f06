"""A corpus of bad documents: each gets exactly the problems, on the lines, that its first line names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipelines.validation import validate
from tests.pipelines.digits import HERE, context

DOCUMENTS = sorted((HERE / "bad_documents").glob("*.yaml"))


def _expected(path: Path) -> list[tuple[str, int]]:
    first = path.read_bytes().split(b"\n", 1)[0].decode("ascii")
    assert first.startswith("# expect: "), f"{path.name} does not say what is expected"
    return [(code, int(line)) for code, line in re.findall(r"([a-z0-9-]+)@(\d+)", first)]


def test_the_corpus_is_large_enough() -> None:
    assert len(DOCUMENTS) >= 45


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_bad_document_gets_its_problems_on_their_lines(path: Path) -> None:
    result = validate(path.read_bytes(), context())
    found = [(problem.code, problem.line) for problem in result.problems]
    assert sorted(found) == sorted(_expected(path)), [problem.message for problem in result.problems]
    has_error = any(problem.severity == "error" for problem in result.problems)
    assert result.ok is not has_error


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_problem_is_a_sentence_with_a_place(path: Path) -> None:
    text = path.read_bytes()
    for problem in validate(text, context()).problems:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", problem.code)
        assert problem.message[-1] in ".?", problem.message
        assert 1 <= problem.line <= text.count(b"\n") + 1
        assert problem.column >= 1
        json.dumps(problem.to_json())
