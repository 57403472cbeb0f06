"""Two claims for the last unit, and each end of an attempt met by a claim for what it holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runs import invariants, protocol, slots, sweeps
from runs.models import Attempt, Run, Slot
from tests.runs.factories import Hands, make_user
from tests.runs.interleavings.meeting import meet
from tests.runs.test_slots import devices, hands_of, held, run_of, wanting

pytestmark = pytest.mark.django_db(transaction=True)


class Scene:
    """One GPU. ``a`` of one run holds it, or nobody; ``b`` of another run wants it."""

    def __init__(self, *, holding: bool) -> None:
        self.one, self.other = hands_of("h1", 1), hands_of("h1", 1)
        self.person = make_user()
        self.runs = [run_of("a", a=wanting(1)), run_of("b", b=wanting(1))]
        if holding:
            assert self.one.claim() == "a"

    def finish(self) -> str:
        return self.one.end("a").task_state

    def cancelled(self) -> str:
        protocol.cancel_run(self.runs[0].id, actor=self.person)
        return self.one.end("a", "cancelled", "by_person").task_state

    def lose(self) -> bool:
        return not protocol.lose(self.one.held["a"].token, "drained").fenced


def nobody_shares() -> None:
    assert Slot.objects.exclude(holder=None).count() <= 1
    assert invariants.check_all() == {}


def test_of_two_claims_for_the_last_unit_one_gets_it() -> None:
    scene = Scene(holding=False)
    met = meet(scene.one.claim, scene.other.claim)
    assert (met.first, met.second) == ("a", None)
    nobody_shares()


def test_the_loser_of_two_claims_takes_what_needs_no_unit() -> None:
    scene = Scene(holding=False)
    run_of("plain", plain=wanting(0))
    met = meet(scene.one.claim, scene.other.claim)
    assert (met.first, met.second) == ("a", "plain")
    nobody_shares()


def test_a_claim_takes_another_unit_than_the_one_that_somebody_has_locked() -> None:
    hands = hands_of("h1", 2)
    run_of("a", a=wanting(1))
    met = meet(lambda: Slot.objects.select_for_update().get(position=0), hands.claim)
    assert (met.second, met.waited) == ("a", False)
    assert held() == ["GPU-h1-1"]


def test_a_claim_waits_for_units_that_another_has_locked_and_lets_go() -> None:
    hands = hands_of("h1", 1)
    run_of("a", a=wanting(1))
    met = meet(lambda: Slot.objects.select_for_update().get(position=0), hands.claim)
    assert (met.second, met.waited) == ("a", True)
    assert held() == ["GPU-h1-0"]


ENDS: dict[str, Callable[[Scene], object]] = {
    "finish": Scene.finish,
    "cancel": Scene.cancelled,
    "lose": Scene.lose,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_unit_is_had_by_another_only_once_its_end_is_committed(end: str) -> None:
    scene = Scene(holding=True)
    met = meet(lambda: ENDS[end](scene), scene.other.claim)
    assert (met.second, met.waited) == (None, False)
    assert scene.other.claim() in ("a", "b")
    nobody_shares()


@pytest.mark.parametrize("end", ENDS)
def test_a_claim_that_came_too_early_keeps_no_end_waiting(end: str) -> None:
    scene = Scene(holding=True)
    met = meet(scene.other.claim, lambda: ENDS[end](scene))
    assert (met.first, bool(met.second)) == (None, True)
    assert scene.other.claim() in ("a", "b")
    nobody_shares()


def test_a_sweep_that_settles_a_dead_worker_and_a_finish_free_its_unit_once() -> None:
    scene = Scene(holding=True)
    token = scene.one.held["a"].token
    protocol.move_lease(scene.one.lease.uuid, ("live",), "lost")
    met = meet(sweeps.settle_orphans, lambda: protocol.finish(token, protocol.Outcome("succeeded")).fenced)
    assert (met.first, met.second, met.waited) == (1, True, True)
    assert held() == []
    slots.register(scene.other.lease.uuid, devices("h1", 1))
    assert scene.other.claim() in ("a", "b")
    nobody_shares()


def test_a_host_that_registers_while_a_sweep_withdraws_it_has_its_devices_at_its_next_beat() -> None:
    hands = hands_of("h1", 1)
    protocol.move_lease(hands.lease.uuid, ("live",), "closed")
    fresh = Hands("gpu")
    meet(slots.sweep, lambda: slots.register(fresh.lease.uuid, devices("h1", 1)))
    slots.register(fresh.lease.uuid, devices("h1", 1))
    slots.sweep()
    assert Slot.objects.get().withdrawn_at is None


def test_a_pool_that_shrinks_while_its_unit_is_claimed_takes_it_back_afterwards() -> None:
    slots.set_pool("licence", 1, actor=make_user())
    run_of("a", a=wanting(0, queue="cpu", licence=1))
    hands, actor = Hands("cpu"), make_user()
    met = meet(hands.claim, lambda: slots.set_pool("licence", 0, actor=actor))
    assert (met.first, met.waited) == ("a", True)
    assert Slot.objects.get().holder == Attempt.objects.get()
    hands.end("a")
    assert Run.objects.get().state == "succeeded"
    assert Slot.objects.filter(withdrawn_at=None).count() == 0
