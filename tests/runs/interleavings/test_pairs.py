"""Every pair of claim, finish, cancel, sweep, resume, beat and approve, in both orders."""

from __future__ import annotations

from typing import Any

import pytest

from runs import invariants, sweeps
from tests.runs.interleavings.meeting import meet
from tests.runs.interleavings.scenes import Ended, Going, Scene, verb

pytestmark = pytest.mark.django_db(transaction=True)

WAITS, DOES_NOT_WAIT = True, False
# What a sweep answers that takes the lease of the holder, and one that takes none.
TAKES, TAKES_NONE = 1, 0

Row = tuple[str, str, bool, Any, str]

# first, second, whether the second waits for the first, what the second answers, what has changed then
# ruff: noqa: E501 (lines of a table)
# fmt: off
GOING: list[Row] = [
    ("claim",   "claim",   WAITS,         None,            "c=running"),
    ("claim",   "finish",  WAITS,         "succeeded",     "a=succeeded b=ready c=running"),
    ("claim",   "cancel",  WAITS,         True,            "run=cancelling b=cancelled c=running ok=cancelled d=cancelled"),
    ("claim",   "sweep",   WAITS,         TAKES,           "a=retry_wait c=running"),
    ("claim",   "beat",    DOES_NOT_WAIT, [False],         "c=running"),
    ("claim",   "approve", WAITS,         0,               "c=running ok=succeeded d=ready"),

    ("finish",  "claim",   WAITS,         "c",             "a=succeeded b=ready c=running"),
    ("finish",  "finish",  WAITS,         "fenced",        "a=succeeded b=ready"),
    ("finish",  "cancel",  WAITS,         True,            "run=cancelled a=succeeded b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("finish",  "sweep",   WAITS,         TAKES,           "a=succeeded b=ready"),
    ("finish",  "lose",    WAITS,         "fenced",        "a=succeeded b=ready"),
    ("finish",  "beat",    DOES_NOT_WAIT, [False],         "a=succeeded b=ready"),
    ("finish",  "approve", WAITS,         0,               "a=succeeded b=ready ok=succeeded d=ready"),

    ("cancel",  "claim",   WAITS,         None,            "run=cancelling b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("cancel",  "finish",  WAITS,         "succeeded",     "run=cancelled a=succeeded b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("cancel",  "cancel",  WAITS,         False,           "run=cancelling b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("cancel",  "sweep",   WAITS,         TAKES,           "run=cancelled a=cancelled b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("cancel",  "beat",    DOES_NOT_WAIT, [False],         "run=cancelling b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("cancel",  "approve", WAITS,         "not-waiting",   "run=cancelling b=cancelled c=cancelled ok=cancelled d=cancelled"),

    ("sweep",   "claim",   WAITS,         "c",             "a=retry_wait c=running"),
    ("sweep",   "finish",  WAITS,         "fenced",        "a=retry_wait"),
    ("lose",    "finish",  WAITS,         "fenced",        "a=retry_wait"),
    ("sweep",   "cancel",  WAITS,         True,            "run=cancelled a=cancelled b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("sweep",   "sweep",   WAITS,         TAKES_NONE,      "a=retry_wait"),
    ("lose",    "lose",    WAITS,         "fenced",        "a=retry_wait"),
    ("sweep",   "beat",    WAITS,         None,            "a=retry_wait"),
    ("sweep",   "approve", WAITS,         0,               "a=retry_wait ok=succeeded d=ready"),

    ("beat",    "claim",   DOES_NOT_WAIT, "c",             "c=running"),
    ("beat",    "finish",  DOES_NOT_WAIT, "succeeded",     "a=succeeded b=ready"),
    ("beat",    "cancel",  DOES_NOT_WAIT, True,            "run=cancelling b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("beat",    "sweep",   WAITS,         TAKES_NONE,      ""),
    ("beat",    "beat",    WAITS,         [False],         ""),
    ("beat",    "approve", DOES_NOT_WAIT, 0,               "ok=succeeded d=ready"),

    ("approve", "claim",   WAITS,         "c",             "c=running ok=succeeded d=ready"),
    ("approve", "finish",  WAITS,         "succeeded",     "a=succeeded b=ready ok=succeeded d=ready"),
    ("approve", "cancel",  WAITS,         True,            "run=cancelling b=cancelled c=cancelled ok=succeeded d=cancelled"),
    ("approve", "sweep",   WAITS,         TAKES,           "a=retry_wait ok=succeeded d=ready"),
    ("approve", "beat",    DOES_NOT_WAIT, [False],         "ok=succeeded d=ready"),
    ("approve", "approve", WAITS,         "not-waiting",   "ok=succeeded d=ready"),

    # A run that goes on is not to be resumed, whatever is about to happen to it.
    ("claim",   "resume",  DOES_NOT_WAIT, "not-resumable", "c=running"),
    ("finish",  "resume",  DOES_NOT_WAIT, "not-resumable", "a=succeeded b=ready"),
    ("cancel",  "resume",  DOES_NOT_WAIT, "not-resumable", "run=cancelling b=cancelled c=cancelled ok=cancelled d=cancelled"),
    ("sweep",   "resume",  DOES_NOT_WAIT, "not-resumable", "a=retry_wait"),
    ("beat",    "resume",  DOES_NOT_WAIT, "not-resumable", ""),
    ("approve", "resume",  DOES_NOT_WAIT, "not-resumable", "ok=succeeded d=ready"),
]
ENDED: list[Row] = [
    ("resume",  "claim",   DOES_NOT_WAIT, None,            "run=running ok=awaiting_approval d=pending e=ready"),
    ("resume",  "finish",  WAITS,         "fenced",        "run=running ok=awaiting_approval d=pending e=ready"),
    ("resume",  "lose",    WAITS,         "fenced",        "run=running ok=awaiting_approval d=pending e=ready"),
    ("resume",  "cancel",  DOES_NOT_WAIT, False,           "run=running ok=awaiting_approval d=pending e=ready"),
    ("resume",  "resume",  WAITS,         "not-resumable", "run=running ok=awaiting_approval d=pending e=ready"),
    ("resume",  "beat",    DOES_NOT_WAIT, [],              "run=running ok=awaiting_approval d=pending e=ready"),
    # It counts for the resume in which it is made, not for the one in which it was begun.
    ("resume",  "approve", WAITS,         1,               "run=running ok=succeeded d=ready e=ready"),

    ("claim",   "resume",  DOES_NOT_WAIT, 1,               "run=running ok=awaiting_approval d=pending e=ready"),
    ("finish",  "resume",  WAITS,         1,               "run=running ok=awaiting_approval d=pending e=ready"),
    ("lose",    "resume",  WAITS,         1,               "run=running ok=awaiting_approval d=pending e=ready"),
    ("cancel",  "resume",  DOES_NOT_WAIT, 1,               "run=running ok=awaiting_approval d=pending e=ready"),
    ("beat",    "resume",  DOES_NOT_WAIT, 1,               "run=running ok=awaiting_approval d=pending e=ready"),
    ("approve", "resume",  DOES_NOT_WAIT, 1,               "run=running ok=awaiting_approval d=pending e=ready"),
]
# fmt: on


@pytest.fixture(autouse=True)
def seasoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has been up for longer than any lease lives."""
    monkeypatch.setattr(sweeps, "LEASE_TTL", 0.0)


def meets(scene: Scene, row: Row) -> None:
    first, second, waits, answer, changes = row
    met = meet(verb(scene, first), verb(scene, second))
    assert (met.waited, met.second, scene.changes()) == (waits, answer, changes)
    assert invariants.check_all() == {}
    ends = "cancelled" if changes.startswith("run=cancel") else "succeeded"
    assert scene.wind_up() == ends, "whatever happened, the run comes to its end"


def name(row: Row) -> str:
    return f"{row[0]}_then_{row[1]}"


@pytest.mark.parametrize("row", GOING, ids=name)
def test_two_verbs_meet_in_a_run_that_goes_on(row: Row) -> None:
    meets(Going(), row)


@pytest.mark.parametrize("row", ENDED, ids=name)
def test_two_verbs_meet_in_a_run_that_has_ended(row: Row) -> None:
    meets(Ended(), row)


def test_every_pair_stands_in_the_table_in_both_orders() -> None:
    verbs = ("claim", "finish", "cancel", "sweep", "resume", "beat", "approve")
    # In a run that has ended the sweep finds nothing; its second half, the loss of an attempt, is tried.
    met = {tuple("sweep" if each == "lose" else each for each in row[:2]) for row in GOING + ENDED}
    assert met == {(first, second) for first in verbs for second in verbs}
