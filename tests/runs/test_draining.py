"""Workers of a version that takes nothing more when it is drained, but does not know that it is to leave."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from runs.models import WorkerLease
from tests.runs.factories import Hands, make_run

pytestmark = pytest.mark.django_db


def told(hands: Hands) -> str:
    said = StringIO()
    call_command("drain", hands.lease.worker, stdout=said)
    return said.getvalue().partition("; ")[2].strip()


def test_whoever_drains_an_older_worker_is_told_to_stop_it_by_hand() -> None:
    make_run("a")
    idle, busy = Hands(), Hands()
    assert busy.claim() == "a"
    assert told(idle) == "it is of an older version and has to be stopped by hand."
    assert told(busy).endswith("first; then it has to be stopped by hand.")


def test_one_that_knows_the_word_leaves_by_itself() -> None:
    hands = Hands()
    WorkerLease.objects.filter(pk=hands.lease.pk).update(labels={"drains": True})
    assert told(hands) == "it leaves now."
