"""Triggers of a document: what is wrong with them beyond their shape. Pure; no clock is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pipelines.document import Node
from pipelines.problems import At, Problems, listed, shorten
from pipelines.task_kinds.base import place

_FORMS: Final = ("schedule", "every", "artifact", "webhook")
_SCHEDULE_KEYS: Final = ("timezone", "catchup", "exclude")
# cronsim wants a moment to begin at; any will do to read an expression.
_SOME_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def check_triggers(triggers: dict[str, dict[str, Any]], root: Node, problems: Problems) -> None:
    """Notes the problems of every trigger."""
    for name, trigger in triggers.items():
        for code, keys, message in _faults(name, trigger, problems):
            at = place(root, ("triggers", name, *keys), At(root.line, root.column))
            path = ".".join(["triggers", name, *(str(key) for key in keys)])
            problems.error(code, at, path, message)


_Fault = tuple[str, tuple[str | int, ...], str]


def _faults(name: str, trigger: dict[str, Any], problems: Problems) -> Iterator[_Fault]:
    forms = [form for form in _FORMS if form in trigger]
    if len(forms) != 1:
        have = f"it has {listed(forms)}" if forms else "it has none"
        yield "one-of", (), f"The trigger '{name}' is one of {listed(_FORMS)}; {have}."
    elif forms[0] in ("artifact", "webhook"):
        for key in _SCHEDULE_KEYS:
            if key in trigger:
                yield "unknown-key", (key,), f"'{key}' belongs to a schedule: remove it from '{name}'."
    if "schedule" in trigger and (why := _bad_schedule(trigger["schedule"])):
        yield "bad-schedule", ("schedule",), f"'{shorten(trigger['schedule'])}' is no cron expression: {why}."
    if "timezone" in trigger and not _is_zone(trigger["timezone"]):
        hint, _ = problems.hint(trigger["timezone"], _zones(), "Write one such as Europe/Zurich.")
        yield (
            "unknown-timezone",
            ("timezone",),
            f"There is no time zone '{shorten(trigger['timezone'])}'.{hint}",
        )
    for number, day in enumerate(trigger.get("exclude", ())):
        if not _is_date(day):
            yield "bad-date", ("exclude", number), f"'{day}' is not a day of the calendar."


def _bad_schedule(text: str) -> str | None:
    from cronsim import CronSim, CronSimError

    if len(text) > 200:
        return "it is too long"
    try:
        CronSim(text, _SOME_MOMENT)
    except CronSimError as error:
        return str(error).lower() or "write five fields, such as 0 6 * * 1-5"
    return None


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
