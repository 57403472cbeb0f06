"""The real engine beside the prediction: the same deeds done to both, and what both say compared."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from runs import invariants, protocol, quarantine, sweeps
from runs.models import Quarantine, Run, TaskRun
from runs.transitions import call
from tests.runs.factories import make_lease, make_run, make_user
from tests.runs.model import predicted
from tests.runs.model.predicted import FOREVER, OVERDUE, World

ARROWS = {"success": ">", "failure": ">?", "always": ">*"}
PARAMETERS = {"yes": True, "no": False, "odd": "maybe"}
# Here workers idle while tasks wait for them: that a product with workers would move is looked at elsewhere.
HELD_TO = tuple(each for each in invariants.INVARIANTS if each.name != "runs-move")

RUNS = "SELECT id, state, resume_no, open_tasks FROM run WHERE id = ANY(%s)"
TASKS = """
    SELECT run_id, key, state, reason, retries_used, lost, attempts_made,
        extract(epoch FROM next_attempt_at)::float8
    FROM task_run WHERE run_id = ANY(%s)
"""


@dataclass
class Beside:
    """The engine and the world it should be, step by step alike."""

    world: World = field(default_factory=World)
    began: float = field(default_factory=lambda: float(int(time.time())))
    runs: list[int] = field(default_factory=list)
    leases: list[Any] = field(default_factory=list)
    works: list[protocol.Work] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.set_clock()
        self.person = make_user()

    # --- deeds ---

    def start(self, tasks: dict[str, predicted.Task]) -> None:
        run = predicted.Run(tasks)
        self.world.runs.append(run)
        self.runs.append(_start(tasks).pk)
        run.settle(self.world.now)

    def open_lease(self) -> None:
        self.world.leases.append(predicted.Lease(self.world.now + predicted.TTL))
        self.leases.append(make_lease())

    def claim(self, worker: int) -> None:
        lease, runnable = self.world.leases[worker], self.world.runnable()
        try:
            work = protocol.claim(self.leases[worker].uuid, "cpu")
        except protocol.LeaseLost:
            assert not self.world.lives(lease), "a good lease was refused"
            return
        assert self.world.lives(lease), "a lease that has lapsed was served"
        if self.world.may_claim(lease):
            self._given(work, lease, runnable)
        else:
            assert work is None, "a worker that drains was given something"

    def _given(self, work: protocol.Work | None, lease: predicted.Lease, runnable: list[Any]) -> None:
        if work is None:
            assert not runnable, "something is runnable, and nothing was given"
            return
        run = self.world.runs[self.runs.index(work.run["id"])]
        task = run.tasks[work.task["key"]]
        assert any(each is task for _, each in runnable), f"{task.key} may not run now"
        self.world.give(run, task, lease)
        self.works.append(work)

    def finish(self, index: int, state: str, reason: str, *, claim_next: bool) -> None:
        attempt, work, outcome = (
            self.world.attempts[index],
            self.works[index],
            protocol.Outcome(state, reason),
        )
        worker = next(n for n, lease in enumerate(self.world.leases) if lease is attempt.lease)
        finished = protocol.finish(
            work.token,
            outcome,
            work=work,
            lease=self.leases[worker].uuid,
            queue="cpu",
            claim_next=claim_next,
        )
        assert finished.fenced is not self.world.finish(attempt, state, reason)
        if claim_next and not finished.fenced and self.world.may_claim(attempt.lease):
            self._given(finished.next, attempt.lease, self.world.runnable())
        else:
            assert finished.next is None

    def lose(self, index: int, reason: str) -> None:
        finished = protocol.lose(self.works[index].token, reason)
        assert finished.fenced is not self.world.finish(self.world.attempts[index], "lost", reason)

    def beat(self, worker: int) -> None:
        said = call("engine_beat", self.leases[worker].uuid, predicted.TTL)
        running = self.world.beat(self.world.leases[worker])
        if said is None or running is None:
            assert said is running, "a lease lives or is gone"
            return
        expected = {self._token(each): (each.cancel, each.timeout_at <= self.world.now) for each in running}
        assert {each["attempt"]: (each["cancel"], each["timeout"]) for each in said} == expected

    def _token(self, attempt: predicted.Attempt) -> str:
        return next(
            work.token for each, work in zip(self.world.attempts, self.works, strict=True) if each is attempt
        )

    def move_lease(self, worker: int, to_state: str) -> None:
        lease = self.world.leases[worker]
        before = ("live", "draining") if to_state == "closed" else ("live",)
        moved = protocol.move_lease(self.leases[worker].uuid, before, to_state)
        assert moved is (lease.state in before)
        lease.state = to_state if moved else lease.state

    def sweep(self) -> None:
        sweeps.expire_leases()
        sweeps.settle_orphans()
        sweeps.end_overdue()
        sweeps.expire_approvals()
        self.world.sweep()

    def cancel(self, number: int) -> None:
        done = protocol.cancel_run(self.runs[number], actor=self.person)
        assert done is self.world.cancel(self.world.runs[number])

    def resume(self, number: int) -> None:
        try:
            protocol.resume_run(self.runs[number], actor=self.person)
            resumed = True
        except protocol.Refused:
            resumed = False
        assert resumed is self.world.runs[number].resume(self.world.now)

    def lift(self, number: int) -> None:
        """Lift the quarantine of whatever of a run is in it."""
        rows = list(Quarantine.objects.filter(version__runs=self.runs[number], lifted_at=None))
        assert {row.task_key for row in rows} == self.world.runs[number].quarantined
        assert all(quarantine.lift(row, "", actor=self.person) for row in rows)
        self.world.runs[number].quarantined.clear()

    def retry_now(self, number: int, key: str) -> None:
        task = self.world.runs[number].tasks[key]
        done = protocol.retry_now(self._task_run(number, key), actor=self.person)
        assert done is (task.state == "retry_wait")
        if done:
            task.due = self.world.now

    def decide(self, number: int, key: str, decision: str) -> None:
        task = self.world.runs[number].tasks[key]
        said = ""
        try:
            protocol.decide(
                self._task_run(number, key), decision, actor=self.person, role="approver", comment=""
            )
        except protocol.Refused as refused:
            said = refused.code
        assert said == self.world.runs[number].decide(task, decision, self.world.now)

    def _task_run(self, number: int, key: str) -> int:
        return int(TaskRun.objects.get(run=self.runs[number], key=key).pk)

    def pause(self, table: str, number: int, seconds: float) -> None:
        """Of a run, its pipeline, or all queues; 0 seconds end the pause."""
        until = self.world.now + seconds if seconds else None
        run = self.world.runs[number]
        {"run": run.pause, "pipeline": run.pipeline_pause, "queue": self.world.queue_pause}[
            table
        ].until = until
        which = {
            "run": "id = %s",
            "pipeline": "id = (SELECT pipeline_id FROM run WHERE id = %s)",
            "queue": "%s > 0",
        }[table]
        ends = "NULL" if until in (None, FOREVER) else "to_timestamp(%s)"
        given = [] if ends == "NULL" else [self.began + (until or 0)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET paused_at = CASE WHEN %s THEN engine_now() END, paused_until = {ends}"
                f" WHERE {which}",
                [until is not None, *given, self.runs[number]],
            )

    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds
        self.set_clock()

    def set_clock(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('orchestrator.clock', to_timestamp(%s)::text, false)",
                [self.began + self.world.now],
            )

    # --- comparison ---

    def compare(self) -> None:
        """Engine and prediction say the same of every run and task, and all invariants hold."""
        assert self._engine_says() == self._prediction_says()
        broken = {each.name: rows for each in HELD_TO if (rows := invariants.check(each))}
        assert broken == {}

    def _engine_says(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        with connection.cursor() as cursor:
            cursor.execute(RUNS, [self.runs])
            for run, *columns in cursor.fetchall():
                said[f"run {self.runs.index(run)}"] = tuple(columns)
            cursor.execute(TASKS, [self.runs])
            for run, key, *columns, due in cursor.fetchall():
                due = None if due is None else round(due - self.began, 3)
                said[f"{self.runs.index(run)}:{key}"] = (*columns, due)
        return said

    def _prediction_says(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for number, run in enumerate(self.world.runs):
            still_open = sum(not task.ended for task in run.tasks.values())
            said[f"run {number}"] = (run.state, run.resume_no, still_open)
            for key, task in run.tasks.items():
                counts = (task.retries_used, task.lost, task.attempts)
                said[f"{number}:{key}"] = (task.state, task.reason, *counts, task.due)
        return said

    # --- the end ---

    def wind_up(self) -> None:
        """Pauses end and everybody does their part: every run comes to its end."""
        for number in range(len(self.runs)):
            for table in ("run", "pipeline", "queue"):
                self.pause(table, number, 0)
        for _ in range(60):
            if all(run.state in ("succeeded", "failed", "cancelled") for run in self.world.runs):
                return
            self._go_on()
        raise AssertionError("a run does not come to its end")

    def _go_on(self) -> None:
        self.time_passes(OVERDUE)
        self.open_lease()
        for worker, lease in enumerate(self.world.leases):
            if lease is not self.world.leases[-1]:
                self.move_lease(worker, "closed")
        self.sweep()
        while self.world.runnable():
            self.claim(len(self.leases) - 1)
            self.finish(len(self.works) - 1, "succeeded", "", claim_next=False)
        for number, run in enumerate(self.world.runs):
            for key, task in run.tasks.items():
                if task.state == "awaiting_approval":
                    self.decide(number, key, "approved")


def _start(tasks: dict[str, predicted.Task]) -> Run:
    edges = [f"{up} {ARROWS[rule]} {task.key}" for task in tasks.values() for up, rule in task.ups]
    entries = {task.key: _entry(task) for task in tasks.values()}
    return make_run(", ".join([*tasks, *edges]), parameters=PARAMETERS, tasks=entries)


def _entry(task: predicted.Task) -> dict[str, Any]:
    """What a document would say of the task."""
    entry: dict[str, Any] = {"kind": task.kind, "timeout": task.timeout}
    if task.when:
        name = f"params.{task.when}"
        entry["when"] = {"text": name, "refs": {name: {"ref": name}}}
    if task.kind == "python":
        entry["retries"] = {"limit": task.limit, "base": task.base, "jitter": "none"}
    if task.kind == "approval":
        entry["config"] = {"by": ["approver"], "deadline": task.deadline}
    return entry
