"""What a soak has shown: every rule that was broken, and how long recovery and cancelling took."""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from runs import invariants
from runs.worker.processes import attempt_processes
from tests.soak.load import by_id
from tests.soak.quiet import CROWDED, Span, disturbed, meets
from tests.soak.scene import TTL, Late, Scene

RECOVERED: Final = 18.0  # seconds, p99, from the loss of a worker to the next attempt
CANCELLED: Final = 1.0  # seconds, p99, from a cancel until everything of the attempt is dead
TOLD: Final = 10.0  # seconds in which a worker says how an attempt ended, while the database answers
SETTLED: Final = 5.0  # seconds in which what an ended attempt has left must have died
OVERLAP: Final = 0.3  # seconds by which the ledger's beats may lag behind
FENCED: Final = re.compile(r"an attempt had been settled by somebody else")
LEFT: Final = re.compile(r"this worker stops at once")


@dataclass
class Found:
    """The figures of a soak. Times in seconds, sorted."""

    violations: list[str] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    recoveries: list[float] = field(default_factory=list)
    cancels: list[float] = field(default_factory=list)
    given_up: int = 0  # tasks whose third worker was lost too
    others: float = 0.0  # cores that processes other than ours used
    stalls: list[Span] = field(default_factory=list)  # times in which the machine stood still
    not_judged: list[str] = field(default_factory=list)  # what a machine that is not quiet may do by itself
    delayed: int = 0  # recoveries that had to wait for a server, not counted in the times
    fenced: int = 0  # last words of workers that came too late
    left: int = 0  # workers that ended themselves because their lease was lost
    forgotten: int = 0  # attempts that a crash of the database forgot


def look(scene: Scene) -> None:
    """Note the rows that break an invariant now; those that are late are judged at the end."""
    for each in invariants.INVARIANTS:
        asked = time.time()
        rows = scene.rows(f"SELECT * FROM ({each.sql}) broken LIMIT 5")
        for subject, row, detail in rows:
            words = f"invariant {each.number} {each.name}: {subject} {row}: {detail}"
            if each.patience:
                scene.tardy.append(Late(words, asked - each.patience, time.time(), needs_database=True))
            else:
                scene.violations.append(words)


def judge(scene: Scene, logs: str, others: float, stalls: list[Span]) -> Found:
    """All that can be said when all runs have ended.

    ``others``: cores that strangers used meanwhile. ``stalls``: times in which the machine stood still.
    """
    look(scene)
    found = Found(others=others, stalls=stalls, violations=[*scene.violations, *scene.load.problems])
    ((found.given_up,),) = scene.rows("SELECT count(*) FROM task_run WHERE reason = 'poison'")
    found.attempts = dict(scene.rows("SELECT state, count(*) FROM attempt GROUP BY 1"))
    found.runs = dict(scene.rows("SELECT state, count(*) FROM run GROUP BY 1"))
    found.fenced, found.left = len(FENCED.findall(logs)), len(LEFT.findall(logs))
    found.violations += [*wrong_ends(scene), *left_alive(scene)]
    judge_losses(scene, found)
    judge_tardy(scene, found)
    read_ledger(scene, found)
    measure_recoveries(scene, found)
    measure_cancels(scene, found)
    found.violations += slow(found) if found.others < CROWDED else []
    return found


def slow(found: Found) -> list[str]:
    """What took longer than it may."""
    judged = (("recovery", found.recoveries, RECOVERED), ("cancel", found.cancels, CANCELLED))
    return [
        f"{what} took {worst:.1f} s (p99); {most:g} s are allowed"
        for what, times, most in judged
        if (worst := percentile(times, 0.99)) > most
    ]


def percentile(times: list[float], share: float) -> float:
    """The nearest rank; 0 without times."""
    return sorted(times)[math.ceil(share * len(times)) - 1] if times else 0.0


# --- ends -------------------------------------------------------------------------------------------------

ENDS = """
    SELECT r.uuid::text, r.state, p.name,
        coalesce(string_agg(t.key || ' ' || t.state || ' ' || t.reason, ', ' ORDER BY t.id), ''),
        count(*) FILTER (WHERE t.state = 'failed' AND t.reason = 'infrastructure')
    FROM run r JOIN pipeline p ON p.id = r.pipeline_id JOIN task_run t ON t.run_id = r.id
    GROUP BY r.id, p.name
"""

