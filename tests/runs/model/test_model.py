"""Whatever is done to the engine in whatever order: it does what the rules predict, all invariants hold."""

from __future__ import annotations

import math
import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from runs import sweeps
from tests.runs.model.engine import Beside
from tests.runs.model.graphs import graphs
from tests.runs.model.predicted import FOREVER, Task

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("seasoned"),
    # A library below raises it while a condition is evaluated.
    pytest.mark.filterwarnings("ignore:The recursion limit"),
]

MOST_RUNS, MOST_WORKERS = 3, 4
SWEEP_EVERY = 2.0  # seconds
NUMBERS = st.integers(0, 1_000)
FAILURES = ("error", "exit", "timeout", "oom", "transient", "validation", "infrastructure")


class Model(RuleBasedStateMachine):
    """The deeds of workers, people, the sweep and the clock, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.beside = Beside()
        self.world = self.beside.world
        self.swept = 0.0

    @initialize(tasks=graphs())
    def first(self, tasks: dict[str, Task]) -> None:
        self.beside.open_lease()
        self.beside.start(tasks)

    def teardown(self) -> None:
        try:
            if self.beside.runs:
                self.beside.wind_up()
                self.beside.compare()
        finally:
            transaction.savepoint_rollback(self.savepoint)

    @invariant()
    def engine_and_prediction_agree(self) -> None:
        self.beside.compare()

    # --- people ---

    @precondition(lambda self: len(self.beside.runs) < MOST_RUNS)
    @rule(tasks=graphs())
    def start(self, tasks: dict[str, Task]) -> None:
        self.beside.start(tasks)

    @rule(run=NUMBERS)
    def cancel(self, run: int) -> None:
        self.beside.cancel(self._run(run))

    @rule(run=NUMBERS)
    def resume(self, run: int) -> None:
        self.beside.resume(self._run(run))

    @precondition(lambda self: any(run.quarantined for run in self.world.runs))
    @rule()
    def lift(self) -> None:
        self.beside.lift(next(n for n, run in enumerate(self.world.runs) if run.quarantined))

    @rule(run=NUMBERS, task=NUMBERS)
    def retry_now(self, run: int, task: int) -> None:
        number = self._run(run)
        self.beside.retry_now(number, self._key(number, task, "retry_wait"))

    @rule(run=NUMBERS, task=NUMBERS, decision=st.sampled_from(["approved", "rejected"]))
    def decide(self, run: int, task: int, decision: str) -> None:
        number = self._run(run)
        self.beside.decide(number, self._key(number, task, "awaiting_approval"), decision)

    @rule(
        table=st.sampled_from(["run", "pipeline", "queue"]),
        run=NUMBERS,
        seconds=st.sampled_from([0.0, 0.0, 5.0, FOREVER]),
    )
    def pause(self, table: str, run: int, seconds: float) -> None:
        self.beside.pause(table, self._run(run), seconds)

    # --- workers ---

    @precondition(lambda self: len(self.beside.leases) < MOST_WORKERS)
    @rule()
    def worker_comes(self) -> None:
        self.beside.open_lease()

    @rule(worker=NUMBERS)
    def claim(self, worker: int) -> None:
        self.beside.claim(self._worker(worker))

    @precondition(lambda self: self.beside.works)
    @rule(attempt=NUMBERS, claim_next=st.booleans())
    def succeed(self, attempt: int, claim_next: bool) -> None:
        self.beside.finish(self._attempt(attempt), "succeeded", "", claim_next=claim_next)

    @precondition(lambda self: self.beside.works)
    @rule(attempt=NUMBERS, reason=st.sampled_from(FAILURES), claim_next=st.booleans())
    def fail(self, attempt: int, reason: str, claim_next: bool) -> None:
        self.beside.finish(self._attempt(attempt), "failed", reason, claim_next=claim_next)

    @precondition(lambda self: any(each.cancel and each.running for each in self.world.attempts))
    @rule()
    def stop_as_asked(self) -> None:
        asked = next(n for n, each in enumerate(self.world.attempts) if each.cancel and each.running)
        self.beside.finish(asked, "cancelled", "by_person", claim_next=False)

    @precondition(lambda self: self.beside.works)
    @rule(attempt=NUMBERS, reason=st.sampled_from(["lease", "drained"]))
    def lose(self, attempt: int, reason: str) -> None:
        self.beside.lose(self._attempt(attempt), reason)

    @rule(worker=NUMBERS)
    def beat(self, worker: int) -> None:
        self.beside.beat(self._worker(worker))

    @rule(worker=NUMBERS, to_state=st.sampled_from(["draining", "closed", "lost"]))
    def worker_goes(self, worker: int, to_state: str) -> None:
        self.beside.move_lease(self._worker(worker), to_state)

    # --- the sweep and the clock ---

    @rule()
    def sweep(self) -> None:
        self.beside.sweep()
        self.swept = self.world.now

    @rule(seconds=st.sampled_from([0.5, 2.0, 6.0, 20.0, 120.0]), beating=st.booleans())
    def time_passes(self, seconds: float, beating: bool) -> None:
        self.beside.time_passes(seconds)
        for worker in range(len(self.beside.leases)):
            if beating:
                self.beside.beat(worker)
        if self.world.now - self.swept >= SWEEP_EVERY:
            self.sweep()

    # --- choice ---

    def _run(self, number: int) -> int:
        return number % len(self.beside.runs)

    def _worker(self, number: int) -> int:
        return number % len(self.beside.leases)

    def _attempt(self, number: int) -> int:
        """Mostly one that runs, now and then one that has ended: a zombie."""
        running = [n for n, each in enumerate(self.world.attempts) if each.running]
        if running and number % 5:
            return running[number % len(running)]
        return number % len(self.world.attempts)

    def _key(self, run: int, number: int, state: str) -> str:
        """Mostly a task of this state."""
        tasks = self.world.runs[run].tasks
        fitting = [key for key, task in tasks.items() if task.state == state]
        keys = fitting if fitting and number % 5 else list(tasks)
        return keys[number % len(keys)]


@pytest.fixture
def seasoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has been up for longer than any lease lives, and answers at once."""
    monkeypatch.setattr(sweeps, "LEASE_TTL", 0.0)
    monkeypatch.setattr(sweeps, "STALL", math.inf)


def explore(examples: int, steps: int, *, random: bool = False) -> None:
    """Try so many stories, the same each time unless ``random``.

    ORCHESTRATOR_MODEL_EXAMPLES asks for more of them; then one that fails is shrunk, which takes minutes.
    """
    asked = os.environ.get("ORCHESTRATOR_MODEL_EXAMPLES")
    chosen = settings(
        max_examples=int(asked or examples),
        stateful_step_count=steps,
        phases=[Phase.generate, *([Phase.shrink] if asked else [])],
        derandomize=not random,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_machine(Model, settings=chosen)


@pytest.mark.slow
def test_the_engine_does_what_the_rules_predict() -> None:
    explore(examples=15, steps=40)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_engine_does_what_the_rules_predict_in_many_stories() -> None:
    explore(examples=40, steps=60, random=True)


def test_what_took_three_workers_with_it_is_resumed_only_once_its_quarantine_is_lifted() -> None:
    beside = Beside()
    beside.open_lease()
    beside.start({"t0": Task("t0")})
    for attempt in range(3):
        beside.claim(0)
        beside.lose(attempt, "lease")
    beside.compare()
    beside.resume(0)  # the engine refuses it just as the rules do
    assert beside.world.runs[0].state == "failed"
    beside.lift(0)
    beside.resume(0)
    assert beside.world.runs[0].state == "running"
    beside.compare()
