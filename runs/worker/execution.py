"""One attempt, from claimed work to its outcome: a runner is watched, its log kept, its outputs stored."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, connection, transaction

from pipelines.store import StoreError
from runs import isolation
from runs.environments import building
from runs.limits import Limits
from runs.models import CapturedFact
from runs.protocol import Json, LeaseLost, Outcome, Work
from runs.reasons import duration_words
from runs.transitions import execute
from runs.worker import container, folders, lending, outputs, reports, takeover, users
from runs.worker.devices import gpus
from runs.worker.journal import Journal
from runs.worker.limits import free_disk
from runs.worker.release import Released, release
from runs.worker.requests import CannotRun, Prepared, keep_inputs
from runs.worker.zygotes import Running, Unfit, ZygoteGone

if TYPE_CHECKING:
    from runs.worker.view import Confined
    from runs.worker.worker import Station

T = TypeVar("T")

log = structlog.get_logger()

FLUSH_EVERY = 0.25  # seconds between two writes of a growing log
LOOK_EVERY = 1.0  # seconds after which a silent attempt is looked at
LOOK_AT_STOP = 0.2  # seconds after which what prepares an attempt hears that it is not wanted any more
POSTPONE_EVERY = 5.0  # seconds after which the time-out of an attempt that is being prepared moves on
SAID_LIMIT = 256 * 1024  # bytes of JSON that a task may say about itself: metrics, seeds
FACTS_LIMIT = 1024 * 1024  # … and that its interpreter may find about its surroundings
FULL = 1024 * 1024  # bytes; a disk with less is full

# Facts that this process has stored already, by digest.
_kept_facts: set[str] = set()


class Unwanted(Exception):
    """The attempt was stopped before its code began."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.cause)
        self.outcome = outcome


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
        self.user: Confined | None = None  # whom the attempt runs as, unless at `shared user`
        self._uid: int | None = None

    def ask_to_stop(self, why: str) -> None:
        """``cancel`` or ``timeout``: end the attempt with TERM, and KILL after the grace."""
        self._asked = why
        with self._wake_lock:
            if self._wake_write >= 0:
                os.write(self._wake_write, b"!")

    def run(self) -> Outcome:
        """Carry the attempt out; every way to end is an outcome, but that the lease is lost (LeaseLost)."""
        try:
            self._make_folder()
            outcome = self._perform()
        except CannotRun as problem:
            self.journal.say(f"{problem.message}\n")
            outcome = Outcome("failed", problem.reason, problem.message)
        except Unwanted as stopped:
            outcome = stopped.outcome
        except LeaseLost:
            raise
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
            self.station.janitor.remove(self.folder, self._uid)
        self.journal.close()
        if self.released:
            outcome.cause = self.released.mask.text(outcome.cause)
        outcome.dropped_bytes = self.journal.dropped
        return outcome

    def _make_folder(self) -> None:
        """Raises OSError, and CannotRun when the team can be given no user."""
        if self.work.attempt["isolation"] != isolation.SHARED:
            self.user = users.user_of(self.work.run["team_id"])
            self._uid = self.user.uid
            self.folder = folders.of_attempt(self.work.token, self._uid)
        self.station.janitor.make(self.folder, self._uid)

    def _perform(self) -> Outcome:
        began = time.monotonic()
        prepared = self.station.requests.prepare(self.work, self.folder, self._patiently)
        self._hand_over_slots(prepared)
        keep_inputs(self.work.attempt["id"], prepared.sources)
        self._leave_if_unwanted()
        if self.work.attempt["isolation"] == isolation.CONTAINER and self.user is not None:
            of_queue = self.work.task["queue"]
            self.user = container.contain(self.user, of_queue, prepared, gpus(self.work.slots))
        if self.user is not None:
            self.user = lending.admit(prepared, self.folder, self.user)
        if prepared.secrets:
            self._release(prepared)
        self._set_deadline(prepared.limits.timeout, time.monotonic() - began)
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        try:
            running = self._start(prepared, writing)
            self.station.janitor.look()  # while the runner is at work
            # Our own end for writing stays open: the end of the last writer alone would wake us for nothing.
            ended = self._watched(running, reading)
        finally:
            os.close(reading)
            os.close(writing)
        return self._outcome(prepared, running, ended)

    def _hand_over_slots(self, prepared: Prepared) -> None:
        """Let the task see the GPUs it holds and no others, and its record say what it held."""
        prepared.request["env"] |= self.station.devices.variables(self.work.slots)
        if self.work.slots:
            prepared.provenance["slots"] = self.work.slots

    def _release(self, prepared: Prepared) -> None:
        """Open what the task names, right before it starts; from now on all that it says is masked."""
        self.released = release(self.work.run["team_id"], prepared.secrets)
        self.released.put_into(prepared.request)
        prepared.provenance["secrets"] = self.released.versions
        self.journal.mask = self.released.mask

    def _patiently(self, take: Callable[[], T]) -> T:
        """Have something made that may take minutes, in a thread: who cancels does not wait for it.

        It goes on nevertheless: what it makes, an environment or bytes in the store, harms nobody.
        """
        made: Future[T] = Future()
        threading.Thread(target=_fulfil, args=(made, take), name="patience", daemon=True).start()
        moved = time.monotonic()
        while not wait([made], timeout=LOOK_AT_STOP).done:
            self._leave_if_unwanted()
            if time.monotonic() - moved >= POSTPONE_EVERY:
                moved = time.monotonic()
                self._postpone()
        return made.result()

    def _leave_if_unwanted(self) -> None:
        if self._asked == "cancel":
            words = "it was cancelled" if self._deadline else "it was cancelled before it began"
            raise Unwanted(Outcome("cancelled", "by_person", words))
        since = self.station.draining_since
        if since is not None and time.monotonic() - since >= self.station.drain_timeout:
            raise Unwanted(Outcome("lost", "drained", "its worker was stopped and handed it back"))

    def _set_deadline(self, of_queue: float, prepared_for: float) -> None:
        """The time-out is of the user's code: building its environment before does not count."""
        seconds = self.work.attempt["seconds"]
        self._deadline = time.monotonic() + (of_queue if seconds is None else seconds)
        if prepared_for > 1.0:
            self._postpone()
        if self._asked == "timeout":
            self._asked = None

    def _postpone(self) -> None:
        """Let the time-out that the database knows begin now: what the product does is not the task's."""
        if self.work.attempt["seconds"] is not None:
            execute(
                "UPDATE attempt SET timeout_at = engine_now() + engine_seconds(%s) "
                "WHERE id = %s AND state = 'running'",
                (self.work.attempt["seconds"], self.work.attempt["id"]),
            )

    def _start(self, prepared: Prepared, log_end: int) -> Running:
        """Hand the request to a zygote; one that ended in between is replaced, once."""
        pool = self.station.zygotes
        for last in (False, True):
            try:
                zygote = pool.get(
                    prepared.interpreter, prepared.preload, cold=prepared.cold, confined=self.user
                )
            except Unfit as problem:
                raise CannotRun("infrastructure", f"the user of this team cannot run it: {problem}") from None
            self.station.check_lease()
            try:
                return zygote.run(prepared.request, log_end, log_end)
            except ZygoteGone:
                zygote.close()
                if last:
                    raise
        raise AssertionError("unreachable")

    # --- watching -------------------------------------------------------------------------------------

    def _watched(self, running: Running, log_end: int) -> Json:
        """The event `ended`. A watch that breaks off ends the attempt: others may carry it out now."""
        try:
            return self._watch(running, log_end)
        except BaseException:
            running.zygote.close()
            raise

    def _watch(self, running: Running, log_end: int) -> Json:
        """Until the runner and everything it started have ended; returns the event `ended`."""
        number = running.fileno()
        if number < 0:
            return running.wait()  # closed by the heart, whose lease is lost
        poller = select.poll()
        poller.register(number, select.POLLIN)
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
                descriptor
                for descriptor, _ in poller.poll(
                    self._patience(min(wait, slow or wait, running.due_in)) * 1000
                )
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
                self._say_preload(event)
                event = running.poll(0.0)

    def _say_preload(self, started: Json) -> None:
        """Modules of `preload` that could not be imported: said here and at the environment; it goes on."""
        problems = started.get("preload_problems") or {}
        for module, problem in problems.items():
            self.journal.say(f"preload: {module} could not be imported ahead of the task: {problem}\n")
        if not problems:
            return
        try:
            building.note_preload(self.work.run["id"], problems)
        except (Error, InterfaceError) as error:
            # It is for a page; the log of the attempt has it.
            log.warning("a note on preload was not written", attempt=self.work.token, error=str(error))
            connection.close()

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
        result = ended["result"]
        if self.user is not None and not self.stopping:
            result = self._taken_over(result, self.user.uid)
        if self.released is not None:
            result = self.released.cleared(result)
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
        if self.stopping == "timeout":
            return self._failure(self._timed_out(prepared.limits), common)
        if "error" in result:
            error = result["error"]
            return self._failure(self._verified(error, prepared) if ended["told"] else error, common)
        try:
            stored = self._stored(result["outputs"])
        except Unwanted as stopped:
            return replace(stopped.outcome, **common)
        except (OSError, StoreError) as error:
            return Outcome("failed", "infrastructure", f"its outputs could not be stored: {error}", **common)
        except outputs.BadOutput as problem:
            return self._failure(reports.error("validation", "BadOutput", str(problem)), common)
        return Outcome("succeeded", outputs=stored, values=prepared.values, **common)

    def _taken_over(self, result: Json, uid: int) -> Json:
        """The report, its files out of the user's reach. Raises Unwanted, OSError."""
        take = partial(takeover.taken_over, result, str(self.folder), uid)
        return self._patiently(take) if has_files(result.get("outputs") or []) else take()

    def _stored(self, made: list[Json]) -> list[Json]:
        """The outputs as rows. Raises Unwanted, BadOutput, StoreError, OSError."""
        store = partial(outputs.store_all, self.station.requests.store, made, self.work.spec["outputs"])
        return self._patiently(store) if has_files(made) else store()

    def _failure(self, error: Json, common: Json) -> Outcome:
        if not error.get("said"):
            self.journal.say(error["message"].rstrip() + "\n")
        cause = error["message"] if error["reason"] != "error" else f"{error['type']}: {error['message']}"
        return Outcome("failed", error["reason"], cause, **common)

    def _verified(self, error: Json, prepared: Prepared) -> Json:
        """What a task says of its surroundings is believed as far as the worker sees the same.

        Otherwise a task could have itself tried again for nothing.
        """
        if full := self._full_disk():
            words = f"there is no space left on the disk with {full}: {error['message']}"
            return {**error, "reason": "infrastructure", "message": words}
        if error["reason"] != reports.SUSPECTED or _missing_inputs(prepared.request):
            return error
        return {**error, "reason": "error"}

    def _full_disk(self) -> str | None:
        """The folder of the attempt that lies on a full disk."""
        for folder in (self.folder, folders.temporary(self.folder)):
            if folder.is_dir() and free_disk(str(folder)) < FULL:
                return str(folder)
        return None

    def _timed_out(self, limits: Limits) -> Json:
        seconds = self.work.attempt["seconds"]
        whose = "its time-out of" if seconds is not None else "the time-out of its queue,"
        allowed = duration_words(limits.timeout if seconds is None else seconds)
        return reports.error("timeout", "Timeout", f"it ran longer than {whose} {allowed}")

    def _provenance(self, prepared: Prepared, result: Json) -> Json:
        """What the attempt was made of; facts of its surroundings are stored once and named by digest."""
        found = dict(prepared.provenance)
        for name in ("metrics", "seeds"):
            if result.get(name) and self._fits(name, result[name], SAID_LIMIT):
                found[name] = result[name]
        facts = result.get("provenance")
        if facts and (
            facts["fingerprint"] in _kept_facts
            or self._fits("facts about its surroundings", facts, FACTS_LIMIT)
        ):
            found["environment"] = facts["fingerprint"]
        else:
            result["provenance"] = None
        return found

    def _fits(self, name: str, value: Json, limit: int) -> bool:
        """May this stand in the record? What may not is missed in words."""
        size = len(json.dumps(value))
        if size > limit:
            words = f"they are {size:,} bytes of JSON, and {limit:,} are kept"
            self.journal.say(f"The {name} of this attempt were left out of its record: {words}.\n")
        return size <= limit


def _fulfil(made: Future[T], take: Callable[[], T]) -> None:
    try:
        made.set_result(take())
    except BaseException as problem:
        made.set_exception(problem)
    finally:
        connection.close()


def has_files(outputs: list[Json]) -> bool:
    """Do they take more than a moment?"""
    return any(output.get("path") for output in outputs)


def _missing_inputs(request: Json) -> list[str]:
    """Inputs whose bytes have gone since the attempt was prepared."""
    ports = request["inputs"].items()
    return [name for name, port in ports if "path" in port and not os.path.exists(port["path"])]


def keep_facts(facts: Json) -> None:
    """Store what an interpreter found about its surroundings, once."""
    digest: str = facts["fingerprint"]
    if digest not in _kept_facts:
        with transaction.atomic():
            CapturedFact.objects.bulk_create(
                [CapturedFact(sha256=digest, kind="environment", body=facts)], ignore_conflicts=True
            )
        _kept_facts.add(digest)


def _exit_code(ended: Json) -> int | None:
    if ended.get("exit") is not None:
        return int(ended["exit"])
    return -int(ended["signal"]) if ended.get("signal") else None
