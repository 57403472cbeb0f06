"""What faults act upon: the running product, its database as an onlooker sees it, and what was done."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import redis

from orchestrator_site.embedded.home import APPLICATION_ROLE, DATABASE_NAME, Home
from tests.soak.load import Load
from tests.soak.machines import Machine, send
from tests.soak.quiet import Span
from tests.walks.product import Product

AWAY: Final = 60.0  # seconds for which a question waits for a database that is away

TTL: Final = 15.0  # seconds that a lease lasts from when it was renewed

BUSY: Final = """
    SELECT a.uuid::text, a.id, a.task_run_id, r.uuid::text, l.host, l.pid, l.worker
    FROM attempt a JOIN worker_lease l ON l.id = a.lease_id JOIN run r ON r.id = a.run_id
    JOIN task_run t ON t.id = a.task_run_id
    WHERE a.state = 'running' AND l.state = 'live' AND l.queue = %s AND r.state = 'running' AND t.lost < 1
    ORDER BY a.id
"""


@dataclass(frozen=True)
class Busy:
    """An attempt at work, and the process that carries it out."""

    token: str
    attempt: int
    task: int
    run: str
    host: str
    worker: str
    process: psutil.Process


@dataclass(frozen=True)
class Hurt:
    """An attempt whose worker was taken from it, and when (wall clock)."""

    busy: Busy
    fault: str
    at: float


@dataclass(frozen=True)
class Shot:
    """A process of a worker that was killed from outside (wall clock), and the attempt it named."""

    worker: str
    token: str | None
    at: float


@dataclass(frozen=True)
class Late:
    """What took longer than it may where the machine is quiet (wall clock).

    ``needs_database``: nobody can be in time while the database is away.
    """

    words: str
    began: float
    ended: float
    needs_database: bool = False


@dataclass
class Scene:
    """One soak. ``troubles``: times (wall clock) in which recovery has to wait for a server."""

    product: Product
    load: Load
    machines: list[Machine]
    queue: str
    ledger: Path
    random: random.Random
    done: Counter[str] = field(default_factory=Counter)
    hurt: list[Hurt] = field(default_factory=list)
    hurt_workers: set[str] = field(default_factory=set)
    frozen: list[psutil.Process] = field(default_factory=list)
    troubles: list[Span] = field(default_factory=list)
    # … in which the database did not answer, or cut its connections: nobody could renew a lease.
    outages: list[Span] = field(default_factory=list)
    away: list[Span] = field(default_factory=list)  # … in which Redis rings nobody
    deaf: list[Span] = field(default_factory=list)  # … in which a worker stood still
    late: int = 0
    late_fenced: int = 0
    violations: list[str] = field(default_factory=list)
    tardy: list[Late] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.home = Home(self.product.up.home)
        known = self.home.read_secrets()
        assert known is not None
        self.known = known
        self._connection: psycopg.Connection[Any] | None = None

    # --- the database -----------------------------------------------------------------------------

    def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Ask as the application would; while the database is away, again and again."""
        deadline = time.monotonic() + AWAY
        while True:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return self._connection.execute(sql, arguments or None).fetchall()
            except psycopg.OperationalError:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.home.postgres_socket_folder),
            user=APPLICATION_ROLE,
            password=self.known.application,
            dbname=DATABASE_NAME,
            autocommit=True,
        )

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(
            host=str(self.home.postgres_socket_folder),
            user="postgres",
            password=self.known.superuser,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            yield connection

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.home.redis_url(self.known), socket_timeout=5)

    # --- who carries out what -----------------------------------------------------------------------

    def busy(self, run: str = "") -> list[Busy]:
        """Attempts at work that were not lost before, of one run if it is named."""
        found = []
        for token, attempt, task, of_run, host, pid, worker in self.rows(BUSY, self.queue):
            process = self._process(host, pid)
            if process is not None and run in ("", of_run) and process not in self.frozen:
                found.append(Busy(token, attempt, task, of_run, host, worker, process))
        return found

    def holds_lost_before(self, machine: Machine) -> bool:
        """Does a worker of this machine carry out what was lost before? Three times would be its end."""
        held = """
            SELECT l.host FROM worker_lease l JOIN attempt a ON a.lease_id = l.id
            JOIN task_run t ON t.id = a.task_run_id WHERE a.state = 'running' AND t.lost > 0
        """
        return any(machine.has(host) for (host,) in self.rows(held))

    def _process(self, host: str, pid: int) -> psutil.Process | None:
        for machine in self.machines:
            if machine.has(host) and (found := machine.worker(pid)):
                return found
        return None

    def note(self, fault: str, *victims: Busy) -> None:
        """This was done, now, to these."""
        self.done[fault] += 1
        self.say(fault)
        self.hurt += [Hurt(busy, fault, time.time()) for busy in victims]
        self.hurt_workers |= {busy.worker for busy in victims}

    def say(self, words: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {words}", flush=True)

    def freeze(self, *processes: psutil.Process) -> None:
        self.frozen += processes
        for process in processes:
            send(process, signal.SIGSTOP)

    def thaw(self, *processes: psutil.Process) -> None:
        for process in processes:
            send(process, signal.SIGCONT)
        self.frozen = [each for each in self.frozen if each not in processes]

    def later(self, seconds: float, act: Any) -> threading.Timer:
        """Have something done although this thread may be waiting for whom it concerns."""
        timer = threading.Timer(seconds, act)
        timer.start()
        return timer

    def attempts(self, task: int) -> list[tuple[str, str]]:
        """(uuid, state) of a task's attempts, in order."""
        return self.rows("SELECT uuid::text, state FROM attempt WHERE task_run_id = %s ORDER BY no", task)

    def finish_late(self, token: str) -> None:
        """Say, as a worker of the past would, that an attempt succeeded: it must count for nothing."""
        ((answer,),) = self.rows(
            "SELECT engine_finish(%s, 'succeeded', '', '', 0, NULL, NULL, 0, NULL, NULL, NULL, '', false)",
            token,
        )
        self.late += 1
        if answer.get("fenced"):
            self.late_fenced += 1
        else:
            self.violations.append(f"a late word of attempt {token} was taken for true: {answer}")
