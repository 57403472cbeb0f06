"""Whose turn it is: how many of the tasks that a worker could take now go before one, by priority and age."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.db import connection

from runs.explaining.answers import Asked
from runs.states import priority_word

# Tasks that are counted before it is only said that there are more.
COUNTED: Final = 100

TURN: Final = "SELECT urgency, others, between_teams, before FROM engine_turn(%(task)s, %(most)s)"


class Turn(NamedTuple):
    """``urgency``: the priority that a task has by now, as it rises with time; ``others``: tasks that a
    worker could take as well, of which ``before`` go before it; ``between_teams``: are some another team's?
    """

    priority: int
    urgency: int
    others: int
    between_teams: bool
    before: int

    @property
    def words(self) -> str:
        """One or two sentences; "" for the only task that a worker could take."""
        if not self.others:
            return ""
        said = f"Its priority is {priority_word(self.priority)}{self._by_now}: {self._place}."
        if self.between_teams:
            said += " Of teams with equally urgent tasks, the one that runs least for its share goes first."
        return said

    @property
    def _by_now(self) -> str:
        """That it has waited for so long that it is as urgent as another priority."""
        return f", by now as urgent as {priority_word(self.urgency)}" if self.urgency > self.priority else ""

    @property
    def _place(self) -> str:
        if self.others == 1:
            return f"the one other task that can begin {'goes before' if self.before else 'comes after'} it"
        if self.before > COUNTED:
            return f"{_counted(self.before)} other tasks that can begin go before it"
        before = str(self.before or "none")
        goes = "goes" if self.before == 1 else "go"
        return f"{before} of the {_counted(self.others)} other tasks that can begin {goes} before it"


def _counted(number: int) -> str:
    return str(number) if number <= COUNTED else f"more than {COUNTED}"


def turn(asked: Asked) -> Turn:
    """The turn of a task that is due. One query."""
    with connection.cursor() as cursor:
        cursor.execute(TURN, {"task": asked.task.pk, "most": COUNTED + 1})
        urgency, others, between_teams, before = cursor.fetchone()
    return Turn(asked.task.priority, urgency, others, between_teams, before)
