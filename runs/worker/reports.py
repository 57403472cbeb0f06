"""What is known of an attempt that has ended: the report of its runner, or words for the way it ended.

User code can write where the runner writes, so a report is believed in its shape only, and nothing in it
reaches a path outside the attempt's folder.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any, Final

Message = dict[str, Any]

REPORT_LIMIT: Final = 64 * 1024 * 1024  # bytes
WORDS_LIMIT: Final = 128 * 1024  # characters of a message or traceback
NAME_LIMIT: Final = 255  # characters of a name, type or media type
META_LIMIT: Final = 256 * 1024  # bytes of JSON beside one output
OUTPUTS_LIMIT: Final = 10_000
# What a task may say about its own failure; all other reasons are for the worker to find.
OWN_REASONS: Final = frozenset({"error", "exit", "validation", "transient"})
# A runner may suspect it; the worker looks for itself before it believes that.
SUSPECTED: Final = "infrastructure"


class Unbelievable(Exception):
    """A report that no runner of ours writes; the text says what is wrong with it."""


def read_report(fd: int, work: str) -> Message | None:
    """What a runner left to say; None when it ended without a word. Raises Unbelievable."""
    size = os.fstat(fd).st_size
    if size == 0:
        return None
    if size > REPORT_LIMIT:
        raise Unbelievable(f"it has {size:,} bytes, more than {REPORT_LIMIT:,}")
    body = os.pread(fd, size, 0)
    if not body.endswith(b"}\n"):
        raise Unbelievable("it has no end")
    try:
        report = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise Unbelievable(f"it is not JSON: {problem}") from None
    _check(report, os.path.realpath(work))
    found: Message = report
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _check(report: Any, work: str) -> None:
    _demand(isinstance(report, dict), "it is not an object")
    for name in ("metrics", "seeds", "series", "progress"):
        _demand(isinstance(report.get(name, {}), dict), f"its {name} are not an object")
    if "error" in report:
        _check_error(report["error"])
        return
    outputs = report.get("outputs")
    _demand(isinstance(outputs, list) and len(outputs) <= OUTPUTS_LIMIT, "it has no list of outputs")
    for output in outputs:
        _check_output(output, work)
    names = [output["name"] for output in outputs]
    _demand(len(set(names)) == len(names), "it names an output twice")


def _check_error(error: Any) -> None:
    _demand(isinstance(error, dict), "its error is not an object")
    _demand(error.get("reason") in {*OWN_REASONS, SUSPECTED}, "its error has no reason that a task may give")
    _demand(_is_text(error.get("type"), NAME_LIMIT), "its error has no type")
    for name in ("message", "traceback"):
        _demand(_is_text(error.get(name), WORDS_LIMIT), f"its error has no {name}")
    line = error.get("line")
    _demand(line is None or type(line) is int, "its error has a line that is no number")


def _check_output(output: Any, work: str) -> None:
    _demand(isinstance(output, dict), "an output is not an object")
    for name in ("name", "type"):
        _demand(_is_text(output.get(name), NAME_LIMIT), f"an output has no {name}")
    media_type = output.get("media_type")
    _demand(media_type is None or _is_text(media_type, NAME_LIMIT), "an output has a strange media type")
    meta = output.get("meta", {})
    _demand(isinstance(meta, dict) and len(json.dumps(meta)) <= META_LIMIT, "an output says too much")
    path = output.get("path")
    if path is not None:
        _demand(isinstance(path, str) and "\0" not in path, "an output has no path")
        inside = os.path.realpath(path).startswith(work + os.sep)
        _demand(inside and not os.path.islink(path), "an output lies outside the attempt's folder")


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Unbelievable(otherwise)


def event_of(body: bytes) -> Message:
    """A message of a zygote. Raises Unbelievable: modules of `preload` run there and may write anything.

    What stands in it beside its own words is dropped: a result comes from the runner, by its report.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise Unbelievable(f"it is not JSON: {problem}") from None
    _demand(isinstance(event, dict) and event.get("event") in EVENTS, "it is no event")
    fields = EVENTS[event["event"]]
    for name, holds in fields.items():
        _demand(name in event and holds(event[name]), f"its {name} is not what it should be")
    return {name: event[name] for name in ("event", *fields)}


