"""What is said too late, or of an attempt that failed, leaves nothing behind."""

from __future__ import annotations

import pytest

from runs import kinds, protocol
from runs.models import AttemptOutput
from tests.runs.factories import Hands, make_run, state_line

pytestmark = pytest.mark.django_db

NUMBER = {"name": "n", "type": "number", "value": 1}


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The attempts whose finish the handler of their kind took part in."""
    seen: list[str] = []

    def handler(finishing: kinds.Finishing) -> list[dict[str, object]]:
        seen.append(finishing.attempt_uuid)
        return finishing.outputs

    monkeypatch.setitem(kinds._handlers, "python", handler)
    return seen


def test_what_a_kind_adds_to_a_finish_is_added_once(handled: list[str]) -> None:
    make_run("a")
    hands = Hands()
    hands.claim()
    work = hands.held["a"]
    assert not hands.end("a").fenced
    assert protocol.finish(work.token, protocol.Outcome("succeeded"), work=work).fenced
    assert handled == [work.token]


def test_what_a_kind_adds_is_not_added_to_an_attempt_that_was_lost(handled: list[str]) -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    protocol.lose(hands.held["a"].token, "lease")
    assert hands.end("a").fenced
    assert handled == []
    assert state_line(run) == "a=retry_wait"


@pytest.mark.parametrize("state, reason", [("failed", "error"), ("cancelled", "by_person")])
def test_outputs_of_an_attempt_that_did_not_succeed_are_not_kept(state: str, reason: str) -> None:
    make_run("a")
    hands = Hands()
    hands.claim()
    hands.end("a", state, reason, outputs=[NUMBER])
    assert not AttemptOutput.objects.exists()


def test_outputs_that_come_too_late_are_not_kept() -> None:
    make_run("a")
    hands = Hands()
    hands.claim()
    protocol.lose(hands.held["a"].token, "lease")
    assert hands.end("a", outputs=[NUMBER]).fenced
    assert not AttemptOutput.objects.exists()
