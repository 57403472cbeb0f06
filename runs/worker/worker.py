"""A worker: listens to the bell of one queue, claims tasks and carries them out, one attempt at a time."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, connection
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
from runs.worker import zygotes
from runs.worker.execution import Execution
from runs.worker.heart import OUTAGE_PATIENCE, Heart
from runs.worker.leftovers import kill_leftovers
from runs.worker.requests import Requests

log = structlog.get_logger()

SERVE_FOR = 30.0  # seconds after which a worker answers the bell anew
RQ_HEARTBEAT = 30.0

_current: Station | None = None


def current() -> Station:
    """The station of this process. Raises RuntimeError outside a worker."""
    if _current is None:
        raise RuntimeError("this process is not a worker")
    return _current


class Station:
    """What one worker process holds: its lease, its heart, its zygotes and the attempt it carries out."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.name = f"{queue}@{socket.gethostname()}:{os.getpid()}"
        self.requests = Requests()
        self.zygotes = zygotes.ZygotePool()
        self.execution: Execution | None = None
        self.draining_since: float | None = None
        self.drain_timeout = float(settings.ORCHESTRATOR["DRAIN_TIMEOUT"])
        self.lease: UUID = protocol.open_lease(self.name, queue, os.getpid()).uuid
        self.heart = Heart(self.lease, on_stop=self._stop, on_lost=self._lost, on_beat=self.zygotes.ping)
        self.heart.start()

    # Called by the heart, in its thread.

    def _stop(self, attempt: str, why: str) -> None:
        execution = self.execution
        if execution is not None and execution.work.token == attempt:
            execution.ask_to_stop(why)

    def _lost(self, sentence: str) -> None:
        """Nothing that this worker runs may go on: its tasks are somebody else's now."""
        log.error("this worker stops at once", worker=self.name, because=sentence)
        self.zygotes.close()
        os._exit(1)

    # Called by the bell.

    def serve(self, queue: str) -> None:
        """Claim and carry out until nothing is runnable or 30 s have passed; then ring again if something is left."""
        if queue != self.queue or self.draining_since is not None:
            return
        until = time.monotonic() + SERVE_FOR
        try:
            work = protocol.claim(self.lease, queue)
            while work is not None:
                go_on = time.monotonic() < until and self.draining_since is None
                work = self._carry_out(work, go_on)
        except LeaseLost:
            self._lost("the lease may not claim any more")
        if time.monotonic() >= until and self.draining_since is None:
            dispatch.ring(queue, 2)

    def _carry_out(self, work: Work, go_on: bool) -> Work | None:
        self.execution = Execution(self, work)
        try:
            outcome = self.execution.run()
        finally:
            self.execution = None
        finished = self._finish(work, outcome, go_on and self.draining_since is None)
        if finished.lease_dead:
            raise LeaseLost(str(self.lease))
        return finished.next

    def _finish(self, work: Work, outcome: Outcome, claim_next: bool) -> protocol.Finished:
        """Settle the attempt; while the database cannot be asked, again and again with the same token."""
        until = time.monotonic() + OUTAGE_PATIENCE
        while True:
            try:
                finished = protocol.finish(
                    work.token, outcome, work=work, lease=self.lease, queue=self.queue, claim_next=claim_next
                )
            except Refusal as problem:
                outcome = Outcome(
                    "failed", "validation", str(problem), provenance=outcome.provenance, pid=outcome.pid
                )
                continue
            except (Error, InterfaceError) as error:
                if not isinstance(error, InterfaceError) and connection.is_usable():
                    outcome = _refused(work, outcome, error)
                    continue
                connection.close()
                if time.monotonic() > until:
                    raise
                log.warning("a finished attempt waits for the database", attempt=work.token)
                time.sleep(0.5)
                continue
            if finished.fenced:
                log.warning("an attempt had been settled by somebody else", attempt=work.token)
            return finished

    # Ending

    def drain(self) -> None:
        """Claim nothing any more; the attempt under way may finish for ``drain_timeout`` seconds."""
        if self.draining_since is None:
            self.draining_since = time.monotonic()

    def close(self) -> None:
        self.heart.end()
        self.zygotes.close()
        try:
            protocol.move_lease(self.lease, ("live", "draining"), "closed")
        except (Error, InterfaceError) as error:
            log.warning("the lease could not be closed and will lapse", error=str(error).strip())


def _refused(work: Work, outcome: Outcome, error: Exception) -> Outcome:
    """The database answers and refuses what the attempt said: that is how the attempt ended, then."""
    if outcome.state == "failed" and outcome.reason == "infrastructure":
        raise error
    log.error("the outcome of an attempt was refused", attempt=work.token, error=str(error).strip())
    return Outcome(
        "failed", "infrastructure", f"its result could not be stored: {error}"[:2000], pid=outcome.pid
    )


class TaskWorker(SimpleWorker):
    """RQ's side of a worker: waits for the bell, one queue, JSON, our entry points only."""

    max_connection_wait_time = 5
    serving = False

    def request_stop(self, signum: Any, frame: Any) -> None:
        """TERM means drain. Nothing is asked of Redis inside a signal handler."""
        self._stop_requested = True
        if _current is not None:
            _current.drain()
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
            name=f"{queue}-{socket.gethostname()}-{os.getpid()}-{number}",
            connection=dispatch.redis(),
            job_class=AllowedJob,
            serializer=JSONSerializer,
            log_job_description=False,
        )
        try:
            worker.work(logging_level="WARNING")
        except RedisError as error:
            log.warning("the bell is out of order", error=str(error))
        if worker._stop_requested or (_current is not None and _current.draining_since is not None):
            return
        time.sleep(1.0)


def main(queue: str) -> None:
    """One worker process of ``queue``, until TERM."""
    global _current
    zygotes.hide_memory()
    zygotes.become_subreaper()
    if queue == dispatch.SYSTEM_QUEUE:
        chores.run_all_nudges()
        listen(queue)
        return
    _wait_for_database()
    kill_leftovers()
    _current = Station(queue)
    try:
        _current.serve(queue)
        listen(queue)
    finally:
        _current.close()


def _wait_for_database() -> None:
    while True:
        try:
            connection.ensure_connection()
            return
        except (Error, InterfaceError) as error:
            log.warning("waiting for the database", error=str(error).strip())
            time.sleep(1.0)
