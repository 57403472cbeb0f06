"""A worker: listens to the bell of one queue, claims tasks and carries them out, one attempt at a time."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import DataError, Error, InterfaceError, OperationalError, connection
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from pipelines.errors import Refusal
from runs import chores, dispatch, protocol
from runs.jobs import AllowedJob
from runs.protocol import LeaseLost, Outcome, Work
from runs.worker import processes, zygotes
from runs.worker.abilities import Abilities
from runs.worker.container import ImageWatch
from runs.worker.devices import Choice, Devices
from runs.worker.execution import Execution, keep_facts
from runs.worker.fitness import Fitness
from runs.worker.folders import Janitor
from runs.worker.heart import OUTAGE_PATIENCE, Heart
from runs.worker.leftovers import clear_the_ground, identity
from runs.worker.requests import Requests

log = structlog.get_logger()

SERVE_FOR = 30.0  # seconds after which a worker answers the bell anew
RQ_HEARTBEAT = 30.0
STILL_OURS = 10.0  # seconds after the question of an answered beat in which no lease can have lapsed
BELL_TTL = 75  # seconds; a wait for the bell that hangs in the network ends 5 s earlier
REFUSED = "its result could not be stored"
UNHEARD = "the answer that gave it to this worker never came, so it was handed back before it began"

_current: Station | None = None


def current() -> Station:
    """The station of this process. Raises RuntimeError outside a worker."""
    if _current is None:
        raise RuntimeError("this process is not a worker")
    return _current


class Station:
    """What one worker process holds: its lease, its heart, its zygotes and the attempt it carries out."""

    def __init__(self, queue: str, gpus: str = "auto") -> None:
        self.queue = queue
        self.name = f"{queue}@{socket.gethostname()}:{os.getpid()}"
        self.requests = Requests()
        self.fitness = Fitness(self.requests.store, ImageWatch(queue).trouble)
        self.zygotes = zygotes.ZygotePool()
        self.janitor = Janitor()
        self.devices = Devices(Choice.read(gpus))
        self.execution: Execution | None = None
        self.draining_since: float | None = None
        # Drained by a person: it leaves when what is at hand has ended, however long that takes.
        self.leaving = False
        # True after an answer of the database was lost: an attempt may be ours without our knowing.
        self.unsure = False
        # The attempt that is ours until its finish has been answered.
        self.held: str | None = None
        # True while a claim or finish is asked of the database.
        self.talking = False
        self._odd: set[str] = set()
        self.drain_timeout = float(settings.ORCHESTRATOR["DRAIN_TIMEOUT"])
        self.abilities = Abilities()
        labels = {**identity(), **self.abilities.labels}
        self.lease: UUID = protocol.open_lease(self.name, queue, os.getpid(), labels).uuid
        self.devices.offer(self.lease)
        self.heart = Heart(self.lease, on_answer=self._compare, on_lost=self._lost, on_beat=self.zygotes.ping)
        self.heart.start()

    # Called by the heart, in its thread.

    def _compare(self, running: list[dict[str, Any]]) -> None:
        """What the database says we run, against what we do run; a difference counts when it is seen twice.

        An answer of the database may have been lost, or, in a crash, what it had answered.
        """
        self.fitness.tell(self.lease)
        self.abilities.tell(self.lease)
        self.devices.offer(self.lease)
        if any("drain" in said for said in running):
            self._leave()
            running = [said for said in running if "drain" not in said]
        if self.talking:
            # An answer is under way: which attempt is ours is being settled at this moment.
            self._odd = set()
            return
        held, execution = self.held, self.execution
        named = {str(attempt["attempt"]) for attempt in running}
        for attempt in running:
            stop = "cancel" if attempt["cancel"] else "timeout" if attempt["timeout"] else ""
            if stop and execution and attempt["attempt"] == execution.work.token:
                execution.ask_to_stop(stop)
        odd = (named - {held}) | ({held} - named if held else set())
        for token in odd & self._odd:
            log.warning("the database and this worker disagree", worker=self.name, attempt=token)
            if token != held:
                protocol.lose(token, "drained", UNHEARD)
            elif execution and execution.work.token == token:
                execution.ask_to_stop("cancel")
        self._odd = odd

    def _leave(self) -> None:
        """Take nothing any more, and have the thread that waits for the bell hear of it."""
        if not self.leaving:
            log.info("this worker was drained and leaves", worker=self.name)
            self.leaving = True
            os.kill(os.getpid(), signal.SIGUSR1)

    def _lost(self, sentence: str) -> None:
        """Nothing that this worker runs may go on: its tasks are somebody else's now."""
        log.error("this worker stops at once", worker=self.name, because=sentence)
        try:
            self.zygotes.close()
        finally:
            os._exit(1)

    # Called by the bell.

    def serve(self, queue: str) -> None:
        """Claim and carry out until nothing is runnable or 30 s have passed; then ring for what is left."""
        if queue != self.queue:
            return
        until = time.monotonic() + SERVE_FOR
        try:
            work = self._claim()
            while work is not None:
                work = self._carry_out(work, until)
            self.janitor.look()
        except LeaseLost:
            self._lost("the lease has lapsed or was closed")
        except Exception:
            # Whatever this is, the attempt may be half settled: leave it to those who find lost ones.
            log.exception("a worker met the unexpected", worker=self.name)
            self._lost("it cannot know what state it is in")
        if time.monotonic() >= until and not self.ends:
            dispatch.ring(queue, 2)

    def _claim(self) -> Work | None:
        """The next work; while the database cannot be asked, again and again."""
        while self._may_claim():
            self.talking = True
            try:
                if self.unsure:
                    self._disown()
                work = protocol.claim(self.lease, self.queue)
                self.held = work.token if work else None
                return work
            except LeaseLost:
                # After an outage the claim may come before the beat that would have renewed the lease.
                if self.heart.ask() is None:
                    raise
            except (OperationalError, InterfaceError) as error:
                self._no_answer(error)
            finally:
                self.talking = False
        return None

    def check_lease(self) -> None:
        """Raise LeaseLost when this worker may begin nothing: what it was given is somebody else's by now.

        The database is asked only when no beat was answered lately, as after this process has stood still.
        """
        while time.monotonic() - self.heart.last_answer >= STILL_OURS:
            if self.heart.ask() is None:
                raise LeaseLost

    @property
    def ends(self) -> bool:
        """Is this worker to end after what it has at hand?"""
        return self.leaving or self.draining_since is not None

    def _may_claim(self) -> bool:
        return not self.ends and not self.fitness.trouble()

    def _no_answer(self, error: Exception) -> None:
        """What the last statement did is unknown: it may have been committed without our hearing of it."""
        log.warning("the database does not answer", worker=self.name, error=str(error).strip())
        connection.close()
        self.unsure = True
        time.sleep(0.5)

    def _disown(self) -> None:
        """Hand back attempts that were given to this lease in an answer that never came."""
        for token in protocol.held_by(self.lease):
            protocol.lose(token, "drained", UNHEARD)
        self.unsure = False

    def _carry_out(self, work: Work, until: float) -> Work | None:
        self.held = work.token
        self.execution = Execution(self, work)
        try:
            outcome = self.execution.run()
        finally:
            self.execution = None
            self.requests.store.release()
        if outcome.reason == "infrastructure":
            self.fitness.doubt()
        go_on = time.monotonic() < until and self._may_claim()
        following = self._finish(work, outcome, go_on).next
        # Without a next task the finish may only have met runs that others were busy with: ask once more.
        return self._claim() if following is None and go_on else following

    def _finish(self, work: Work, outcome: Outcome, claim_next: bool) -> protocol.Finished:
        """Settle the attempt; while the database cannot be asked, again and again with the same token."""
        until = time.monotonic() + OUTAGE_PATIENCE
        self.talking = True
        try:
            finished = self._settle(work, outcome, claim_next, until)
            self.held = finished.next.token if finished.next else None
            return finished
        finally:
            self.talking = False

    def _settle(self, work: Work, outcome: Outcome, claim_next: bool, until: float) -> protocol.Finished:
        while True:
            try:
                if outcome.facts:
                    keep_facts(outcome.facts)
                finished = protocol.finish(
                    work.token,
                    outcome,
                    work=work,
                    lease=self.lease,
                    queue=self.queue,
                    claim_next=claim_next and not self.unsure,
                )
            except Refusal as problem:
                outcome = Outcome(
                    "failed", "validation", str(problem), provenance=outcome.provenance, pid=outcome.pid
                )
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() > until:
                    raise
                self._no_answer(error)
            except Exception as error:
                if claim_next:  # it may be the claim that was refused, which the result has no part in
                    log.warning("an end with a claim was refused", attempt=work.token, error=str(error))
                    claim_next = False
                    continue
                outcome = _refused(work, outcome, error)
            else:
                if finished.fenced:
                    log.warning("an attempt had been settled by somebody else", attempt=work.token)
                    self.unsure = True
                return finished

    # Ending

    def drain(self) -> None:
        """Claim nothing any more; the attempt under way may finish for ``drain_timeout`` seconds."""
        if self.draining_since is None:
            self.draining_since = time.monotonic()

    def close(self) -> None:
        self.heart.end()
        self.fitness.close()
        self.devices.close()
        self.zygotes.close()
        self.janitor.close()
        try:
            protocol.move_lease(self.lease, ("live", "draining"), "closed")
        except (Error, InterfaceError) as error:
            log.warning("the lease could not be closed and will lapse", error=str(error).strip())


