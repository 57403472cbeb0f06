"""The words for how far a thing is, the one table of moves, the reasons and the terminal sets. Pure.

``runs/sql/state_trigger.sql`` is generated from :data:`MOVES`; a test proves that they agree.
"""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class RunState(TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class TaskState(TextChoices):
    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    RETRY_WAIT = "retry_wait"
    WAITING = "waiting"
    AWAITING_APPROVAL = "awaiting_approval"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class AttemptState(TextChoices):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


class LeaseState(TextChoices):
    LIVE = "live"
    DRAINING = "draining"
    CLOSED = "closed"
    LOST = "lost"


class Reason(TextChoices):
    """Why a thing is in its state, where the state alone does not say it."""

    REUSED = "reused"
    CONDITION_FALSE = "condition_false"
    CONDITION_ERROR = "condition_error"
    UPSTREAM = "upstream"
    DEADLINE = "deadline"
    POISON = "poison"
    BY_PERSON = "by_person"
    OVERLAP = "overlap"
    ERROR = "error"
    EXIT = "exit"
    TIMEOUT = "timeout"
    OOM = "oom"
    INFRASTRUCTURE = "infrastructure"
    TRANSIENT = "transient"
    VALIDATION = "validation"
    LEASE = "lease"
    DRAINED = "drained"


class Priority(IntegerChoices):
    """How important a run is beside others. What waits rises by one every ten minutes."""

    LOW = -1, "low"
    NORMAL = 0, "normal"
    HIGH = 1, "high"
    CRITICAL = 2, "critical"


def priority_word(value: int) -> str:
    """The word for a priority or an urgency; the nearest one for a number that has none."""
    return str(Priority(max(Priority.LOW, min(value, Priority.CRITICAL))).label)


Moves = dict[str, frozenset[str]]

TERMINAL_TASK = frozenset({"succeeded", "failed", "upstream_failed", "skipped", "cancelled"})
TERMINAL_RUN = frozenset({"succeeded", "failed", "cancelled"})
OPEN_RUN = frozenset({"queued", "running", "cancelling"})

# A task whose attempt failed for one of these is tried again without using up the person's retries.
FREE_RETRIES = frozenset({"infrastructure"})
RETRIABLE = ("error", "exit", "timeout", "oom", "transient", "validation")
DEFAULT_RETRY_ON = ("error", "exit", "timeout", "transient")
# The third attempt lost to its surroundings ends the task.
LOST_LIMIT = 3

TASK_MOVES: Moves = {
    "pending": frozenset(
        {
            "ready",
            "waiting",
            "awaiting_approval",
            "succeeded",
            "skipped",
            "failed",
            "upstream_failed",
            "cancelled",
        }
    ),
    "ready": frozenset({"running", "cancelled"}),
    "running": frozenset({"succeeded", "failed", "cancelled", "retry_wait"}),
    "retry_wait": frozenset({"running", "cancelled"}),
    "waiting": frozenset({"succeeded", "failed", "skipped", "cancelled"}),
    "awaiting_approval": frozenset({"succeeded", "failed", "skipped", "cancelled"}),
    "succeeded": frozenset(),
    # Only a resume leads out of these.
    "failed": frozenset({"pending"}),
    "upstream_failed": frozenset({"pending"}),
    "skipped": frozenset({"pending"}),
    "cancelled": frozenset({"pending"}),
}

RUN_MOVES: Moves = {
    "queued": frozenset({"running", "cancelling", "cancelled"}),
    "running": frozenset({"succeeded", "failed", "cancelling"}),
    "cancelling": frozenset({"cancelled"}),
    "succeeded": frozenset(),
    "failed": frozenset({"running"}),
    "cancelled": frozenset({"running"}),
}

ATTEMPT_MOVES: Moves = {
    "running": frozenset({"succeeded", "failed", "cancelled", "lost"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "lost": frozenset(),
}

LEASE_MOVES: Moves = {
    "live": frozenset({"draining", "closed", "lost"}),
    "draining": frozenset({"closed", "lost"}),
    "closed": frozenset(),
    "lost": frozenset(),
}

# table -> its moves; the trigger of each table is generated from here
MOVES: dict[str, Moves] = {
    "run": RUN_MOVES,
    "task_run": TASK_MOVES,
    "attempt": ATTEMPT_MOVES,
    "worker_lease": LEASE_MOVES,
}

# How a task of each kind begins once its edges are satisfied; all others wait for a worker as ``ready``.
BEGINS_AS = {"approval": "awaiting_approval", "group": "waiting"}


def begins_as(kind: str) -> str:
    """The state in which a task of this kind begins."""
    return BEGINS_AS.get(kind, "ready")


def trigger_sql(table: str, moves: Moves) -> str:
    """The SQL of the trigger that refuses every move of ``table.state`` outside ``moves``."""
    pairs = sorted(f"'{old}>{new}'" for old, news in moves.items() for new in news)
    return f"""
CREATE OR REPLACE FUNCTION {table}_state_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state || '>' || NEW.state) NOT IN ({", ".join(pairs)}) THEN
        RAISE EXCEPTION '{table} % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = '{table}_state_moves';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS {table}_state_moves ON {table};
CREATE TRIGGER {table}_state_moves BEFORE UPDATE OF state ON {table}
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION {table}_state_moves();
"""


def all_triggers_sql() -> str:
    """The triggers of every table with a state."""
    return "".join(trigger_sql(table, moves) for table, moves in MOVES.items())
