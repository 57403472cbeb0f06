"""How a worker process waits for its bell, and for signals meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import redis
from django.db import connection

from runs.worker import worker
from tests.servers import Servers

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class AtWork:
    """A station that is sent a signal while it carries something out."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number
        self.leaving = False
        self.carried_out = False

    @property
    def ends(self) -> bool:
        return self.leaving

    def drain(self) -> None:
        self.leaving = True

    def serve(self, queue: str) -> None:
        self.leaving = True
        os.kill(os.getpid(), self.number)
        self.carried_out = True


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_during_an_outage_of_redis_lets_what_is_at_hand_end(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, redis_connection: redis.Redis
) -> None:
    station = AtWork(number)

    def out_of_order(self: worker.TaskWorker, **_: object) -> None:
        self._install_signal_handlers()
        self._stop_requested = False
        raise redis.ConnectionError

    monkeypatch.setattr(worker, "_current", station)
    monkeypatch.setattr(worker.TaskWorker, "work", out_of_order)
    worker.listen("cpu")
    assert station.carried_out


def backend() -> int:
    """The server process of our connection. Between two jobs the worker looks after it so."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_the_system_worker_keeps_its_connection_as_long_as_it_stands(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CONN_MAX_AGE", 0), ("CONN_HEALTH_CHECKS", False)):
        monkeypatch.setitem(connection.settings_dict, name, value)  # afterwards it is as it was
    worker._keep_connection()
    first = backend()
    assert backend() == first
    with servers.superuser() as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert backend() != first
    connection.close()
