"""Answers of the database that never come, or that refuse what was asked beside the end of an attempt."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import ProgrammingError

from runs import protocol
from runs.models import TaskRun
from tests.runs.faults.bench import QUEUE, Bench, shell, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_what_was_given_in_an_answer_that_never_came_is_handed_back_and_counts_for_nothing(
    bench: Bench,
) -> None:
    run = bench.start(shell("true"))
    for _ in range(3):
        assert protocol.claim(bench.station.lease, QUEUE)
        bench.station.unsure = True
        bench.station._disown()
    bench.station.serve(QUEUE)
    result = told(run)
    assert [(each.state, each.reason) for each in result.attempts] == [("lost", "drained")] * 3 + [
        ("succeeded", "")
    ]
    assert "never came" in result.attempts[0].cause
    assert (result.task.state, result.task.lost) == ("succeeded", 0)


def test_a_claim_that_cannot_be_carried_out_does_not_cost_the_result_before_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, finish = bench.start(shell("true")), protocol.finish

    def without_a_claim(*given: Any, claim_next: bool = False, **named: Any) -> protocol.Finished:
        if claim_next:
            raise ProgrammingError("function engine_room(bigint, text) does not exist")
        return finish(*given, claim_next=claim_next, **named)

    monkeypatch.setattr(protocol, "finish", without_a_claim)
    bench.station.serve(QUEUE)
    assert [(each.state, each.reason) for each in told(run).attempts] == [("succeeded", "")]
    assert TaskRun.objects.get(run=run).state == "succeeded"
