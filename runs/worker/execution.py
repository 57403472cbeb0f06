"""One attempt, from claimed work to its outcome: a runner is watched, its log kept, its outputs stored."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, connection, transaction

from pipelines.store import StoreError
from runs.models import CapturedFact
from runs.protocol import Json, Outcome, Work
from runs.transitions import execute
from runs.worker import folders
from runs.worker.journal import Journal
from runs.worker.release import Released, release
from runs.worker.requests import CannotRun, Prepared, keep_inputs
from runs.worker.zygotes import Running, ZygoteGone

if TYPE_CHECKING:
    from runs.worker.worker import Station

log = structlog.get_logger()

FLUSH_EVERY = 0.25  # seconds between two writes of a growing log
LOOK_EVERY = 1.0  # seconds after which a silent attempt is looked at
INLINE_LIMIT = 64 * 1024  # bytes of JSON that an output may have as a value

# Facts that this process has stored already, by digest.
_kept_facts: set[str] = set()


class TooLargeInline(Exception):
    """A value that should have come as bytes."""


class Execution:
    """Carries out one attempt. ``ask_to_stop`` may be called by another thread; all else belongs to one."""

    def __init__(self, station: Station, work: Work) -> None:
        self.station = station
        self.work = work
        self.folder = folders.of_attempt(work.token)
        self.grace = float(settings.ORCHESTRATOR["KILL_GRACE"])
        self.stopping: str | None = None
        self._asked: str | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wake_lock = threading.Lock()
        self._deadline: float | None = None
        self.journal = Journal(work.run["id"], work.attempt["id"], work.token)
        self.released: Released | None = None

    def ask_to_stop(self, why: str) -> None:
        """``cancel`` or ``timeout``: end the attempt with TERM, and KILL after the grace."""
        self._asked = why
        with self._wake_lock:
            if self._wake_write >= 0:
                os.write(self._wake_write, b"!")

    def run(self) -> Outcome:
        """Carry the attempt out; every way to end is an outcome."""
        try:
            folders.make(self.folder)
            outcome = self._perform()
        except CannotRun as problem:
            self.journal.say(f"{problem.message}\n")
            outcome = Outcome("failed", problem.reason, problem.message)
        except (OSError, ZygoteGone, StoreError, Error, InterfaceError) as error:
            log.exception("an attempt could not be carried out", attempt=self.work.token)
            if isinstance(error, Error | InterfaceError):
                connection.close()
            outcome = Outcome("failed", "infrastructure", f"{type(error).__name__}: {error}")
        except Exception as error:
            log.exception("an attempt met the unexpected", attempt=self.work.token)
            outcome = Outcome("failed", "infrastructure", f"{type(error).__name__}: {error}")
        finally:
            with self._wake_lock:
                os.close(self._wake_read)
                os.close(self._wake_write)
                self._wake_write = -1
            self.station.janitor.remove(self.folder)
        self.journal.close()
        if self.released:
            outcome.cause = self.released.mask.text(outcome.cause)
        outcome.dropped_bytes = self.journal.dropped
        return outcome

    def _perform(self) -> Outcome:
        began = time.monotonic()
        prepared = self.station.requests.prepare(self.work, self.folder)
        keep_inputs(self.work.attempt["id"], prepared.sources)
        if self._asked == "cancel":
            return Outcome("cancelled", "by_person", "it was cancelled before it began")
        if prepared.secrets:
            self._release(prepared)
        self._set_deadline(time.monotonic() - began)
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        try:
            running = self._start(prepared, writing)
            os.close(writing)
            writing = -1
            ended = self._watch(running, reading)
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        return self._outcome(prepared, running, ended)

    def _release(self, prepared: Prepared) -> None:
        """Open what the task names, right before it starts; from now on all that it says is masked."""
        self.released = release(self.work.run["team_id"], prepared.secrets)
        self.released.put_into(prepared.request)
        prepared.provenance["secrets"] = self.released.versions
        self.journal.mask = self.released.mask

    def _set_deadline(self, prepared_for: float) -> None:
        """The time-out is of the user's code: building its environment before does not count."""
        seconds = self.work.attempt["seconds"]
        if seconds is None:
            return
        self._deadline = time.monotonic() + seconds
        if prepared_for > 1.0:
            execute(
                "UPDATE attempt SET timeout_at = engine_now() + engine_seconds(%s) "
                "WHERE id = %s AND state = 'running'",
                (seconds, self.work.attempt["id"]),
            )

    def _start(self, prepared: Prepared, log_end: int) -> Running:
        """Hand the request to a zygote; one that ended in between is replaced, once."""
        pool = self.station.zygotes
        for last in (False, True):
            zygote = pool.get(prepared.interpreter, prepared.preload, cold=prepared.cold)
            try:
                return zygote.run(prepared.request, log_end, log_end)
            except ZygoteGone:
                zygote.close()
                if last:
                    raise
        raise AssertionError("unreachable")

    # --- watching -------------------------------------------------------------------------------------

    def _watch(self, running: Running, log_end: int) -> Json:
        """Until the runner and everything it started have ended; returns the event `ended`."""
        poller = select.poll()
        poller.register(running.fileno(), select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        log_open, listening = True, False
        while True:
            slow = self.journal.delay()
            # Only while something may be read: a pipe whose writers have ended is "ready" for ever.
            if (log_open and not slow) != listening:
                listening = not listening
                poller.register(log_end, select.POLLIN) if listening else poller.unregister(log_end)
            wait = FLUSH_EVERY if self.journal.pending else LOOK_EVERY
            ready = {
                descriptor for descriptor, _ in poller.poll(self._patience(min(wait, slow or wait)) * 1000)
            }
            if log_end in ready:
                log_open = self._read_log(log_end)
            if self._wake_read in ready:
                os.read(self._wake_read, 64)
            self.journal.flush_if_due(FLUSH_EVERY)
            self._enforce(running)
            event = running.poll(0.0)
            while event is not None:
                if event["event"] == "ended":
                    while log_open and self._read_log(log_end):
                        pass
                    return event
                event = running.poll(0.0)

    def _patience(self, most: float) -> float:
        if self._deadline is None or self.stopping:
            return most
        return max(0.0, min(most, self._deadline - time.monotonic()))

    def _read_log(self, log_end: int) -> bool:
        """Take what has come; False when nothing is there or every writer has ended."""
        try:
            data = os.read(log_end, 64 * 1024)
        except BlockingIOError:
            return False
        if data:
            self.journal.feed(data)
        return bool(data)

    def _enforce(self, running: Running) -> None:
        """Stop the attempt when somebody asked, its time is over, or the worker has waited long enough."""
        if self.stopping:
            return
        since = self.station.draining_since
        if self._asked:
            self.stopping = self._asked
        elif self._deadline is not None and time.monotonic() >= self._deadline:
            self.stopping = "timeout"
        elif since is not None and time.monotonic() - since >= self.station.drain_timeout:
            self.stopping = "drained"
        if self.stopping:
            running.terminate(self.grace)

    # --- the outcome ----------------------------------------------------------------------------------

    def _outcome(self, prepared: Prepared, running: Running, ended: Json) -> Outcome:
        result = ended["result"] if self.released is None else self.released.cleared(ended["result"])
        provenance = self._provenance(prepared, result)
        common: Json = {
            "exit_code": _exit_code(ended),
            "pid": running.pid,
            "provenance": provenance,
            "facts": result.get("provenance"),
        }
        if self.stopping == "cancel":
            return Outcome("cancelled", "by_person", "it was cancelled", **common)
        if self.stopping == "drained":
            return Outcome("lost", "drained", "its worker was stopped and handed it back", **common)
        if "error" in result:
            return self._failure(result["error"], common)
        if self.stopping == "timeout":
            return self._failure(_timed_out(self.work.attempt["seconds"]), common)
        try:
            outputs = [self._stored(output, place) for place, output in enumerate(result["outputs"])]
        except (OSError, StoreError) as error:
            return Outcome("failed", "infrastructure", f"its outputs could not be stored: {error}", **common)
        except TooLargeInline as name:
            cause = f"the value of output {name} is larger than {INLINE_LIMIT // 1024} KiB of JSON"
            return Outcome("failed", "validation", cause, **common)
        return Outcome("succeeded", outputs=outputs, values=prepared.values, **common)

    def _failure(self, error: Json, common: Json) -> Outcome:
        if self.stopping == "timeout":
            error = _timed_out(self.work.attempt["seconds"])
        if not error.get("said"):
            self.journal.say(error["message"].rstrip() + "\n")
        cause = error["message"] if error["reason"] != "error" else f"{error['type']}: {error['message']}"
        return Outcome("failed", error["reason"], cause, **common)

    def _stored(self, output: Json, position: int) -> Json:
        """An output as a row: small values inline, everything else as bytes in the store."""
        row: Json = {
            "name": output["name"],
            "position": 0,
            "type": output["type"],
            "meta": output.get("meta") or {},
        }
        path = output.get("path")
        if path is None:
            if len(json.dumps(output.get("value"))) > INLINE_LIMIT + 2:
                raise TooLargeInline(output["name"])
            return {**row, "value": output.get("value")}
        store = self.station.requests.store
        kept = store.put_folder(path) if os.path.isdir(path) else store.put_file(path)
        return {
            **row,
            "sha256": kept.sha256,
            "size": kept.size,
            "address": kept.address,
            "media_type": output.get("media_type") or "application/octet-stream",
        }

    def _provenance(self, prepared: Prepared, result: Json) -> Json:
        """What the attempt was made of; facts of its surroundings are stored once and named by digest."""
        found = dict(prepared.provenance)
        for name in ("metrics", "seeds"):
            if result.get(name):
                found[name] = result[name]
        facts = result.get("provenance")
        if facts:
            found["environment"] = facts["fingerprint"]
        return found


def keep_facts(facts: Json) -> None:
    """Store what an interpreter found about its surroundings, once."""
    digest: str = facts["fingerprint"]
    if digest not in _kept_facts:
        with transaction.atomic():
            CapturedFact.objects.bulk_create(
                [CapturedFact(sha256=digest, kind="environment", body=facts)], ignore_conflicts=True
            )
        _kept_facts.add(digest)


def _timed_out(seconds: float) -> Json:
    return {
        "reason": "timeout",
        "type": "Timeout",
        "message": f"it ran longer than its time-out of {seconds:g} s",
    }


def _exit_code(ended: Json) -> int | None:
    if ended.get("exit") is not None:
        return int(ended["exit"])
    return -int(ended["signal"]) if ended.get("signal") else None
