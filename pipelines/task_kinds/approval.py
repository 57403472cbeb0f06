"""approval: the run waits here until a person says yes or no."""

from __future__ import annotations

from typing import Any

from pipelines.context import ROLES
from pipelines.problems import listed, shorten
from pipelines.task_kinds.base import DURATION, Desk, Draft, Kind, Ports
from pipelines.units import duration_seconds


class Approval(Kind):
    """`by` (roles of the team or user names; approvers when absent), `deadline`, `requester_may_approve`.

    Who asked for the run may decide only if the document says so.
    """

    name = "approval"
    label = "an approval"
    title = "Approval"
    description = "Waits here until a person says yes or no."
    category = "People"
    starter = {"by": ["approver"]}
    worked = False
    keys = {
        "by": {
            "type": "array",
            "minItems": 1,
            "default": ["approver"],
            "title": "Approvers",
            "description": "Roles of the team, or user names.",
            "items": {"type": "string", "minLength": 1},
        },
        "deadline": DURATION,
        "requester_may_approve": {"type": "boolean", "default": False},
    }

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports()

    def check(self, task: Draft, desk: Desk) -> None:
        users = desk.context.users
        for number, who in enumerate(task.raw.get("by", ())):
            if who in ROLES or users is None or who in users:
                continue
            otherwise = f"Name a user of the team or a role: {listed(ROLES)}."
            hint, params = desk.problems.hint(who, [*ROLES, *users], otherwise)
            message = f"'{shorten(who)}' is neither a role nor a user of the team.{hint}"
            at = task.place("by", number)
            desk.problems.error("unknown-person", at, f"{task.path}.by.{number}", message, **params)

    def config(self, task: Draft) -> dict[str, Any]:
        deadline = task.raw.get("deadline")
        return {
            "by": task.raw.get("by", ["approver"]),
            "deadline": None if deadline is None else duration_seconds(deadline),
            "requester_may_approve": task.raw.get("requester_may_approve", False),
        }
