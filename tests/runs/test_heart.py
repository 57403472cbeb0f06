"""The heart of a worker goes on while the database cannot be asked, and ends what it may keep no longer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis

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


def heart_of(listener: Listener, patience: float, interval: float = 30.0) -> Heart:
    return Heart(
        uuid.uuid4(),
        interval=interval,
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


class Slow:
    """A database whose answers are read only after 1.2 s, as by a worker that stood still meanwhile."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[float] = []
        self.heard: list[float] = []

    def call(self, verb: str, *arguments: Any) -> Any:
        self.asked.append(time.monotonic())
        time.sleep(1.2)
        self.heard.append(time.monotonic())
        return self.answers.pop(0)


def test_an_answer_is_as_old_as_its_question(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Slow([])
    monkeypatch.setattr(heart, "call", database.call)
    beating = heart_of(Listener(), patience=60.0)
    began = beating.last_answer
    assert beating.ask() == []
    assert began < beating.last_answer <= database.asked[0]


def test_that_a_lease_is_lost_is_no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heart, "call", Slow(None).call)
    beating = heart_of(Listener(), patience=60.0)
    began = beating.last_answer
    assert beating.ask() is None
    assert beating.last_answer == began


def test_after_an_answer_that_was_read_late_the_next_question_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, redis_connection: redis.Redis
) -> None:
    """The worker may have stood still before it read the answer, for longer than its lease lasts."""
    database, listener = Slow([], None), Listener()
    monkeypatch.setattr(heart, "call", database.call)
    beating = heart_of(listener, patience=60.0, interval=1.0)
    beating.start()
    until(lambda: listener.lost != [], 10.0, "it has heard of its loss")
    assert database.asked[1] - database.heard[0] < 0.6
