"""Why a task gets no slots, or no place among the tasks of its team: what is said, and that it is so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipelines.access import Rights
from pipelines.models import User
from runs import explaining, protocol, slots
from runs.explaining import Blocker
from runs.models import Run, Slot, TaskRun, TeamLimits
from tests.factories import Cast, make_cast
from tests.runs import factories
from tests.runs.factories import Hands
from tests.runs.test_explaining_removal import undone
from tests.runs.test_slots import aged, hands_of, wanting

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def run_of(cast: Cast, **tasks: dict[str, Any]) -> Run:
    return factories.make_run(", ".join(tasks), team=cast.team, owner=cast.alice, tasks=tasks)


def blockers(run: Run, key: str, person: User) -> list[Blocker]:
    task = TaskRun.objects.get(run=run, key=key)
    return list(explaining.explain(task.pk, Rights(person)).blockers)


def only(run: Run, key: str, person: User) -> Blocker:
    (blocker,) = blockers(run, key, person)
    return blocker


def said(blocker: Blocker) -> tuple[str, str]:
    return str(blocker.code), blocker.words


class TestSlots:
    def test_gpus_that_no_worker_has(self, cast: Cast) -> None:
        hands_of("h1", 1)
        hands_of("h2", 2)
        words = "It needs 4 GPUs of one machine, and no worker of the queue gpu has more than 2."
        assert said(only(run_of(cast, a=wanting(4)), "a", cast.bob)) == ("slots-absent", words)

    def test_a_queue_without_gpus(self, cast: Cast) -> None:
        Hands("gpu")
        words = "It needs 1 GPU of one machine, and no worker of the queue gpu has any."
        assert said(only(run_of(cast, a=wanting(1)), "a", cast.bob)) == ("slots-absent", words)

    def test_a_pool_that_there_is_not_and_one_that_is_too_small(self, cast: Cast) -> None:
        Hands()
        run = run_of(cast, a=wanting(queue="cpu", licence=2))
        told = only(run, "a", cast.bob)
        assert told.words == "It needs 2 licence at a time, and there are none."
        assert told.remedy.startswith("Correct the name in the document, or")
        slots.set_pool("licence", 1, actor=cast.alice)
        assert only(run, "a", cast.bob).words == "It needs 2 licence at a time, and there is 1."

    def test_slots_in_the_hands_of_others_with_who_holds_them(self, cast: Cast) -> None:
        holder = hands_of("h1", 2)
        first = run_of(cast, long=wanting(1))
        holder.claim()
        hands_of("h1", 2)
        blocker = only(run_of(cast, a=wanting(2)), "a", cast.bob)
        assert said(blocker) == ("slots-held", "It needs 2 GPUs at a time: of 2 on h1, 1 is free.")
        name = f"{first.pipeline.name} #{first.number}: long"
        assert [(link.rel, link.href, link.name) for link in blocker.links] == [
            ("holder", f"/runs/{first.uuid}?task=long", name)
        ]

    def test_what_others_do_with_them_is_not_told(self, cast: Cast) -> None:
        slots.set_pool("licence", 1, actor=cast.alice)
        factories.make_run(
            "long", team=cast.others, owner=cast.charlie, tasks={"long": wanting(queue="cpu", licence=1)}
        )
        Hands().claim()
        Hands()
        blocker = only(run_of(cast, a=wanting(queue="cpu", licence=1)), "a", cast.bob)
        assert said(blocker) == ("slots-held", "It needs 1 licence at a time: of 1, none are free.")
        assert blocker.links == ()

    def test_many_who_hold_and_many_units_cost_what_few_do(self, cast: Cast) -> None:
        slots.set_pool("licence", 40, actor=cast.alice)
        TeamLimits.objects.create(team=cast.team, running_tasks=50)
        waiting = run_of(cast, a=wanting(queue="gpu", licence=40))
        Hands("gpu")

        def cost() -> int:
            with CaptureQueriesContext(connection) as seen:
                assert only(waiting, "a", cast.bob).code == "slots-held"
            return len(seen)

        def hold(count: int) -> None:
            run_of(cast, **{f"t{number}": wanting(queue="cpu", licence=1) for number in range(count)})
            for _ in range(count):
                Hands().claim()

        hold(2)
        few = cost()
        hold(20)
        assert cost() == few <= 11

    def test_withdrawn_units_are_not_there(self, cast: Cast) -> None:
        hands_of("h1", 1)
        Slot.objects.update(withdrawn_at=timezone.now())
        assert said(only(run_of(cast, a=wanting(1)), "a", cast.bob)) == (
            "slots-absent",
            "It needs 1 GPU of one machine, and no worker of the queue gpu has any. "
            "Those of h1 are withdrawn until a worker there offers them again.",
        )

    def test_slots_that_are_kept_for_a_wide_task(self, cast: Cast) -> None:
        busy = hands_of("h1", 2)
        run_of(cast, long=wanting(1))
        busy.claim()
        wide = run_of(cast, wide=wanting(2))
        aged(wide, 11)
        slots.sweep()
        hands_of("h1", 2)
        blocker = only(run_of(cast, a=wanting(1)), "a", cast.bob)
        assert blocker.code == "slots-reserved"
        assert blocker.words == "2 GPUs are kept for a task that needs several and has waited longer."
        assert blocker.links[0].href == f"/runs/{wide.uuid}?task=wide"
        # The wide one itself waits for what is held, and not for itself.
        assert [blocker.code for blocker in blockers(wide, "wide", cast.bob)] == ["slots-held"]

    def test_the_worker_that_has_the_gpus_is_busy_while_another_is_free(self, cast: Cast) -> None:
        busy = hands_of("h1", 1)
        run_of(cast, long=wanting(0))
        busy.claim()
        Hands("gpu")
        blocker = only(run_of(cast, a=wanting(1)), "a", cast.bob)
        assert said(blocker) == (
            "workers-busy",
            "The only worker of the queue gpu that could take it is busy.",
        )

    def test_what_is_free_with_a_worker_that_is_busy_is_no_help_to_one_that_is_not(self, cast: Cast) -> None:
        holder = hands_of("h1", 1)
        run_of(cast, long=wanting(1))
        holder.claim()
        hands_of("h1", 1)
        busy = hands_of("h2", 1)
        run_of(cast, plain=wanting(0))
        busy.claim()
        words = "It needs 1 GPU at a time: of 1 on h1, none are free."
        assert said(only(run_of(cast, a=wanting(1)), "a", cast.bob)) == ("slots-held", words)

    def test_a_task_that_can_have_its_slots_is_not_blocked(self, cast: Cast) -> None:
        hands_of("h1", 1)
        assert blockers(run_of(cast, a=wanting(1)), "a", cast.bob) == []


class TestTeamLimits:
    def test_a_team_that_runs_all_it_may(self, cast: Cast) -> None:
        TeamLimits.objects.create(team=cast.team, running_tasks=1)
        run = run_of(cast, a=wanting(queue="cpu"), b=wanting(queue="cpu"))
        Hands().claim()
        Hands()
        blocker = only(run, "b", cast.bob)
        assert said(blocker) == ("team-limit", "The team alpha runs as many tasks as it may: 1.")
        assert [link.name for link in blocker.links] == ["a"]

    def test_a_limit_of_the_queue(self, cast: Cast) -> None:
        TeamLimits.objects.create(team=cast.team, queue="cpu", running_tasks=0)
        Hands()
        run = run_of(cast, a=wanting(queue="cpu"))
        told = only(run, "a", cast.bob)
        assert told.words == "The team alpha may run no tasks on the queue cpu."
        assert told.remedy == "It waits until a site admin raises the limit."

    def test_a_task_that_waits_for_others_is_not_told_that_they_use_up_the_limit(self, cast: Cast) -> None:
        TeamLimits.objects.create(team=cast.team, running_tasks=1)
        run = factories.make_run("a > b", team=cast.team, owner=cast.alice)
        Hands().claim()
        assert only(run, "b", cast.bob).code == "tasks"

    def test_a_limit_that_is_not_reached_and_that_of_another_queue(self, cast: Cast) -> None:
        TeamLimits.objects.create(team=cast.team, running_tasks=1)
        TeamLimits.objects.create(team=cast.team, queue="gpu", running_tasks=0)
        Hands()
        assert blockers(run_of(cast, a=wanting(queue="cpu")), "a", cast.bob) == []


# What there is of a pool -> how it came to that, what is named, what takes each away.
Made = Callable[["Pool"], None]
Removed = dict[str, Made]


class Pool:
    """A task that needs two seats, two free workers of its queue, and a worker of another."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.elsewhere = Hands("gpu")
        self.works: list[protocol.Work] = []
        self.run = run_of(cast, a=wanting(queue="cpu", licence=2))
        self.workers = [Hands(), Hands()]

    def units(self, count: int) -> None:
        slots.set_pool("licence", count, actor=self.cast.alice)

    def hold(self) -> None:
        """A task of another queue has a seat."""
        run_of(self.cast, long=wanting(queue="gpu", licence=1))
        work = protocol.claim(self.elsewhere.lease.uuid, "gpu")
        assert work is not None
        self.works.append(work)

    def let_go(self) -> None:
        for work in self.works:
            assert not protocol.finish(work.token, protocol.Outcome("succeeded")).fenced

    def keep(self) -> None:
        """Seats are kept for a task of another queue that nobody serves yet."""
        self.wide = run_of(self.cast, wide=wanting(queue="gpu", licence=4))
        longer = timezone.now() - timedelta(minutes=11)
        TaskRun.objects.filter(run=self.wide).update(ready_at=longer)
        Slot.objects.update(reserved_for=TaskRun.objects.get(run=self.wide))

    def give_up(self) -> None:
        protocol.cancel_run(self.wide.pk, actor=self.cast.alice)

    def occupy(self) -> None:
        """Both workers of the queue have something else, of another team."""
        others = factories.make_run("x, y", team=self.cast.others, owner=self.cast.charlie)
        TaskRun.objects.filter(run=others).update(priority=2)
        self.busy = [protocol.claim(hands.lease.uuid, "cpu") for hands in self.workers]

    def free_one(self) -> None:
        assert self.busy[0] is not None
        protocol.finish(self.busy[0].token, protocol.Outcome("succeeded"))

    def limit(self) -> None:
        TeamLimits.objects.create(team=self.cast.team, queue="cpu", running_tasks=0)

    def raise_limit(self) -> None:
        TeamLimits.objects.update(running_tasks=1)

    def named(self) -> set[str]:
        return {str(blocker.code) for blocker in blockers(self.run, "a", self.cast.bob)}

    def starts(self) -> bool:
        return any(self._given(hands) for hands in self.workers)

    def _given(self, hands: Hands) -> bool:
        if hands.lease.attempts.filter(state="running").exists():
            return False
        with undone():
            work = protocol.claim(hands.lease.uuid, "cpu")
            return work is not None and work.run["id"] == self.run.pk


