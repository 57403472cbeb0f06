"""Workers' own loops under a scheduler of messages: every order of things comes from one seed.

The stations are the product's; their heart, executions and clock are simulated, the schema is real. Each loop
is a thread that moves only when the scheduler says so, and stops wherever it talks to the database: there a
request may be lost, an answer may be lost, both may come late, and the worker may die. Rings may be lost,
doubled and late. Time is simulated too: the database's clock and the workers' go by the scheduler's.
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.db import OperationalError, connection

from pipelines.models import User
from runs import dispatch, invariants, live, protocol, sweeps
from runs.models import Attempt, Run
from runs.protocol import LEASE_TTL, Outcome, Work
from runs.transitions import call
from runs.worker import worker

QUEUE: Final = "cpu"
EPOCH: Final = datetime(2030, 1, 1, tzinfo=UTC)
BEAT: Final = 5.0
NETWORKED: Final = ("claim", "finish", "lose", "held_by")  # verbs of the protocol that a worker asks for
PATIENCE: Final = 900.0  # simulated seconds in which every run ends once nothing is in its way


class Died(BaseException):
    """The process of a worker is gone."""


class SimulatedHeart:
    """Beats when the scheduler says so."""

    def __init__(self, lease: Any, *, on_answer: Any, on_lost: Any, on_beat: Any) -> None:
        self.lease, self.on_answer, self.on_lost = lease, on_answer, on_lost

    def start(self) -> None:
        """Nothing runs by itself here."""

    def end(self) -> None:
        """The scheduler forgets it with its worker."""

    def ask(self) -> Any:
        return call("engine_beat", self.lease, LEASE_TTL)

    def beat(self) -> None:
        running = self.ask()
        if running is None:
            self.on_lost("the lease has lapsed")
        else:
            self.on_answer(running)


class SimulatedTime:
    """The `time` of the worker's module."""

    def __init__(self, world: World) -> None:
        self.monotonic = lambda: world.now
        self.sleep = lambda seconds: world.current().sleep(seconds)


class SimulatedExecution:
    """Takes some simulated seconds, and ends as the seed wants."""

    def __init__(self, station: worker.Station, work: Work) -> None:
        self.work = work
        self.asked = ""

    def ask_to_stop(self, why: str) -> None:
        self.asked = why

    def run(self) -> Outcome:
        actor = worker_here()
        actor.world.begins(self.work)
        until = actor.world.now + actor.world.random.choice((0.1, 1.0, 4.0, 20.0))
        while actor.world.now < until and not self.asked:
            actor.park()
        if self.asked:
            return Outcome("cancelled", "by_person")
        return actor.world.outcome(self.work)


class SimulatedStation(worker.Station):
    def _lost(self, sentence: str) -> None:
        trouble = sys.exception()
        if isinstance(trouble, AttributeError | TypeError):
            raise trouble  # a mistake of this simulation or of the worker, and no end of one
        raise Died(sentence)


def worker_here() -> Actor:
    """The worker whose thread asks."""
    found = threading.current_thread()
    assert isinstance(found, Actor)
    return found


