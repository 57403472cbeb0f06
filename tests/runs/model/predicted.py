"""What must become of runs, by the rules alone: no database, no counters, always judged from the whole graph.

Where the engine counts what is left and follows edges, this looks at all tasks again and again until nothing
changes; that both come to the same is the point. Times are seconds on a clock of the test's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

TTL = 15.0  # seconds a lease lives without a beat
OVERDUE = 30.0  # seconds past its time-out after which the sweep ends an attempt
ENDED = frozenset({"succeeded", "failed", "upstream_failed", "skipped", "cancelled"})
BAD = frozenset({"failed", "upstream_failed"})
RETRIED = frozenset({"error", "exit", "timeout", "transient"})
FOREVER = float("inf")


@dataclass
class Task:
    """One task: what its document says, then how far it is."""

    key: str
    kind: str = "python"  # or group, approval
    ups: list[tuple[str, str]] = field(default_factory=list)  # (key, rule)
    when: str = ""  # "" without a condition; one that is true (yes), false (no) or an error (odd)
    limit: int = 0  # retries
    base: float = 1.0  # seconds before the first; each further one waits twice as long
    timeout: float = 3600.0
    deadline: float | None = None

    state: str = "pending"
    reason: str = ""
    retries_used: int = 0
    lost: int = 0
    attempts: int = 0
    due: float | None = None
    deadline_at: float = FOREVER

    @property
    def parent(self) -> str | None:
        return self.key.rpartition("/")[0] or None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass
class Lease:
    expires: float
    state: str = "live"


@dataclass
class Attempt:
    task: Task
    run: Run
    lease: Lease
    timeout_at: float
    running: bool = True
    cancel: bool = False


@dataclass
class Pause:
    """Of a run, a pipeline or a queue. ``until`` None: it is not paused."""

    until: float | None = None

    def holds(self, now: float) -> bool:
        return self.until is not None and self.until > now


@dataclass
class Run:
    tasks: dict[str, Task]
    state: str = "running"
    resume_no: int = 0
    pause: Pause = field(default_factory=Pause)
    pipeline_pause: Pause = field(default_factory=Pause)
    # Tasks that took three workers with them; each run has a version of its own.
    quarantined: set[str] = field(default_factory=set)

    # --- what follows ---

    def settle(self, now: float) -> None:
        """Judge and end whatever can be, until nothing moves any more; close the run when nothing is open."""
        while any(self._judge(task, now) or self._end_scope(task) for task in self.tasks.values()):
            pass
        if self.state in ("running", "cancelling") and all(task.ended for task in self.tasks.values()):
            self.state = self._end()

    def _end(self) -> str:
        if self.state == "cancelling":
            return "cancelled"
        failed = any(task.state in BAD for task in self.tasks.values() if task.parent is None)
        return "failed" if failed else "succeeded"

    def _judge(self, task: Task, now: float) -> bool:
        """True when the task was pending and its time had come."""
        if task.state != "pending" or not all(self.tasks[up].ended for up, _ in task.ups):
            return False
        if task.parent is not None and self.tasks[task.parent].state != "waiting":
            return False
        if not all(_satisfied(rule, self.tasks[up].state) for up, rule in task.ups):
            hard = any(rule == "success" and self.tasks[up].state in BAD for up, rule in task.ups)
            self._never_begins(task, "upstream_failed" if hard else "skipped", "upstream")
        elif task.when == "no":
            self._never_begins(task, "skipped", "condition_false")
        elif task.when == "odd":
            self._never_begins(task, "failed", "condition_error")
        else:
            self._begin(task, now)
        return True

    def _begin(self, task: Task, now: float) -> None:
        task.state = {"approval": "awaiting_approval", "group": "waiting"}.get(task.kind, "ready")
        task.reason = ""
        if task.kind == "approval":
            task.deadline_at = FOREVER if task.deadline is None else now + task.deadline

    def _never_begins(self, task: Task, state: str, reason: str) -> None:
        for each in (task, *self._inside(task)):
            each.state, each.reason = state, reason

    def _end_scope(self, task: Task) -> bool:
        inside = [each for each in self.tasks.values() if each.parent == task.key]
        if task.state != "waiting" or not all(each.ended for each in inside):
            return False
        bad = any(each.state in BAD for each in inside)
        task.state, task.reason = ("failed", "upstream") if bad else ("succeeded", "")
        return True

    def _inside(self, task: Task) -> Iterator[Task]:
        return (each for each in self.tasks.values() if each.key.startswith(f"{task.key}/"))

    # --- people ---

    def cancel(self, now: float) -> bool:
        if self.state != "running":
            return False
        self.state = "cancelling"
        for task in self.tasks.values():
            if not task.ended and task.state != "running":
                task.state, task.reason, task.due = "cancelled", "by_person", None
        self.settle(now)
        return True

    def resume(self, now: float) -> bool:
        if self.state not in ("failed", "cancelled") or self.quarantined:
            return False
        self.state, self.resume_no = "running", self.resume_no + 1
        for task in self._again():
            task.state, task.reason, task.due = "pending", "", None
            task.retries_used = task.lost = 0
        self.settle(now)
        return True

    def _again(self) -> list[Task]:
        again = {key for key, task in self.tasks.items() if task.state in BAD | {"cancelled"}}
        while more := {key for key in self.tasks.keys() - again if self._follows(self.tasks[key], again)}:
            again |= more
        return [self.tasks[key] for key in again]

    def _follows(self, task: Task, again: set[str]) -> bool:
        """Does a task run again because these do?"""
        if task.state != "skipped":
            return False
        scope = task.parent in again and self.tasks[task.parent or ""].state == "skipped"
        return scope or any(up in again for up, _ in task.ups)

    def decide(self, task: Task, decision: str, now: float) -> str:
        """ "" when the decision counts, else the code of the refusal."""
        if task.state == "awaiting_approval" and task.deadline_at <= now:
            return "deadline-passed"
        if task.state != "awaiting_approval":
            return "not-waiting"
        approved = decision == "approved"
        task.state, task.reason = ("succeeded", "") if approved else ("failed", "by_person")
        self.settle(now)
        return ""


def _satisfied(rule: str, state: str) -> bool:
    return {"success": state == "succeeded", "failure": state in BAD, "always": True}[rule]


@dataclass
class World:
    """All runs, workers and attempts, and the clock."""

    now: float = 0.0
    runs: list[Run] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    queue_pause: Pause = field(default_factory=Pause)

    # --- work ---

    def lives(self, lease: Lease) -> bool:
        return lease.state in ("live", "draining") and lease.expires > self.now

    def may_claim(self, lease: Lease) -> bool:
        return lease.state == "live" and lease.expires > self.now

    def runnable(self) -> list[tuple[Run, Task]]:
        """What a worker may be given now."""
        if self.queue_pause.holds(self.now):
            return []
        going = [run for run in self.runs if run.state == "running" and not self._paused(run)]
        return [(run, task) for run in going for task in run.tasks.values() if self._due(task)]

    def _paused(self, run: Run) -> bool:
        return run.pause.holds(self.now) or run.pipeline_pause.holds(self.now)

    def _due(self, task: Task) -> bool:
        return task.state == "ready" or (task.state == "retry_wait" and (task.due or 0) <= self.now)

    def give(self, run: Run, task: Task, lease: Lease) -> Attempt:
        task.state, task.reason, task.due = "running", "", None
        task.attempts += 1
        attempt = Attempt(task, run, lease, self.now + task.timeout)
        self.attempts.append(attempt)
        return attempt

    def finish(self, attempt: Attempt, state: str, reason: str) -> bool:
        """False when the attempt was not running any more: nothing changes then."""
        if not attempt.running:
            return False
        attempt.running = False
        task, run = attempt.task, attempt.run
        free = (state == "lost" and reason != "drained") or reason == "infrastructure"
        task.reason = reason
        if state in ("succeeded", "cancelled"):
            task.state = state
        elif run.state == "cancelling":
            task.state = "cancelled"
        else:
            self._fails(run, task, state, reason, free)
        task.lost += free
        run.settle(self.now)
        return True

    def _fails(self, run: Run, task: Task, state: str, reason: str, free: bool) -> None:
        if free and task.lost == 2:
            task.state = "failed"
            if reason != "infrastructure":
                task.reason = "poison"
                run.quarantined.add(task.key)
        elif state == "lost":
            task.state, task.due = "retry_wait", self.now
        elif reason == "infrastructure":
            task.state, task.due = "retry_wait", self.now + task.base * 2**task.lost
        elif reason in RETRIED and task.retries_used < task.limit:
            task.state, task.due = "retry_wait", self.now + task.base * 2**task.retries_used
            task.retries_used += 1
        else:
            task.state = "failed"

    # --- time ---

    def beat(self, lease: Lease) -> list[Attempt] | None:
        """The attempts of a lease that is renewed; None when it is gone."""
        if lease.state not in ("live", "draining"):
            return None
        lease.expires = self.now + TTL
        return [attempt for attempt in self.attempts if attempt.lease is lease and attempt.running]

    def sweep(self) -> None:
        for lease in self.leases:
            if lease.state in ("live", "draining") and lease.expires < self.now:
                lease.state = "lost"
        for attempt in self.attempts:
            if attempt.lease.state in ("lost", "closed"):
                self.finish(attempt, "lost", "lease")
        for attempt in self.attempts:
            if attempt.timeout_at < self.now - OVERDUE:
                self.finish(attempt, "failed", "timeout")
        for run in self.runs:
            self._end_approvals(run)

    def _end_approvals(self, run: Run) -> None:
        for task in run.tasks.values():
            if task.state == "awaiting_approval" and task.deadline_at <= self.now:
                task.state, task.reason = "failed", "deadline"
        run.settle(self.now)

    def cancel(self, run: Run) -> bool:
        if not run.cancel(self.now):
            return False
        for attempt in self.attempts:
            attempt.cancel = attempt.cancel or (attempt.run is run and attempt.running)
        return True