# A process that named no attempt yet may have been given one between the look and the signal. Its worker may
# have had to wait for the database before it could say how that ended.
SHOT = """
    WITH shot (token, worker, at, until) AS (
        VALUES (%s::text, %s::text, to_timestamp(%s::float8), to_timestamp(%s::float8))
    )
    SELECT r.uuid::text FROM shot CROSS JOIN attempt a
    JOIN run r ON r.id = a.run_id JOIN worker_lease l ON l.id = a.lease_id
    WHERE a.uuid::text = shot.token
        OR shot.token IS NULL AND l.worker = shot.worker
            AND a.state = 'failed' AND a.cause LIKE '%%ended by SIGKILL%%'
            AND a.started_at < shot.at + interval '1 second' AND a.finished_at BETWEEN shot.at AND shot.until
    ORDER BY a.id LIMIT 1
"""


def shot_runs(scene: Scene) -> set[str]:
    """Runs with an attempt that was killed from outside: its task may have failed by that."""
    return {
        run
        for shot in scene.shots
        for (run,) in scene.rows(SHOT, shot.token, shot.worker, shot.at, told_by(scene, shot.at))
    }


def told_by(scene: Scene, at: float) -> float:
    """Until when a worker says how an attempt ended that was killed then."""
    away = [ended for began, ended in scene.outages if began < at + TOLD and ended > at]
    return max([at, *away]) + TOLD


def wrong_ends(scene: Scene) -> list[str]:
    """Runs that were accepted and are not there, or have not ended as their pipeline ends."""
    asked, found = by_id(scene.load.runs), []
    killed = shot_runs(scene)
    there = {run: rest for run, *rest in scene.rows(ENDS)}
    found += [f"run {run} was accepted and is not there" for run in asked if run not in there]
    found += [f"run {run} is there twice for one start" for run in there if run not in asked]
    for run, started in asked.items():
        state, name, tasks, spoiled = there.get(run, (started.shape.ends, "", "", 0))
        allowed = {started.shape.ends, *(["cancelled"] if started.cancelled_at else [])}
        if run in killed or " poison" in tasks:
            continue
        if state not in allowed and not spoiled:
            found.append(
                f"run {run} of {name} ended {state}, not {started.shape.ends}: {tasks}; {causes(scene, run)}"
            )
        if spoiled:
            found.append(f"run {run} of {name} has a task that was given up for its surroundings: {tasks}")
    return found


CAUSES = """
    SELECT string_agg(format('%%s attempt %%s of %%s by %%s as process %%s from %%s to %%s: %%s %%s',
        a.uuid, a.no, t.key, l.worker, a.pid, a.started_at::time, a.finished_at::time, a.reason, a.cause),
        '; ' ORDER BY a.id)
    FROM attempt a JOIN task_run t ON t.id = a.task_run_id JOIN run r ON r.id = a.run_id
    JOIN worker_lease l ON l.id = a.lease_id
    WHERE r.uuid = %s AND a.state NOT IN ('succeeded', 'cancelled')
"""


def causes(scene: Scene, run: str) -> str:
    """Why attempts of a run did not succeed."""
    ((found,),) = scene.rows(CAUSES, run)
    return str(found)


LOST = """
    SELECT worker, closed_at, extract(epoch FROM expires_at)::float8, extract(epoch FROM closed_at)::float8
    FROM worker_lease WHERE state = 'lost'
"""


def judge_losses(scene: Scene, found: Found) -> None:
    """Workers that were declared lost although nobody had hurt them."""
    for worker, at, expired, closed in scene.rows(LOST):
        if worker in scene.hurt_workers:
            continue
        late = Late(
            f"worker {worker} was declared lost at {at:%H:%M:%S}, and nobody had touched it",
            expired - TTL,
            closed,
            needs_database=True,
        )
        say(scene, found, late)


def judge_tardy(scene: Scene, found: Found) -> None:
    for late in scene.tardy:
        say(scene, found, late)


def say(scene: Scene, found: Found, late: Late) -> None:
    """A violation, unless something else than the product may have kept it."""
    if late.needs_database and meets(scene.outages, late.began, late.ended):
        why = "the database was away"
    else:
        why = disturbed(found.others, found.stalls, late.began, late.ended)
    if why:
        found.not_judged.append(f"{late.words}: {why}")
    else:
        found.violations.append(late.words)


def left_alive(scene: Scene) -> list[str]:
    """Processes of attempts that have ended, and that do not die."""
    tokens = {token for (token,) in scene.rows("SELECT uuid::text FROM attempt WHERE state <> 'running'")}
    deadline = time.monotonic() + SETTLED
    while left := {pid: token for pid, token in attempt_processes().items() if token in tokens}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return [f"process {pid} of attempt {token}, which has ended, is alive" for pid, token in left.items()]


# --- what tasks themselves say -----------------------------------------------------------------------------


@dataclass
class Lived:
    """One attempt by its own words: monotonic seconds of the first and the last one, and whether it ended."""

    token: str
    first: float
    last: float
    ended: bool = False


