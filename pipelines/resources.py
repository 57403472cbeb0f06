"""What a task asks of the machines: memory, GPUs, units of pools. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.document import Node
from pipelines.task_kinds.base import Desk, place
from pipelines.units import size_bytes


def kept(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`resources` as a version keeps them: the task's own before those of `defaults`, memory in bytes."""
    merged = {**defaults, **own}
    memory = merged.get("memory")
    found: dict[str, Any] = {
        "memory": None if memory is None else size_bytes(memory),
        "gpu": int(merged.get("gpu", 0)),
    }
    # Absent where there are none: a version without is the same as before there were pools.
    if slots := {**defaults.get("slots", {}), **own.get("slots", {})}:
        found["slots"] = {kind: int(amount) for kind, amount in slots.items()}
    return found


def amounts(resources: Mapping[str, Any]) -> dict[str, int]:
    """Kind -> units that `resources` ask for, GPUs among them."""
    gpus = resources.get("gpu") or 0
    return {**({"gpu": gpus} if gpus else {}), **(resources.get("slots") or {})}


def check_slots(
    root: Node, keys: tuple[str, ...], resources: Mapping[str, Any], path: str, desk: Desk
) -> None:
    """Notes what there are too few of; a warning, as a machine may come that has more."""
    known = desk.context.slots
    if known is None:
        return
    for kind, amount in amounts(resources).items():
        most = known.get(kind, 0)
        if amount > most:
            inner = ("gpu",) if kind == "gpu" else ("slots", kind)
            at = place(root, (*keys, *inner), root)
            where = f"{path}.{'.'.join(inner)}"
            desk.problems.warning("too-few-slots", at, where, _too_few(kind, amount, most), kind=kind)


def _too_few(kind: str, amount: int, most: int) -> str:
    if kind == "gpu" and not most:
        return "No worker has registered a GPU now: the task waits until one does."
    if kind == "gpu":
        return (
            f"The task asks for {amount} GPUs, and no machine has more than {most}: it waits until one has."
        )
    if not most:
        return f"There is no pool '{kind}': the task waits until a site admin makes one."
    return f"The task asks for {amount} of '{kind}', and the pool has {most}: it waits until there are more."