class Actor(threading.Thread):
    """One worker's loop. It has the turn, or waits for it: never two of them move at a time."""

    def __init__(self, world: World, number: int) -> None:
        super().__init__(name=f"worker {number}", daemon=True)
        self.world = world
        self.number = number
        self.station: SimulatedStation | None = None
        self.idle = False
        self.rung = False
        self.over = False
        self.doomed = False
        self.frozen_until = 0.0
        self.asleep_until = 0.0
        self.beat_at = 0.0
        self.trouble: BaseException | None = None
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)

    # --- in the thread of the scheduler

    def move(self) -> None:
        """Give it the turn until it waits again or has ended."""
        self._mine.release()
        assert self._theirs.acquire(timeout=30), f"{self.name} does not come back"
        if self.trouble is not None:
            raise self.trouble

    @property
    def may_move(self) -> bool:
        now = self.world.now
        if self.over or now < self.frozen_until:
            return False
        return self.doomed or (now >= self.asleep_until and (not self.idle or self.rung))

    def beat(self) -> None:
        """What its heart does, whatever its loop waits for."""
        self.beat_at = self.world.now + BEAT
        if self.station is None or self.doomed:
            return
        try:
            self.station.heart.beat()  # type: ignore[attr-defined]
        except Died:
            self.doomed = True

    # --- in its own

    def run(self) -> None:
        self._mine.acquire()
        try:
            self._live()
        except Died:
            pass
        except BaseException as trouble:
            self.trouble = trouble
        finally:
            self.over = True
            connection.close()
            self._theirs.release()

    def _live(self) -> None:
        self.world.set_clock()
        self.station = SimulatedStation(QUEUE)
        while True:
            self.station.serve(QUEUE)
            self.idle = True
            while not self.rung:
                self.park()
            self.idle = self.rung = False

    def park(self) -> None:
        """Wait for the next turn. Raises Died when the worker is no more by then."""
        self._theirs.release()
        self._mine.acquire()
        if self.doomed:
            raise Died
        self.world.set_clock()

    def sleep(self, seconds: float) -> None:
        self.asleep_until = self.world.now + seconds
        self.park()

    def ask(self, verb: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """A request on its way through a network that may lose it, hold it up, or lose its answer."""
        fate = self.world.fate(self)
        if fate == "late":
            self.park()
        if fate == "died before":
            raise Died
        if fate == "request lost":
            raise OperationalError("the request was lost")
        answer = verb(*arguments, **named)
        if fate == "died after":
            raise Died
        if fate == "answer lost":
            raise OperationalError("the answer was lost")
        self.park()
        return answer


@dataclass
class World:
    """The scheduler, what is under way, and what has happened. ``calm``: nothing goes wrong any more."""

    seed: int
    workers: int = 3
    # Die at the n-th request of all, before or after the database has carried it out.
    die_at: tuple[int, str] | None = None
    calm: bool = False
    now: float = 0.0
    requests: int = 0
    rings: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    settled: list[tuple[str, Outcome]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    person: User | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.numbers = itertools.count(1)
        self.sweep_at = 0.0
        self.older = set(Run.objects.values_list("id", flat=True))  # of another world
        self.set_clock()

    @property
    def wild(self) -> bool:
        """May anything go wrong, rather than the one thing that was asked for?"""
        return not self.calm and self.die_at is None

    # --- seams ----------------------------------------------------------------------------------------

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put the simulated heart, execution, clock, bell and network in the place of the real ones."""
        patch.setattr(worker, "Heart", SimulatedHeart)
        patch.setattr(worker, "Execution", SimulatedExecution)
        patch.setattr(worker, "time", SimulatedTime(self))
        patch.setattr(sweeps, "LEASE_TTL", 0.0)  # as if the database had been up for long
        patch.setattr(dispatch, "ring", self._ring)
        for name in ("ring_system", "nudge_worker"):
            patch.setattr(dispatch, name, lambda *_: None)
        patch.setattr(live, "run_moved", lambda *_: None)
        for name in NETWORKED:
            patch.setattr(protocol, name, self._through_network(getattr(protocol, name)))

    def _through_network(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any, **named: Any) -> Any:
            here = threading.current_thread()
            if isinstance(here, Actor):
                return here.ask(verb, *arguments, **named)
            return verb(*arguments, **named)

        return asked

    def _ring(self, queue: str, count: int) -> int:
        self.rings += [queue] * count
        return count

    def current(self) -> Actor:
        return worker_here()

    def set_clock(self) -> None:
        """Tell this thread's connection what time it is."""
        moment = EPOCH + timedelta(seconds=self.now)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('orchestrator.clock', %s, false)", [moment.isoformat()])

    def fate(self, actor: Actor) -> str:
        """What becomes of the next request."""
        self.requests += 1
        if self.die_at is not None and self.requests == self.die_at[0]:
            return self.tell(self.die_at[1], actor)
        if not self.wild:
            return ""
        fates = ("", "late", "request lost", "answer lost", "died before", "died after")
        (fate,) = self.random.choices(fates, (70, 10, 7, 7, 3, 3))
        return self.tell(fate, actor) if fate else ""

    def tell(self, what: str, actor: Actor | None = None) -> str:
        self.story.append(f"{self.now:.2f} {actor.name if actor else ''}: {what}")
        return what

    # --- what executions ask --------------------------------------------------------------------------

    def begins(self, work: Work) -> None:
        assert work.token not in self.begun, f"attempt {work.token} is carried out a second time"
        self.begun.append(work.token)
        self.tell(f"begins {work.task['key']}", worker_here())

    def outcome(self, work: Work) -> Outcome:
        key = work.task["key"]
        fails = "fails" in key or (self.wild and self.random.random() < 0.15)
        ended = Outcome("failed", "error", "as it should") if fails else Outcome("succeeded")
        self.settled.append((work.token, ended))
        return ended

    # --- the scheduler --------------------------------------------------------------------------------

    def run(self, turns: int) -> None:
        """So many turns with everything that can go wrong, then without, until every run has ended."""
        for _ in range(turns):
            self.turn()
        self.calm, self.die_at = True, None
        until = self.now + PATIENCE
        while Run.objects.filter(finished_at=None).exists():
            assert self.now < until, "a run does not end: " + "\n".join(self.story[-60:])
            self.turn()
        self.close()

    def turn(self) -> None:
        """Some time passes, and one thing happens."""
        self.now += self.random.choice((0.01, 0.05, 0.2, 1.0))
        self.set_clock()
        self._keep_workers()
        for actor in self.actors:
            if self.now >= actor.beat_at and self.now >= actor.frozen_until and not actor.over:
                self._beat(actor)
        if self.now >= self.sweep_at:
            self._sweep()
        if self.wild:
            self._disturb()
        self._deliver()
        ready = [actor for actor in self.actors if actor.may_move]
        if ready:
            self.random.choice(ready).move()
            self.set_clock()

    def _keep_workers(self) -> None:
        self.actors = [actor for actor in self.actors if not actor.over]
        for _ in range(self.workers - len(self.actors)):
            actor = Actor(self, next(self.numbers))
            self.actors.append(actor)
            actor.beat_at = self.now + BEAT
            actor.start()

    def _beat(self, actor: Actor) -> None:
        if self.wild and self.random.random() < 0.1:
            actor.beat_at = self.now + 1.0  # it was not heard
        else:
            actor.beat()

    def _sweep(self) -> None:
        """By one leader, by two at once, or by none for a while."""
        leaders = 1 if not self.wild else self.random.choice((0, 1, 1, 1, 2))
        self.sweep_at = self.now + (2.0 if leaders else 10.0)
        for _ in range(leaders):
            sweeps.sweep_once()

    def _deliver(self) -> None:
        """Some of the rings that are under way: to nobody, to somebody, to two, or later."""
        late, self.rings = self.rings, []
        for ring in late:
            fate = "once" if not self.wild else self.random.choice(("once", "once", "twice", "lost", "late"))
            if fate == "late":
                self.rings.append(ring)
            idle = [actor for actor in self.actors if actor.idle and not actor.rung]
            for _ in range({"once": 1, "twice": 2}.get(fate, 0)):
                if idle:
                    idle.pop(self.random.randrange(len(idle))).rung = True

    def _disturb(self) -> None:
        """Now and then a worker is killed or frozen, a finish comes once more, or a person intervenes."""
        what = self.random.random()
        if what < 0.01 and self.actors:
            actor = self.random.choice(self.actors)
            actor.doomed = True
            self.tell("killed", actor)
        elif what < 0.02 and self.actors:
            actor = self.random.choice(self.actors)
            actor.frozen_until = self.now + self.random.choice((3.0, 12.0, 30.0, 60.0))
            self.tell("frozen", actor)
        elif what < 0.04 and self.settled:
            self._finish_again(*self.random.choice(self.settled))
        elif what < 0.05:
            self._intervene()

    def _finish_again(self, token: str, outcome: Outcome) -> None:
        """A last word that was said already; before it has been heard it counts, afterwards it is fenced."""
        before = Attempt.objects.values().get(uuid=token)
        finished = protocol.finish(token, outcome)
        assert finished.fenced == (before["state"] != "running")
        if finished.fenced:
            assert Attempt.objects.values().get(uuid=token) == before

    def _intervene(self) -> None:
        run = self.random.choice(list(Run.objects.exclude(id__in=self.older).order_by("id")))
        if self.person is None:
            self.person = run.requested_by
        assert self.person is not None
        if run.finished_at is None:
            protocol.cancel_run(run.id, actor=self.person)
            self.tell(f"run {run.number} is cancelled")
        elif run.state in ("failed", "cancelled") and not run.attempts.filter(state="running").exists():
            protocol.resume_run(run.id, actor=self.person)
            self.tell(f"run {run.number} is resumed")

    def close(self) -> None:
        """End every worker."""
        for actor in self.actors:
            actor.doomed, actor.frozen_until = True, 0.0
            if not actor.over:
                actor.move()
            actor.join(10)
        self.set_clock()

    def broken(self) -> dict[str, list[str]]:
        """The invariants that do not hold, with their rows."""
        return {name: [str(row) for row in rows] for name, rows in invariants.check_all().items()}