def _refused(work: Work, outcome: Outcome, error: Exception) -> Outcome:
    """What the attempt said cannot be kept: so it ended. Raises when even that cannot be kept."""
    if outcome.state == "failed" and outcome.cause.startswith(REFUSED):
        raise error
    log.exception("the outcome of an attempt was refused", attempt=work.token)
    reason = "validation" if isinstance(error, DataError) else "infrastructure"
    return Outcome("failed", reason, f"{REFUSED}: {error}"[:2000], pid=outcome.pid)


class TaskWorker(SimpleWorker):
    """RQ's side of a worker: waits for the bell, one queue, JSON, our entry points only."""

    max_connection_wait_time = 5
    serving = False

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()
        signal.signal(signal.SIGUSR1, self.request_leave)
        # A signal may have come while nobody listened to it but the station.
        self._stop_requested = _current is not None and _current.ends

    def request_stop(self, signum: Any, frame: Any) -> None:
        """TERM means drain. Nothing is asked of Redis inside a signal handler."""
        self._stop_requested = True
        if _current is not None:
            _current.drain()
        if not self.serving:
            raise StopRequested

    def request_leave(self, signum: Any, frame: Any) -> None:
        """The station was drained by a person, and has noted that itself."""
        self._stop_requested = True
        if not self.serving:
            raise StopRequested

    def execute_job(self, job: Job, queue: Queue) -> None:
        self.serving = True
        try:
            execution = self.prepare_execution(job)
            ended = threading.Event()
            beats = threading.Thread(target=self._beat, args=(job, execution, ended), daemon=True)
            beats.start()
            try:
                self.perform_job(job, queue, execution)
            finally:
                ended.set()
        finally:
            self.serving = False
            if _current is None:
                # The system worker asks nobody whether its connection has survived an outage.
                connection.close_if_unusable_or_obsolete()
            if self._stop_requested:
                raise StopRequested

    def _beat(self, job: Job, execution: Any, ended: threading.Event) -> None:
        """Long attempts must not be listed as abandoned by RQ."""
        while not ended.wait(RQ_HEARTBEAT):
            try:
                self.maintain_heartbeats(job, execution)
            except RedisError:
                continue

    def teardown(self) -> None:
        try:
            super().teardown()
        except RedisError as error:
            log.warning("Redis was not told that a worker ended", error=str(error))


