"""A pause and a claim at once: once the pause is committed, nothing more of what it holds is handed out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from pipelines.models import User
from runs import invariants, pausing, protocol, queues
from runs.models import Queue, Run
from runs.pausing import Pause
from tests.runs.factories import Hands, make_run, make_user, state_line
from tests.runs.interleavings.meeting import meet

pytestmark = pytest.mark.django_db(transaction=True)
WHY = Pause("Data is late.")
Pausing = Callable[[Run, User], bool]


def pause_run(run: Run, actor: User) -> bool:
    return pausing.pause_run(run.pk, WHY, actor=actor)


def pause_pipeline(run: Run, actor: User) -> bool:
    return pausing.pause_pipeline(run.pipeline, WHY, actor=actor)


def pause_queue(run: Run, actor: User) -> bool:
    return queues.pause(Queue.objects.get(slug="cpu"), reason="Data is late.", actor=actor)


EACH = pytest.mark.parametrize("pause", [pause_run, pause_pipeline, pause_queue])


@EACH
def test_a_claim_that_has_looked_for_pauses_does_not_miss_one_that_is_committed_then(pause: Pausing) -> None:
    run, hands, actor = make_run("a"), Hands(), make_user()

    def paused_while_the_claim_looks_at_limits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE team_limits IN ACCESS EXCLUSIVE MODE")
        return pause(run, actor)

    met = meet(paused_while_the_claim_looks_at_limits, hands.claim)
    assert (met.first, met.second, state_line(run)) == (True, None, "a=ready")


def test_a_start_that_waited_for_a_pause_of_its_pipeline_is_refused() -> None:
    run, actor = make_run("a"), make_user()

    def start() -> Run:
        return protocol.start_run(run.version, parameters={}, trigger="api", requested_by=actor)

    met = meet(lambda: pause_pipeline(run, actor), start)
    assert (met.first, met.second, met.waited) == (True, "pipeline-paused", True)


@EACH
def test_a_pause_waits_for_the_claim_that_has_begun_before_it(pause: Pausing) -> None:
    run, hands, actor = make_run("a, b"), Hands(), make_user()
    met = meet(hands.claim, lambda: pause(run, actor))
    assert (met.first, met.second, met.waited) == ("a", True, True)
    assert hands.end("a", claim_next=True).next is None
    assert state_line(run) == "a=succeeded b=ready"
    assert invariants.check_all() == {}
