"""The heart of a worker goes on while the database cannot be asked, and ends what it may keep no longer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from runs.worker import heart
from runs.worker.heart import Heart
from tests.runs.trials import until


class Listener:
    """Counts what the heart tells."""

    def __init__(self) -> None:
        self.breaths: list[float] = []
        self.lost: list[str] = []

    def breathe(self) -> None:
        self.breaths.append(time.monotonic())


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A database that takes every question and answers none until the event is set."""
    answered = threading.Event()

    def call(verb: str, *arguments: Any) -> Any:
        answered.wait(20)
        return []

    monkeypatch.setattr(heart, "call", call)
    monkeypatch.setattr(heart, "BREATH", 0.05)
    yield answered
    answered.set()


def heart_of(listener: Listener, patience: float) -> Heart:
    return Heart(
        uuid.uuid4(),
        on_answer=lambda running: None,
        on_lost=listener.lost.append,
        on_beat=listener.breathe,
        patience=patience,
    )


def test_attempts_are_kept_alive_while_a_beat_hangs(hanging: threading.Event) -> None:
    listener = Listener()
    beating = heart_of(listener, patience=60.0)
    beating.start()
    until(lambda: len(listener.breaths) >= 5, 4.0, "five signs of life")
    assert listener.lost == []
    beating.end()


def test_a_database_that_never_answers_is_given_up_after_the_patience(hanging: threading.Event) -> None:
    listener = Listener()
    beating = heart_of(listener, patience=0.4)
    beating.start()
    until(lambda: listener.lost != [], 3.0, "it is given up")
    assert listener.lost == ["the database has not answered for 0 s"]
    beating.end()


def test_an_ended_heart_says_nothing_any_more(hanging: threading.Event) -> None:
    listener = Listener()
    beating = heart_of(listener, patience=0.3)
    beating.start()
    beating.end()
    until(lambda: not beating.pulse.is_alive(), 2.0, "it stands still")
    hanging.set()
    beating.join(5)
    assert listener.lost == []
