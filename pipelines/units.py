"""Durations and sizes as people write them. Pure."""

from __future__ import annotations

import re
from typing import Final

# `(?!\n)$` and not `$` alone: the latter would accept a line break after the last character.
# At most some thirty years, whatever the unit.
DURATION_PATTERN: Final = (
    r"^(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|s)|[0-9]{1,6}(?:\.[0-9]{1,9})?m"
    r"|[0-9]{1,5}(?:\.[0-9]{1,9})?h|[0-9]{1,4}(?:\.[0-9]{1,9})?d)(?!\n)$"
)
SIZE_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,9})?(Ki|Mi|Gi|Ti|k|M|G|T)(?!\n)$"

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
}
_DURATION = re.compile(DURATION_PATTERN)
_SIZE = re.compile(SIZE_PATTERN)


def duration_seconds(text: str) -> float:
    """`500ms`, `30s`, `15m`, `1.5h`, `1d` -> seconds. ValueError for anything else."""
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a number and ms, s, m, h or d, such as 30s")
    unit = text.lstrip("0123456789.")
    # Rounded to the microsecond, so that 0.1 * 60 stays 6.0 in the digest of a version.
    return round(float(text[: -len(unit)]) * _SECONDS[unit], 6)


def size_bytes(text: str) -> int:
    """`512Mi`, `2Gi` (powers of 1024), `2G` (powers of 1000) -> bytes. ValueError for anything else."""
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size: write a number and Ki, Mi, Gi or Ti, such as 2Gi")
    unit = match.group(2)
    return int(float(text[: -len(unit)]) * _BYTES[unit])