def _is_number(value: Any) -> bool:
    return type(value) is int


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_object_or_none(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_words_or_none(value: Any) -> bool:
    return value is None or _is_text(value, NAME_LIMIT)


def _are_problems(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(problem, WORDS_LIMIT) for problem in value.values())


def _is_passed_or_none(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    return value.get("what") in PASSED and _is_number(value.get("limit")) and _is_number(value.get("held"))


def result_of(event: Message, fd: int, work: str) -> Message:
    """The result of an attempt that ended as the event says: its report, or the error that it amounts to.

    `killed` says that we ended it; what it had to say before does not matter then.
    """
    if event.get("passed"):
        return {"error": passed_limit(event["passed"])}
    try:
        return read_report(fd, work) or {"error": silent_end(event)}
    except Unbelievable as problem:
        words = f"{silent_words(event)}, and its report was not written by us: {problem}"
        return {"error": error("exit", "Report", words)}


def silent_end(event: Message) -> Message:
    """The error of an attempt that was ended without a report, by somebody or by its own hand."""
    kind = describe(-event["signal"]) if event["signal"] is not None else "Exit"
    return error("exit", kind, silent_words(event))


def silent_words(event: Message) -> str:
    if event["signal"] is not None:
        return f"the process was ended by {describe(-event['signal'])}"
    return f"the process ended with exit code {event['exit']} and no report of a result"


def passed_limit(passed: Message) -> Message:
    """The error of an attempt that was ended for one of its limits."""
    reason, kind, words = PASSED[passed["what"]]
    return error(reason, kind, words(passed["held"], passed["limit"]))


def megabytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"


def _memory(held: int, limit: int) -> str:
    return f"the task held {megabytes(held)}, more than its limit of {megabytes(limit)}"


def _machine(held: int, _limit: int) -> str:
    return f"the machine had no memory left, and its kernel ended the task, which held {megabytes(held)}"


def _container(held: int, limit: int) -> str:
    return (
        f"the kernel ended the task at the limit of its container, which {megabytes(limit)} are for: "
        f"one process held {megabytes(held)}"
    )


def _processes(held: int, limit: int) -> str:
    return f"the task had {held:,} processes at a time, more than its limit of {limit:,}"


def _disk(held: int, limit: int) -> str:
    return f"the task filled {megabytes(held)} of the disk, more than its limit of {megabytes(limit)}"


def _files(_held: int, limit: int) -> str:
    return f"the task made more than {limit:,} files and folders"


# what was passed -> reason, type, words
PASSED: Final[dict[str, tuple[str, str, Callable[[int, int], str]]]] = {
    "memory": ("oom", "MemoryLimit", _memory),
    "machine": ("oom", "MemoryOfTheMachine", _machine),
    "container": ("oom", "MemoryLimit", _container),
    "processes": ("validation", "ProcessLimit", _processes),
    "disk": ("validation", "DiskLimit", _disk),
    "files": ("validation", "FileLimit", _files),
}


# event -> what it tells, and whether that has the right shape
EVENTS: Final[dict[str, dict[str, Callable[[Any], bool]]]] = {
    "entered": {},
    "refused": {"message": lambda text: _is_text(text, WORDS_LIMIT)},
    "started": {"pid": _is_number, "preload_problems": _are_problems},
    "capture": {"provenance": lambda facts: isinstance(facts, dict)},
    "ended": {
        "exit": _is_number_or_none,
        "signal": _is_number_or_none,
        "killed": _is_words_or_none,
        "passed": _is_passed_or_none,
        "rusage": _is_object_or_none,
    },
}


def error(reason: str, kind: str, message: str) -> Message:
    return {"reason": reason, "type": kind, "message": message, "traceback": "", "line": None}


def describe(code: int) -> str:
    """A process's exit code, or the signal that ended it, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
