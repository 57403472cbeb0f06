from __future__ import annotations

import time

import pytest
from django.contrib.auth import get_user_model
from django.db import ProgrammingError, connection

from tests.conftest import flush_database
from tests.servers import Servers


@pytest.mark.django_db
def test_tests_run_in_the_role_of_the_application() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, usesuper, usecreatedb FROM pg_user WHERE usename = current_user")
        assert cursor.fetchone() == ("orchestrator", False, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t (id int)", "TRUNCATE django_session", "DROP TABLE django_session"]
)
def test_the_application_role_cannot_touch_tables_themselves(statement: str) -> None:
    with connection.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_transactional_test_finds_the_database_as_migrations_left_it(turn: str) -> None:
    assert get_user_model().objects.count() == 0
    get_user_model().objects.create_user("alice", email="alice@example.org")


def test_flushing_is_quick(servers: Servers, transactional_db: None) -> None:
    started = time.monotonic()
    flush_database(servers)
    assert time.monotonic() - started < 0.5
