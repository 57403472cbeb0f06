from __future__ import annotations

import pytest

from lineage import chores, sweeps
from lineage.models import CataloguedApproval, Record, RecorderMark
from pipelines.lookups import lookups
from runs import chores as run_chores
from runs import dispatch
from runs import sweeps as run_sweeps
from runs.signals import attempt_finished
from tests.factories import Cast, make_cast
from tests.lineage.factories import make_endpoint, make_trained, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def test_the_sweep_records_what_no_nudge_did(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "_marked_at", float("-inf"))
    make_trained(make_version(cast.team), cast.alice)
    sweeps.sweep()
    assert Record.objects.count() == 3
    assert CataloguedApproval.objects.count() == 1
    assert RecorderMark.objects.count() == 1
    sweeps.sweep()
    assert Record.objects.count() == 3


def test_the_sweep_of_runs_carries_out_that_of_lineage() -> None:
    assert sweeps.sweep in run_sweeps._registered


def test_a_nudge_records_at_once(cast: Cast) -> None:
    make_trained(make_version(cast.team), cast.alice)
    run_chores.run_nudge(chores.RECORD)
    assert Record.objects.count() == 3


def test_many_ended_attempts_ring_the_recorder_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[tuple[str, ...]] = []
    monkeypatch.setattr(dispatch, "ring_system", lambda *words: rings.append(words))
    monkeypatch.setattr(chores, "_rang_at", float("-inf"))
    for attempt in range(20):
        attempt_finished.send_robust(sender=None, attempts=[attempt])
    assert rings == [("nudge", "record")]


def test_validation_knows_the_endpoints_of_a_team(cast: Cast) -> None:
    make_endpoint(cast.team, "shop", "staging")
    assert lookups.endpoints(cast.team) == {"shop": "staging"}
    assert lookups.endpoints(cast.others) == {}
