"""Whose turn it is: how many of the tasks that a worker could take now go before one, by priority and age."""

from __future__ import annotations

from typing import Final, NamedTuple

from django.db import connection

from runs.explaining.answers import Asked
from runs.states import priority_word

# Tasks that are counted before it is only said that there are more.
COUNTED: Final = 100

# Lines are those of `engine_lines`. The tasks of a line that go before another stand at its head, so that no
# more than the first few of each have to be read.
TURN: Final = """
    WITH me AS (
        SELECT t.id, t.team_id, t.queue, t.ready_at,
               engine_urgency(t.priority, t.ready_at, engine_now()) AS urgency,
               engine_paused(engine_now()) AS paused
        FROM task_run t WHERE t.id = %(task)s
    ), other AS (
        SELECT o.id, o.ready_at, l.team, engine_urgency(l.class, o.ready_at, engine_now()) AS urgency
        FROM me CROSS JOIN LATERAL engine_lines(me.queue, engine_now(), me.paused) l CROSS JOIN LATERAL (
            SELECT t.id, t.ready_at FROM task_run t
            WHERE t.queue = me.queue AND t.team_id = l.team AND t.priority = l.class
              AND t.state IN ('ready', 'retry_wait') AND NOT t.parked AND t.ready_at <= engine_now()
              AND t.id <> me.id AND NOT t.run_id = ANY (me.paused)
            ORDER BY t.ready_at, t.id LIMIT %(most)s
        ) o
    )
    SELECT me.urgency, count(o.id), coalesce(bool_or(o.team <> me.team_id), false),
           count(o.id) FILTER (WHERE (-o.urgency, o.ready_at, o.id) < (-me.urgency, me.ready_at, me.id))
    FROM me LEFT JOIN other o ON true GROUP BY me.urgency
"""


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
