"""The one table of moves, and the database that was told of it."""

from __future__ import annotations

import itertools
import re

import pytest
from django.db import connection

from runs import states


def moves_in_database(table: str) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [f"{table}_state_moves"])
        (source,) = cursor.fetchone()
    return {(old, new) for old, new in re.findall(r"'(\w+)>(\w+)'", source)}


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted(states.MOVES))
def test_the_trigger_of_each_table_allows_exactly_the_moves_of_the_table(table: str) -> None:
    expected = {(old, new) for old, news in states.MOVES[table].items() for new in news}
    assert moves_in_database(table) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted(states.MOVES))
def test_each_table_with_a_state_has_its_trigger(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgname = %s AND tgrelid = %s::regclass",
            [f"{table}_state_moves", table],
        )
        assert cursor.fetchall() == [("O",)]


def test_nothing_leads_out_of_a_terminal_state_but_a_resume() -> None:
    for state in states.TERMINAL_TASK:
        assert states.TASK_MOVES[state] <= {"pending"}
    for state in states.TERMINAL_RUN:
        assert states.RUN_MOVES[state] <= {"running"}


def test_every_state_has_its_row_and_every_move_leads_to_a_state() -> None:
    words = {
        "run": states.RunState,
        "task_run": states.TaskState,
        "attempt": states.AttemptState,
        "worker_lease": states.LeaseState,
    }
    for table, moves in states.MOVES.items():
        assert set(moves) == set(words[table].values)
        assert set(itertools.chain(*moves.values())) <= set(words[table].values)
