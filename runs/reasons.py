"""Why a task or an attempt ended as it did, in words a person reads. Pure."""

from __future__ import annotations

import signal

# Exit codes above this say which signal ended the process, as shells do.
SIGNAL_BASE = 128

TASK_WORDS = {
    "reused": "Its result was taken from an earlier run.",
    "condition_false": "Its condition was false.",
    "condition_error": "Its condition could not be evaluated",
    "upstream": "A task before it failed.",
    "deadline": "Nobody decided before the deadline.",
    "poison": "Its worker was lost three times; it is not tried again.",
    "by_person": "A person decided so.",
    "overlap": "A newer run of the pipeline took its place.",
}

REASON_WORDS = {
    "exit": "exit",
    "infrastructure": "a fault of the machine or of what it needs",
    "transient": "temporary failure",
    "validation": "what it was given or made is not as it should be",
    "lease": "its worker was lost",
    "drained": "its worker was stopped before it could end",
}
# What an attempt says in these cases adds nothing, or says as good as the same.
TASK_WORDS_ENOUGH = ("poison", "overlap")
# Their causes are whole sentences of ours, so that no head is put before them.
SPEAK_FOR_THEMSELVES = ("infrastructure", "validation", "drained")

SIGNAL_WORDS = {
    "SIGKILL": "killed",
    "SIGTERM": "asked to stop",
    "SIGINT": "interrupted",
    "SIGSEGV": "invalid memory access",
    "SIGABRT": "aborted",
    "SIGBUS": "bus error",
    "SIGFPE": "arithmetic error",
    "SIGILL": "illegal instruction",
    "SIGXCPU": "processor time limit",
    "SIGXFSZ": "file size limit",
    "SIGPIPE": "broken pipe",
}


def exit_words(exit_code: int) -> str:
    """``exit 1``; with the signal's meaning where the code names one: ``exit 137: killed``.

    Takes both ways of naming a signal: 137 as shells do, -9 as Python does.
    """
    number = -exit_code if exit_code < 0 else exit_code - SIGNAL_BASE
    shown = SIGNAL_BASE - exit_code if exit_code < 0 else exit_code
    try:
        name = signal.Signals(number).name if number > 0 else ""
    except ValueError:
        name = ""
    return f"exit {shown}: {SIGNAL_WORDS.get(name, name)}" if name else f"exit {shown}"


def duration_words(seconds: float) -> str:
    """``90s``, ``5m``, ``1h 30m``, ``1d``: the two largest units, whole numbers; below 10 s with decimals."""
    if seconds < 10:
        return f"{seconds:g}s"
    left = round(seconds)
    if left < 100:
        return f"{left}s"
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def memory_words(size: int | None) -> str:
    """``2 GiB``, ``512 MiB``: bytes in the largest unit that keeps the number at one or more."""
    if size is None:
        return "its limit"
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"


def attempt_words(
    reason: str,
    cause: str = "",
    *,
    exit_code: int | None = None,
    timeout: float | None = None,
    memory: int | None = None,
) -> str:
    """One line on why an attempt ended: its reason in words, then the first line of its cause.

    ``timeout`` is in seconds, ``memory`` in bytes; both are the task's limits.
    """
    said = first_line(cause)
    if reason == "exit" and exit_code is not None:
        return exit_words(exit_code) if exit_code else said or exit_words(exit_code)
    if reason == "timeout":
        return (
            f"timeout after {duration_words(timeout)}"
            if timeout
            else f"timeout: {said}"
            if said
            else "timeout"
        )
    if reason == "oom":
        return f"out of memory: {said or f'more than {memory_words(memory)}'}"
    head = REASON_WORDS.get(reason, "")
    if reason == "lease":
        return head
    if said and reason in SPEAK_FOR_THEMSELVES:
        return said
    return f"{head}: {said}" if head and said else head or said or reason


def task_words(reason: str, cause: str = "") -> str:
    """One line on why a task without a telling attempt is in its state; empty when nothing is to be said."""
    words = TASK_WORDS.get(reason, "")
    said = "" if reason in TASK_WORDS_ENOUGH else first_line(cause)
    if said and reason == "by_person":  # of a cancelled attempt: a newer run may have been behind it as well
        return f"{said[0].upper()}{said[1:]}."
    if said:
        return f"{words.rstrip('.')}: {said}" if words else said
    return words if words.endswith(".") or not words else f"{words}."


def first_line(text: str, limit: int = 300) -> str:
    """The first line that says something, cut at ``limit`` characters."""
    for line in text.splitlines():
        if line.strip():
            cut = line.strip()
            return cut if len(cut) <= limit else cut[: limit - 1] + "…"
    return ""
