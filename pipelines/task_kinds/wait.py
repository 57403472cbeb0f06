"""wait: until a time, for a while, for a file, an artifact or an answer. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.problems import listed
from pipelines.task_kinds.base import DURATION, Desk, Draft, Kind, Ports

_FORMS = ("until", "for", "file", "artifact", "http")


class Wait(Kind):
    """One of `until`, `for`, `file`, `artifact`, `http`."""

    name = "wait"
    label = "a wait"
    title = "Wait"
    description = "Waits for a time, a file, an artifact or an answer."
    category = "Flow"
    starter = {"for": "1m"}
    available = False
    worked = False
    keys = {
        "until": {"type": "string", "minLength": 1},
        "for": DURATION,
        "file": {"type": "string", "minLength": 1},
        "artifact": {"type": "string", "minLength": 1},
        "http": {"type": "string", "minLength": 1},
    }

    def ports(self, task: Draft, desk: Desk) -> Ports:
        return Ports()

    def check(self, task: Draft, desk: Desk) -> None:
        found = [key for key in _FORMS if key in task.raw]
        if len(found) != 1 and not task.broken:
            have = f"it has {listed(found)}" if found else "it has none"
            message = f"'{task.name}' waits for one of {listed(_FORMS)}; {have}."
            desk.problems.error("one-of", task.at, task.path, message)
