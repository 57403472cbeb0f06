"""Slots: who gets a device or a seat, who waits for it, and how it becomes free again."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from pipelines.errors import Invalid
from pipelines.models import AuditEvent
from runs import invariants, protocol, slots, sweeps
from runs.models import Attempt, AttemptSlot, Run, Slot, TaskRun, WorkerLease
from runs.slots import Device
from runs.transitions import call
from tests.runs.factories import Hands, make_run, make_user, state_line

pytestmark = pytest.mark.django_db


def devices(host: str, count: int) -> list[Device]:
    return [Device(f"GPU-{host}-{n}", n, "NVIDIA H100 80GB HBM3", 81559) for n in range(count)]


def hands_of(host: str, count: int, queue: str = "gpu") -> Hands:
    """A worker of a host with so many GPUs, registered."""
    hands = Hands(queue)
    WorkerLease.objects.filter(pk=hands.lease.pk).update(host=host)
    slots.register(hands.lease.uuid, devices(host, count))
    return hands


def wanting(gpu: int = 0, queue: str = "gpu", **pools: int) -> dict[str, Any]:
    return {"queue": queue, "resources": {"memory": None, "gpu": gpu, "slots": pools}}


def run_of(graph: str, **needs: dict[str, Any]) -> Run:
    return make_run(graph, tasks=needs)


def held() -> list[str]:
    return list(Slot.objects.exclude(holder=None).values_list("device", flat=True))


def free() -> list[str]:
    return list(Slot.objects.filter(holder=None, withdrawn_at=None).values_list("device", flat=True))


def aged(run: Run, minutes: float) -> None:
    """Let the ready tasks of a run have waited for so long."""
    TaskRun.objects.filter(run=run, state="ready").update(
        ready_at=timezone.now() - timedelta(minutes=minutes)
    )


@pytest.fixture(autouse=True)
def invariants_hold() -> Any:
    yield
    assert invariants.check_all() == {}


class TestHolding:
    def test_the_attempt_of_a_task_that_needs_a_gpu_holds_one_and_is_told_which(self) -> None:
        hands = hands_of("h1", 2)
        run_of("a", a=wanting(1))
        assert hands.claim() == "a"
        work = hands.held["a"]
        assert work.slots == [
            {"kind": "gpu", "host": "h1", "device": "GPU-h1-0", "name": "NVIDIA H100 80GB HBM3"}
        ]
        assert held() == ["GPU-h1-0"]
        assert Slot.objects.get(device="GPU-h1-0").holder == Attempt.objects.get(uuid=work.token)

    def test_a_task_that_needs_none_holds_none(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a", a=wanting(0))
        assert hands.claim() == "a"
        assert hands.held["a"].slots == []
        assert TaskRun.objects.get(key="a").needs == {}
        assert held() == []

    @pytest.mark.parametrize(
        "resources, amounts",
        [
            ({"memory": None, "gpu": 0}, {}),
            ({"memory": 5}, {}),
            ({"memory": None, "gpu": 2}, {"gpu": 2}),
            ({"gpu": 0, "slots": {"licence": 3}}, {"licence": 3}),
            ({"gpu": 1, "slots": {"licence": 3, "seat": 1}}, {"gpu": 1, "licence": 3, "seat": 1}),
        ],
    )
    def test_what_a_task_needs_is_what_its_document_asks_for(
        self, resources: dict[str, Any], amounts: dict[str, int]
    ) -> None:
        run_of("a", a={"resources": resources})
        assert TaskRun.objects.get().needs == amounts

    @pytest.mark.parametrize(
        "state, reason",
        [
            ("succeeded", ""),
            ("failed", "error"),
            ("failed", "infrastructure"),
            ("cancelled", "by_person"),
            ("lost", "drained"),
        ],
    )
    def test_however_an_attempt_ends_what_it_held_is_free(self, state: str, reason: str) -> None:
        hands = hands_of("h1", 2)
        run_of("a", a=wanting(2))
        hands.claim()
        assert len(held()) == 2
        hands.end("a", state, reason)
        assert held() == []
        assert len(free()) == 2

    def test_what_a_cancelled_run_held_is_free_when_its_attempt_has_stopped(self) -> None:
        hands = hands_of("h1", 1)
        run = run_of("a", a=wanting(1))
        hands.claim()
        protocol.cancel_run(run.id, actor=make_user())
        assert len(held()) == 1
        hands.end("a", "cancelled", "by_person")
        assert free() == ["GPU-h1-0"]

    def test_a_retry_takes_a_unit_anew(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a", a={**wanting(1), "retries": {"limit": 1, "base": 0.0}})
        hands.claim()
        hands.end("a", "failed", claim_next=True)
        assert list(hands.held) == ["a"]
        assert AttemptSlot.objects.count() == 2

    def test_what_an_attempt_had_is_remembered(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a", a=wanting(1))
        hands.claim()
        hands.end("a")
        attempt = Attempt.objects.get()
        assert [row.slot.device for row in attempt.held.all()] == ["GPU-h1-0"]

    def test_a_token_that_is_fenced_frees_nothing(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a", a=wanting(1))
        hands.claim()
        assert protocol.finish(str(uuid.uuid4()), protocol.Outcome("succeeded")).fenced
        assert held() == ["GPU-h1-0"]


class TestWaiting:
    def test_a_task_waits_while_all_units_are_held(self) -> None:
        one, other = hands_of("h1", 1), hands_of("h1", 1)
        run = run_of("a, b", a=wanting(1), b=wanting(1))
        assert (one.claim(), other.claim()) == ("a", None)
        one.end("a")
        assert other.claim() == "b"
        assert state_line(run) == "a=succeeded b=running"

    def test_what_comes_after_a_task_that_cannot_have_its_slots_is_taken(self) -> None:
        hands = hands_of("h1", 1)
        run_of("wide, narrow, plain", wide=wanting(2), narrow=wanting(1), plain=wanting(0))
        assert [hands.claim(), hands.claim(), hands.claim()] == ["narrow", "plain", None]

    def test_many_tasks_that_wait_for_a_unit_do_not_hide_one_that_needs_none(self) -> None:
        hands = hands_of("h1", 0)
        names = [f"w{n}" for n in range(80)]
        run_of(", ".join([*names, "plain"]), plain=wanting(0), **{name: wanting(1) for name in names})
        assert hands.claim() == "plain"

    def test_units_of_two_hosts_do_not_add_up(self) -> None:
        one, other = hands_of("h1", 1), hands_of("h2", 1)
        run_of("a", a=wanting(2))
        assert (one.claim(), other.claim()) == (None, None)
        assert hands_of("h3", 2).claim() == "a"
        assert held() == ["GPU-h3-0", "GPU-h3-1"]

    def test_a_worker_that_offers_no_gpu_is_given_none_of_its_host(self) -> None:
        hands_of("h1", 2)
        bare = hands_of("h1", 0)
        run_of("a", a=wanting(1))
        assert bare.claim() is None

    def test_all_kinds_are_had_or_none(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a", a=wanting(1, licence=1))
        assert hands.claim() is None
        slots.set_pool("licence", 1, actor=make_user())
        assert hands.claim() == "a"
        assert sorted(held()) == ["1", "GPU-h1-0"]

    def test_the_end_of_an_attempt_rings_where_its_kind_is_waited_for(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a, b, c", a=wanting(1), b=wanting(1, queue="cpu"), c=wanting(0, queue="other"))
        hands.claim()
        answer = call(
            "engine_finish",
            hands.held["a"].token, "succeeded", "", "", None, None, None, 0, None, None, None, "", False,
        )  # fmt: skip
        assert answer["woken"] == {"cpu": 1}


class TestPools:
    def test_a_unit_of_a_pool_is_for_workers_of_every_host(self) -> None:
        slots.set_pool("licence", 2, actor=make_user())
        run_of("a, b, c", **{name: wanting(0, queue="cpu", licence=1) for name in "abc"})
        hands = [Hands("cpu") for _ in range(3)]
        assert [one.claim() for one in hands] == ["a", "b", None]

    def test_a_smaller_pool_takes_units_back_as_they_become_free(self) -> None:
        slots.set_pool("licence", 2, actor=make_user())
        run_of("a, b, c", **{name: wanting(0, queue="cpu", licence=1) for name in "abc"})
        hands = Hands("cpu")
        hands.claim(), hands.claim()
        assert slots.set_pool("licence", 1, actor=make_user())
        hands.end("b")
        assert hands.claim() is None
        hands.end("a")
        assert hands.claim() == "c"

    def test_a_pool_that_grows_again_has_its_units_back_and_says_so_in_the_audit_trail(self) -> None:
        actor = make_user()
        for units in (2, 1, 3):
            assert slots.set_pool("licence", units, actor=actor)
        assert not slots.set_pool("licence", 3, actor=actor)
        assert sorted(free()) == ["1", "2", "3"]
        assert AuditEvent.objects.filter(verb="slots.pool").count() == 3

    @pytest.mark.parametrize(
        "kind, units, words",
        [("gpu", 1, "registered by the workers"), ("A B", 1, "small letters"), ("seat", -1, "between 0")],
    )
    def test_a_pool_that_makes_no_sense_is_refused(self, kind: str, units: int, words: str) -> None:
        with pytest.raises(Invalid, match=words):
            slots.set_pool(kind, units, actor=make_user())


class TestHosts:
    def test_registering_again_changes_nothing(self) -> None:
        hands = hands_of("h1", 2)
        assert slots.register(hands.lease.uuid, devices("h1", 2)) == 0
        assert Slot.objects.count() == 2

    def test_a_host_without_a_live_worker_has_its_devices_withdrawn_until_it_registers_again(self) -> None:
        hands = hands_of("h1", 2)
        protocol.move_lease(hands.lease.uuid, ("live",), "closed")
        slots.sweep()
        assert free() == []
        hands_of("h1", 2)
        assert free() == ["GPU-h1-0", "GPU-h1-1"]

    def test_a_device_that_is_not_found_any_more_is_withdrawn(self) -> None:
        hands = hands_of("h1", 2)
        slots.register(hands.lease.uuid, devices("h1", 1))
        slots.sweep()
        assert free() == ["GPU-h1-0"]

    def test_what_a_cut_off_worker_held_is_not_given_out_before_its_host_registers(self) -> None:
        hands, neighbour = hands_of("h1", 1), hands_of("h1", 1)
        run = run_of("a", a=wanting(1))
        hands.claim()
        protocol.move_lease(hands.lease.uuid, ("live",), "lost")
        sweeps.settle_orphans()
        assert (held(), free(), neighbour.claim()) == ([], [], None)
        slots.register(neighbour.lease.uuid, devices("h1", 1))
        assert neighbour.claim() == "a"
        assert state_line(run) == "a=running"

    def test_a_seat_that_a_cut_off_worker_held_is_free_at_once(self) -> None:
        slots.set_pool("licence", 1, actor=make_user())
        run_of("a", a=wanting(0, queue="cpu", licence=1))
        hands = Hands("cpu")
        hands.claim()
        protocol.lose(hands.held["a"].token, "lease")
        assert free() == ["1"]

    def test_a_card_that_moved_belongs_to_the_host_it_is_in_now(self) -> None:
        hands = hands_of("h1", 1)
        protocol.move_lease(hands.lease.uuid, ("live",), "closed")
        slots.sweep()
        other = Hands("gpu")
        WorkerLease.objects.filter(pk=other.lease.pk).update(host="h2")
        slots.register(other.lease.uuid, devices("h1", 1))
        assert [(row.host, row.device) for row in Slot.objects.all()] == [("h2", "GPU-h1-0")]

    def test_a_lease_that_is_gone_registers_nothing(self) -> None:
        hands = Hands("gpu")
        protocol.move_lease(hands.lease.uuid, ("live",), "lost")
        assert slots.register(hands.lease.uuid, devices("h1", 1)) == 0
        assert Slot.objects.count() == 0


class TestSweep:
    def test_a_slot_whose_attempt_has_ended_is_freed_and_reported(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        hands = hands_of("h1", 1)
        run_of("a", a=wanting(1))
        hands.claim()
        hands.end("a")
        Slot.objects.update(holder=Attempt.objects.get())
        assert invariants.check_all() != {}
        slots.sweep()
        assert free() == ["GPU-h1-0"]
        assert "a slot was held by an attempt that had ended" in caplog.text


class TestWideTasks:
    def wide(self) -> tuple[Hands, Hands, Run]:
        """A host with two GPUs, one of them held; a task that needs both has waited for long."""
        hands, other = hands_of("h1", 2), hands_of("h1", 2)
        run_of("first", first=wanting(1))
        assert hands.claim() == "first"
        wide = run_of("wide", wide=wanting(2))
        aged(wide, 11)
        return hands, other, wide

    def test_a_wide_task_that_waited_long_reserves_its_host(self) -> None:
        hands, other, _ = self.wide()
        late = run_of("late", late=wanting(1))
        slots.sweep()
        aged(late, 0)
        assert other.claim() is None
        hands.end("first", claim_next=True)
        assert list(hands.held) == ["wide"]
        assert not Slot.objects.exclude(reserved_for=None).exists()

    def test_one_that_waited_for_less_reserves_nothing(self) -> None:
        _, other, wide = self.wide()
        aged(wide, 9)
        run_of("late", late=wanting(1))
        slots.sweep()
        assert other.claim() == "late"

    def test_a_task_of_higher_rank_takes_what_is_reserved(self) -> None:
        _, other, _ = self.wide()
        slots.sweep()
        urgent = run_of("urgent", urgent=wanting(1))
        TaskRun.objects.filter(run=urgent).update(priority=2)
        Run.objects.filter(pk=urgent.pk).update(priority=2)
        assert other.claim() == "urgent"

    def test_a_task_kept_from_reserved_units_does_not_hide_the_one_they_are_kept_for(self) -> None:
        hands, other = hands_of("h1", 2), hands_of("h1", 2)
        wide = run_of("busy, wide", busy=wanting(0), wide=wanting(2))
        assert other.claim() == "busy"
        aged(wide, 12)
        slots.sweep()
        # Of a team that runs less, so that it is looked at first.
        aged(run_of("late", late=wanting(1)), 11)
        assert hands.claim() == "wide"

    def test_many_tasks_kept_from_reserved_units_do_not_hide_one_that_needs_none(self) -> None:
        _, other, _ = self.wide()
        slots.sweep()
        names = [f"w{n}" for n in range(40)]
        run_of(", ".join([*names, "plain"]), plain=wanting(0), **{name: wanting(1) for name in names})
        assert other.claim() == "plain"

    def test_a_host_that_is_too_small_is_not_reserved(self) -> None:
        hands = hands_of("h1", 1)
        aged(run_of("wide", wide=wanting(2)), 11)
        slots.sweep()
        run_of("late", late=wanting(1))
        assert hands.claim() == "late"

    def test_a_reservation_stays_where_it_is_although_more_is_free_elsewhere(self) -> None:
        hosts = [hands_of("h1", 3), hands_of("h2", 3)]
        run_of("a, b, c, d", **{key: wanting(1) for key in "abcd"})
        assert [hands.claim() for hands in hosts * 2] == ["a", "b", "c", "d"]
        aged(run_of("wide", wide=wanting(3)), 11)
        slots.sweep()
        hosts[1].end("b")
        slots.sweep()
        kept = Slot.objects.exclude(reserved_for=None).values_list("host", flat=True)
        assert list(kept) == ["h1"] * 3

    def test_a_reservation_ends_with_its_task(self) -> None:
        _, other, wide = self.wide()
        slots.sweep()
        protocol.cancel_run(wide.id, actor=make_user())
        run_of("late", late=wanting(1))
        assert other.claim() == "late"
        slots.sweep()
        assert not Slot.objects.exclude(reserved_for=None).exists()

    def test_two_wide_tasks_that_need_the_same_two_kinds_do_not_block_each_other(self) -> None:
        slots.set_pool("licence", 1, actor=make_user())
        hands = hands_of("h1", 1)
        for name in ("one", "two"):
            aged(run_of(name, **{name: wanting(1, licence=1)}), 11)
        slots.sweep()
        assert hands.claim() == "one"
        slots.sweep()
        hands.end("one", claim_next=True)
        assert list(hands.held) == ["two"]


class TestDurability:
    def commits(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchone()[0])

    def cheap_finish(self, hands: Hands, key: str) -> str:
        """How the transaction of a finish that is worth little commits, with what it claims next."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = on")
            hands.end(key, claim_next=True)
            return self.commits()

    @pytest.mark.django_db(transaction=True)
    def test_a_cheap_finish_that_takes_a_slot_waits_for_the_disk(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a > b > c", a=wanting(0), b=wanting(1), c=wanting(0))
        hands.claim()
        assert self.cheap_finish(hands, "a") == "on"
        assert list(hands.held) == ["b"]

    @pytest.mark.django_db(transaction=True)
    def test_a_cheap_finish_that_takes_none_does_not(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a > b > c", a=wanting(0), b=wanting(0), c=wanting(0))
        hands.claim()
        assert self.cheap_finish(hands, "a") == "off"

    @pytest.mark.django_db(transaction=True)
    def test_the_finish_of_what_held_a_slot_waits_for_the_disk(self) -> None:
        hands = hands_of("h1", 1)
        run_of("a > b > c", a=wanting(1), b=wanting(0), c=wanting(0))
        hands.claim()
        assert self.cheap_finish(hands, "a") == "on"


class TestDraining:
    def test_a_lease_that_drains_is_given_nothing_and_told_to_leave(self) -> None:
        hands = Hands()
        make_run("a")
        protocol.move_lease(hands.lease.uuid, ("live",), "draining")
        assert hands.claim() is None
        assert call("engine_beat", hands.lease.uuid, 15.0) == []  # a worker that does not know the word
        WorkerLease.objects.filter(pk=hands.lease.pk).update(labels={"drains": True})
        assert call("engine_beat", hands.lease.uuid, 15.0) == [{"drain": True}]


class TestNoticed:
    """What must hold of slots is looked at, and what breaks it is found."""

    @pytest.fixture(autouse=True)
    def invariants_hold(self) -> None:
        """Here they do not."""

    def broken(self) -> str:
        (name,) = (found := invariants.check_all())
        assert name == "slots-are-held"
        return str(found[name][0])

    def test_an_attempt_that_holds_less_than_its_task_needs_is_noticed(self) -> None:
        hands = hands_of("h1", 2)
        run_of("a", a=wanting(2))
        hands.claim()
        Slot.objects.filter(position=0).update(holder=None)
        assert "holds 1 of gpu and needs 2" in self.broken()

    def test_a_unit_that_the_holder_has_no_need_of_is_noticed(self) -> None:
        hands = hands_of("h1", 1)
        slots.set_pool("licence", 1, actor=make_user())
        run_of("a", a=wanting(1))
        hands.claim()
        Slot.objects.filter(kind="licence").update(holder=Attempt.objects.get())
        assert "whose task needs no licence" in self.broken()

    def test_devices_of_two_hosts_in_one_hand_are_noticed(self) -> None:
        hands = hands_of("h1", 2)
        run_of("a", a=wanting(2))
        hands.claim()
        Slot.objects.filter(position=1).update(host="h2")
        assert "holds devices of h1, h2" in self.broken()

    def test_a_unit_that_was_given_out_twice_at_a_time_is_noticed(self) -> None:
        hands = hands_of("h1", 2)
        run_of("a, b", a=wanting(1), b=wanting(1))
        hands.claim(), hands.claim()
        first, second = Attempt.objects.order_by("id")
        AttemptSlot.objects.create(attempt=second, slot=first.held.get().slot)
        assert f"was given to attempt {second.pk} before attempt {first.pk} had ended" in self.broken()
