"""The named levels of isolation between tasks, and what each gives, in words. No ORM, no settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

SHARED: Final = "shared user"
OWN: Final = "own user"
CONTAINER: Final = "container"
LEVELS: Final = (SHARED, OWN, CONTAINER)
# A container needs an image, which a site admin names later.
OF_NEW_HOMES: Final = (SHARED, OWN)

WORDS: Final = {
    SHARED: "Tasks run as the user of the workers. Protects against accidents, not against hostile code: "
    "not for teams that do not trust each other.",
    OWN: "The tasks of each team run as a user of its own, who reaches no file, socket or process of the "
    "product or of another team. May be offered to teams that do not trust each other.",
    CONTAINER: "The tasks of each team run as a user of its own in containers of podman, with the Python and "
    "the packages of the queue's image; lock files are not used.",
}


def label(problem: str, no_container: str = "podman was not looked for") -> dict[str, Any]:
    """What a worker's lease says of the levels it gives.

    `problem`: why not `own user`, `no_container`: why no containers; "" if it does.
    """
    given = [SHARED, *([] if problem else [OWN]), *([] if no_container else [CONTAINER])]
    return {"isolation": given, "no_own_user": problem, "no_container": no_container}


def given(labels: dict[str, Any]) -> list[str]:
    """The levels that a lease with these labels gives; one from an older version says nothing of them."""
    return list(labels.get("isolation") or [SHARED])


def problem(level: str, workers: Sequence[dict[str, Any]]) -> str:
    """Why none of the workers with these labels takes tasks of a queue; "" when one does or none is there."""
    if not workers or any(level in given(labels) for labels in workers):
        return ""
    name = "no_container" if level == CONTAINER else "no_own_user"
    why = next((str(labels[name]) for labels in workers if labels.get(name)), "")
    return f"No worker of this queue can give '{level}'{f': {why}' if why else '.'}"
