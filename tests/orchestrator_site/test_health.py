"""/readyz says which part of the product is not ready, in words that tell strangers nothing."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from orchestrator_site import health
from runs import sweeps
from runs.models import Queue
from tests.runs.factories import make_lease

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch, redis_connection: redis.Redis) -> None:
    for part in health.PARTS.values():
        if isinstance(part.check, health.Remembered):
            monkeypatch.setattr(part.check, "asked", -health.REMEMBERED)


def ask() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def words_of(name: str) -> str:
    """What is said of a part that does not work, while pages are served."""
    status, body = ask()
    assert (status, body["status"], body["parts"][name]["state"]) == (200, "degraded", "trouble")
    return str(body["parts"][name]["words"])


def test_all_is_well_when_every_part_works() -> None:
    Queue.objects.create(slug="cpu")
    make_lease("cpu")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sweeps.LEADER_LOCK])
    assert ask()[0] == 200
    assert ask()[1]["status"] == "ready"


def test_healthz_asks_for_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").json() == {"status": "ok"}


def test_a_sweep_that_does_not_run_is_named() -> None:
    assert "manage.py sweep" in words_of("sweep")


def test_workers_that_do_not_run_are_named() -> None:
    assert words_of("workers").startswith("No worker runs")
    make_lease("cpu")
    Queue.objects.create(slug="gpu")
    assert words_of("workers").startswith("Nobody serves the queues gpu")


def test_how_many_workers_take_tasks_is_told_by_queue() -> None:
    for queue in ("gpu", "cpu", "cpu"):
        make_lease(queue)
    assert ask()[1]["parts"]["workers"]["words"] == "Tasks are taken by 2 workers of cpu and 1 of gpu."


def test_a_store_that_cannot_be_used_is_named_without_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipelines.store.configured.trouble", lambda: "s3://canary refuses the key canary.")
    assert "artifact store" in words_of("store")
    assert b"canary" not in Client().get("/readyz").content


def test_a_full_disk_is_named(settings: Any) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "FREE_DISK_MIB": 10**12}
    assert words_of("disk").startswith("A disk is almost full")


def test_without_redis_it_is_not_ready_and_no_password_is_told(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.REDIS_URL = f"redis://:canary@127.0.0.1:{port}/0"
    status, body = ask()
    assert (status, body["status"], body["parts"]["redis"]["needed"]) == (503, "not ready", True)
    assert "canary" not in str(body)
    assert str(port) not in str(body)


def test_without_the_database_it_is_not_ready_and_every_part_is_still_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:
        raise OperationalError("password authentication failed for user canary")

    monkeypatch.setattr(connection, "cursor", refused)
    monkeypatch.setattr(health, "_migrated", False)
    status, body = ask()
    assert status == 503
    troubled = [name for name, part in body["parts"].items() if part["state"] == "trouble"]
    assert troubled == ["database", "migrations", "sweep", "workers"]
    assert "canary" not in str(body)


def test_tables_that_are_older_than_the_code_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [1, 2])
    status, body = ask()
    assert status == 503
    assert "2 migrations wait for `manage.py migrate`" in body["parts"]["migrations"]["words"]


def test_the_store_is_not_asked_at_every_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def trouble() -> str:
        asked.append(1)
        return ""

    monkeypatch.setattr("pipelines.store.configured.trouble", trouble)
    ask()
    ask()
    assert len(asked) == 1
