"""What a kind adds around an attempt: before it (more inputs) and in its finish (rows of the room above).

Lineage registers its part for ``register`` and ``deploy`` here; ``runs`` never imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Finishing:
    """A succeeded attempt whose finish is under way, in its transaction.

    ``with_values``: resolved inputs by name; artifacts as {"type", "sha256", "size", "address", "media_type",
    "meta", "attempt_output_id"}. ``outputs``: what the runner returned, as rows of AttemptOutput.
    """

    attempt_id: int
    attempt_uuid: str
    task_run_id: int
    run_id: int
    team_id: int
    kind: str
    with_values: Values
    outputs: list[dict[str, Any]] = field(default_factory=list)
    actor: str = ""


@dataclass(frozen=True)
class Preparing:
    """An attempt about to be handed to a runner. ``key`` is stable over attempts: run:task:resume_no."""

    run_id: int
    team_id: int
    kind: str
    key: str
    with_values: Values


Handler = Callable[[Finishing], list[dict[str, Any]]]
Preparer = Callable[[Preparing], Values]

_handlers: dict[str, Handler] = {}
_preparers: dict[str, Preparer] = {}


def register_handler(kind: str, handler: Handler) -> None:
    """``handler`` runs inside the finish of each succeeded attempt of ``kind`` and returns its outputs."""
    _handlers[kind] = handler


def register_preparer(kind: str, preparer: Preparer) -> None:
    """``preparer`` gives an attempt of ``kind`` further inputs; what it raises fails the attempt."""
    _preparers[kind] = preparer


def has_handler(kind: str) -> bool:
    return kind in _handlers


def handle(finishing: Finishing) -> list[dict[str, Any]]:
    """The outputs to store for a finishing attempt."""
    handler = _handlers.get(finishing.kind)
    return handler(finishing) if handler else finishing.outputs


def prepare(preparing: Preparing) -> Values:
    """The inputs that the kind adds to an attempt."""
    preparer = _preparers.get(preparing.kind)
    return preparer(preparing) if preparer else {}
