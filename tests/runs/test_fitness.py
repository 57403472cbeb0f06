"""A worker in doubt about its store asks it, whatever the asking meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.store import Store
from runs.worker import fitness
from runs.worker.fitness import Fitness
from tests.runs.trials import until


def test_a_question_that_fails_in_an_unforeseen_way_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitness, "ASK_EVERY", 0.01)
    answers = iter([ValueError("no such endpoint"), RuntimeError("cannot start new thread")])

    def check(self: Store) -> None:
        if (problem := next(answers, None)) is not None:
            raise problem

    monkeypatch.setattr(Store, "check", check)
    asked = Fitness(Store(tmp_path / "store"))
    asked.doubt()
    assert asked.trouble()
    until(lambda: not asked.trouble(), 5, "the store has answered")
    asked.close()