REMOVED: Removed = {
    "slots-absent": lambda pool: pool.units(9),
    "slots-held": Pool.let_go,
    "slots-reserved": Pool.give_up,
    "workers-busy": Pool.free_one,
    "team-limit": Pool.raise_limit,
}


def of(units: int, *steps: Made) -> tuple[int, tuple[Made, ...]]:
    return units, steps


SITUATIONS: dict[str, tuple[tuple[int, tuple[Made, ...]], set[str]]] = {
    "free": (of(2), set()),
    "too few": (of(1), {"slots-absent"}),
    "held": (of(2, Pool.hold), {"slots-held"}),
    "held, with enough beside": (of(3, Pool.hold), set()),
    "kept": (of(4, Pool.keep), {"slots-reserved"}),
    "kept and held": (of(3, Pool.hold, Pool.hold, Pool.keep), {"slots-held", "slots-reserved"}),
    "busy": (of(2, Pool.occupy), {"workers-busy"}),
    "busy and held": (of(2, Pool.hold, Pool.occupy), {"slots-held", "workers-busy"}),
    "limit": (of(2, Pool.limit), {"team-limit"}),
    "all": (
        of(2, Pool.hold, Pool.keep, Pool.occupy, Pool.limit),
        {"slots-held", "slots-reserved", "workers-busy", "team-limit"},
    ),
    "too few, and a limit": (of(1, Pool.limit), {"slots-absent", "team-limit"}),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_task_gets_its_slots_when_all_that_is_named_has_gone_and_not_before(cast: Cast, name: str) -> None:
    (units, steps), expected = SITUATIONS[name]
    pool = Pool(cast)
    pool.units(units)
    for step in steps:
        step(pool)
    assert pool.named() == expected
    assert pool.starts() is not bool(expected)
    for kept in sorted(expected):
        with undone():
            for code in sorted(expected - {kept}):
                REMOVED[code](pool)
            assert not pool.starts(), kept
            assert kept in pool.named()
    for code in sorted(expected):
        REMOVED[code](pool)
    assert pool.starts()
    assert pool.named() == set()