def lives(lines: Iterable[str]) -> dict[str, Lived]:
    """What the ledger says, by token."""
    found: dict[str, Lived] = {}
    for line in lines:
        token, word, at = line.split()
        one = found.setdefault(token, Lived(token, float(at), float(at)))
        one.last, one.ended = float(at), one.ended or word == "end"
    return found


def read_ledger(scene: Scene, found: Found) -> None:
    """A success is one by the task's own words; no two attempts of one task lived at a time."""
    lived = lives(scene.ledger.read_text().splitlines())
    known = {token: (task, state) for token, task, state in scene.rows(
        "SELECT uuid::text, task_run_id, state FROM attempt"
    )}  # fmt: skip
    found.forgotten = len(set(lived) - set(known))
    if found.forgotten and not any(word in scene.done for word in CRASHES):
        found.violations.append(f"{found.forgotten} attempts ran that the database has never heard of")
    by_task: dict[int, list[Lived]] = defaultdict(list)
    for token, (task, state) in known.items():
        if token in lived:
            by_task[task].append(lived[token])
        if state == "succeeded" and not (token in lived and lived[token].ended):
            found.violations.append(f"attempt {token} succeeded and never said that it came to its end")
    stood_still = {hurt.busy.token for hurt in scene.hurt if "and runner" in hurt.fault}
    for task, attempts in by_task.items():
        for before, after in overlapping(attempts):
            if stood_still.isdisjoint({before.token, after.token}):
                both = f"{story(scene, before)}; {story(scene, after)}"
                span = before.last - after.first
                found.violations.append(
                    f"two attempts of task {task} lived at the same time, for {span:.2f} s: {both}"
                )


STORY = """
    SELECT a.no, a.state, a.reason, a.cause, l.worker, l.state, a.started_at, a.finished_at, l.closed_at
    FROM attempt a JOIN worker_lease l ON l.id = a.lease_id WHERE a.uuid = %s
"""


def story(scene: Scene, one: Lived) -> str:
    """What is known of an attempt: by the database, by itself, and whether it was to be hurt."""
    ((no, state, reason, cause, worker, lease, began, ended, closed),) = scene.rows(STORY, one.token)
    faults = ", ".join(hurt.fault for hurt in scene.hurt if hurt.busy.token == one.token) or "untouched"
    said = f"it spoke for {one.last - one.first:.2f} s{' to its end' if one.ended else ''}"
    times = " to ".join(f"{at:%H:%M:%S.%f}" if at else "now" for at in (began, ended))
    left = f", closed {closed:%H:%M:%S.%f}" if closed else ""
    return f"no {no} on {worker} ({lease}{left}), {times}, {state} {reason} {cause!r}, {said}, {faults}"


CRASHES = ("PostgreSQL immediate restart", "PostgreSQL backend SIGKILL")


def overlapping(attempts: list[Lived]) -> list[tuple[Lived, Lived]]:
    ordered = sorted(attempts, key=lambda one: one.first)
    return [(before, after) for before, after in pairwise(ordered) if before.last > after.first + OVERLAP]


# --- times ------------------------------------------------------------------------------------------------

NEXT = """
    SELECT extract(epoch FROM n.started_at)::float8 FROM attempt a
    JOIN attempt n ON n.task_run_id = a.task_run_id AND n.no = a.no + 1 WHERE a.uuid = %s AND a.state = 'lost'
"""


def measure_recoveries(scene: Scene, found: Found) -> None:
    """From a worker's loss to the next attempt of what it did; those that met a server's trouble apart."""
    for hurt in scene.hurt:
        if hurt.fault.startswith("worker frozen"):
            continue
        for (at,) in scene.rows(NEXT, hurt.busy.token):
            if meets([*scene.troubles, *scene.away, *found.stalls], hurt.at, at):
                found.delayed += 1
            else:
                found.recoveries.append(at - hurt.at)


CANCELS = """
    SELECT extract(epoch FROM a.cancel_requested_at)::float8, extract(epoch FROM a.finished_at)::float8
    FROM attempt a WHERE a.cancel_requested_at IS NOT NULL AND a.state = 'cancelled'
"""


def measure_cancels(scene: Scene, found: Found) -> None:
    """From a person's word to the death of all that the attempt had started.

    A worker that cannot hear, as Redis is away or it stands still, hears with its next beat.
    """
    rows: list[tuple[Any, ...]] = scene.rows(CANCELS)
    for asked, ended in rows:
        if not meets([*scene.troubles, *scene.away, *scene.deaf, *found.stalls], asked, ended):
            found.cancels.append(ended - asked)
