"""What every test may ask for: the database (`db`, `transactional_db`), Redis, both servers themselves."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from xdist.scheduler import LoadFileScheduling

from tests.servers import Servers, remember_seeds

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext
    from pytest_django import DjangoDbBlocker


WALKS = "tests/walks"
# What takes longest goes first: of several processes that share the files none has a long one at the end.
LONGEST_FIRST = (WALKS, "tests/soak", "tests/runs/faults", "tests/runs", "tests/security")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """What one process carries out: a file; or all walks, as browsers are hungry, with one installation."""
    return Groups(config, log)


class Groups(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return WALKS if nodeid.startswith(WALKS) else super()._split_scope(nodeid)


def _turn(item: pytest.Item) -> int:
    file = item.nodeid.partition("::")[0]
    return next((n for n, folder in enumerate(LONGEST_FIRST) if file.startswith(folder)), len(LONGEST_FIRST))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Redis of this session; gone with it, also when it is killed."""
    running = Servers()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def django_db_setup(
    servers: Servers, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The migrated database. The owner makes it and flushes it; tests have the application's rights."""
    with django_db_blocker.unblock():
        gc.disable()  # or migrations take twice as long
        call_command("migrate", verbosity=0, interactive=False)
        gc.enable()
        connections["owner"].close()
    with servers.owner() as owner:
        remember_seeds(owner)
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    TransactionTestCase._fixture_teardown = lambda _: flush_database(servers)  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]
    with django_db_blocker.unblock():
        connections.close_all()


def flush_database(servers: Servers) -> None:
    """Return to the rows that migrations made; waits at most 10 s for transactions that tests left open."""
    with servers.owner() as owner:
        owner.execute("SET lock_timeout = '10s'")
        try:
            owner.execute("SELECT seed.flush()")
        except psycopg.errors.LockNotAvailable:
            pytest.fail("A transaction that the test left open holds rows: end what the test started.")


@pytest.fixture
def swept(servers: Servers, db: None) -> None:
    """No dead rows of earlier tests: who counts pages counts none that only those have filled."""
    with servers.owner() as owner:
        owner.execute("VACUUM run, task_run, attempt, worker_lease")


@pytest.fixture(autouse=True)
def own_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction around a test is nobody's: what the test calls has begun its own."""
    monkeypatch.setattr("runs.transitions.within_another", lambda: False)


@pytest.fixture
def redis_connection(servers: Servers) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    with servers.redis_client() as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Without one the test is skipped, or fails where REQUIRE_BROWSER is set."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail("REQUIRE_BROWSER is set and there is no Chromium: install the package `chromium`.")
    pytest.skip("There is no Chromium: install the package `chromium`.")


@pytest.fixture
def browser_context(chromium: str) -> Iterator[BrowserContext]:
    """A fresh headless browser, 1280 by 800 pixels, for tests marked `browser`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        yield context
        context.close()
        browser.close()