def listen(queue: str) -> None:
    """Answer the bell of ``queue`` until TERM; an outage of Redis is waited out."""
    number = 0
    while True:
        number += 1
        worker = TaskWorker(
            [dispatch.rq_queue(queue)],
            # Not of host and pid alone: in containers both come again, and RQ refuses a name for minutes.
            name=f"{queue}-{socket.gethostname()}-{os.getpid()}-{number}-{uuid4().hex[:8]}",
            connection=dispatch.redis(),
            job_class=AllowedJob,
            serializer=JSONSerializer,
            worker_ttl=BELL_TTL,
            log_job_description=False,
        )
        try:
            worker.work(logging_level="WARNING")
        except RedisError as error:
            log.warning("the bell is out of order", error=str(error))
            worker.serving = True  # its handlers stand until the next one: a signal lets what is at hand end
            if _current is not None:
                # What is runnable does not depend on the bell.
                _current.serve(queue)
        if worker._stop_requested or (_current is not None and _current.ends):
            return
        time.sleep(1.0)


def _keep_connection() -> None:
    """From nudge to nudge: to open one costs more than most of them do. Each asks whether it still stands."""
    connection.close()
    connection.settings_dict |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def main(queue: str, gpus: str = "auto") -> None:
    """One worker process of ``queue``, until TERM. ``gpus``: those it offers, as :meth:`Choice.read` has it.

    Raises SystemExit(:data:`processes.LEFT`) when it was drained by a person.
    """
    global _current
    # The thread that settles attempts must not wait 5 ms for one that tells browsers.
    sys.setswitchinterval(0.001)
    zygotes.hide_memory()
    zygotes.become_subreaper()
    if queue == dispatch.SYSTEM_QUEUE:
        _keep_connection()
        chores.run_all_nudges()
        listen(queue)
        return
    _wait_for_database()
    clear_the_ground()
    signal.signal(signal.SIGUSR1, lambda *_: None)
    _current = Station(queue, gpus)
    signal.signal(signal.SIGTERM, lambda *_: current().drain())
    try:
        _current.serve(queue)
        listen(queue)
    finally:
        _current.close()
        # A build that nobody waits for any more shall not go on without its lock.
        processes.kill_descendants()
    if _current.leaving:
        raise SystemExit(processes.LEFT)


def _wait_for_database() -> None:
    while True:
        try:
            connection.ensure_connection()
            return
        except (Error, InterfaceError) as error:
            log.warning("waiting for the database", error=str(error).strip())
            time.sleep(1.0)
