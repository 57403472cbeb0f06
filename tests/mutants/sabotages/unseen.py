"""Sabotages of slots, turns and admission, written by who had not seen the tests that stand there."""

from __future__ import annotations

from typing import Final

from tests.mutants.sabotage import Sabotage
from tests.mutants.sabotages.places import (
    ADMISSION,
    MEETINGS,
    ORDER,
    OVERLAP,
    QUARANTINE,
    SLOTS,
    TEAM_LIMITS,
    TURNS,
    UNITS,
)

UNSEEN: Final = (
    Sabotage(
        "a unit is given although somebody holds it",
        UNITS,
        "WHERE s.kind = v_kind AND s.holder_id IS NULL AND s.withdrawn_at IS NULL\n              AND (s.host",
        "WHERE s.kind = v_kind AND s.withdrawn_at IS NULL\n              AND (s.host",
        (SLOTS,),
    ),
    Sabotage(
        "a GPU is given to a worker of another host",
        UNITS,
        "AND (s.host = '' OR v_devices ? s.device)\n              AND (w.id IS NULL",
        "AND (w.id IS NULL",
        (SLOTS,),
    ),
    Sabotage(
        "what a cut-off worker held is given out at once",
        UNITS,
        "CASE WHEN p_cut_off AND s.host <> '' THEN engine_now() ELSE s.withdrawn_at END",
        "s.withdrawn_at",
        (SLOTS,),
    ),
    Sabotage(
        "who holds what is not known after a crash",
        UNITS,
        "PERFORM set_config('synchronous_commit', 'on', true);",
        "PERFORM true;",
        (SLOTS,),
    ),
    Sabotage(
        "half of what a task needs is enough",
        UNITS,
        "IF cardinality(v_units) < v_amount THEN",
        "IF cardinality(v_units) < 1 THEN",
        (SLOTS,),
    ),
    Sabotage(
        "waiting makes no task more urgent",
        ORDER,
        "/ 600)))::int",
        "/ 600 * 0)))::int",
        (TURNS,),
    ),
    Sabotage(
        "weights of teams do not count",
        ORDER,
        "l.weight IS NOT NULL\n",
        "l.weight IS NULL\n",
        (TURNS,),
    ),
    Sabotage(
        "the limit of a team over all queues does not count",
        ORDER,
        "l.queue IN ('', p_queue) AND l.running_tasks IS NOT NULL",
        "l.queue = p_queue AND l.running_tasks IS NOT NULL",
        (TEAM_LIMITS,),
    ),
    Sabotage(
        "two claims take the last place of a team",
        ORDER,
        "FOR UPDATE SKIP LOCKED;\n        IF NOT FOUND THEN\n            RETURN NULL;",
        ";\n        IF NOT FOUND THEN\n            RETURN NULL;",
        (MEETINGS,),
    ),
    Sabotage(
        "a queued run begins beside the one before it",
        ADMISSION,
        "AND o.state IN ('running', 'cancelling')",
        "AND o.state IN ('cancelling')",
        (OVERLAP,),
    ),
    Sabotage(
        "a queued run begins before the one before it has stopped",
        ADMISSION,
        "AND o.state IN ('running', 'cancelling')",
        "AND o.state IN ('running')",
        (MEETINGS,),
    ),
    Sabotage(
        "a run with a task in quarantine begins",
        ADMISSION,
        "AND NOT engine_quarantined(r.id)\n",
        "\n",
        (QUARANTINE,),
    ),
    Sabotage(
        "a quarantine that was lifted still holds",
        ADMISSION,
        "AND q.lifted_at IS NULL\n",
        "\n",
        (QUARANTINE,),
    ),
)
