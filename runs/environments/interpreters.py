"""The Python interpreters of this machine, and the one that some code wants. No ORM, no settings.

What code wants is a version specifier (PEP 440) such as ">=3.12,<3.14"; "" is content with the product's own.
Nothing is ever downloaded: what is not there is said, with what is.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from runs.environments import uv

LIST_TIMEOUT = 60.0  # seconds
REMEMBERED = 60.0  # seconds for which a look at the machine is good

_seen: tuple[float, list[Python]] | None = None


@dataclass(frozen=True)
class Python:
    """An interpreter: its version, as "3.12.1", and its path."""

    version: str
    path: str


class PythonMissing(uv.BuildFailed):
    """No interpreter here is of the wanted version; the message names those that are."""

    def __init__(self, wanted: str, present: Iterable[str]) -> None:
        super().__init__(missing_words(wanted, present))
        self.wanted = wanted


def missing_words(wanted: str, present: Iterable[str]) -> str:
    """`it wants Python >=3.14, and here are 3.11.7 and 3.12.1: install one, or change …`"""
    have = " and ".join(dict.fromkeys(present)) or "none that is known"
    return (
        f"it wants Python {wanted}, and there is only {have}: install a fitting Python on the machines of "
        "the workers and build again, or change requires-python, .python-version or the lock file"
    )


def own() -> Python:
    """The interpreter that runs the product."""
    return Python(platform.python_version(), sys.executable)


def fits(wanted: str, version: str) -> bool:
    """Is the version what is wanted? A specifier that cannot be read is fitted by nothing."""
    try:
        return SpecifierSet(wanted, prereleases=True).contains(version)
    except InvalidSpecifier:
        return False


def choose(wanted: str) -> Python:
    """The product's own interpreter if it fits, else the newest that does.

    Raises PythonMissing, and BuildFailed where the machine cannot be looked at.
    """
    mine = own()
    if not wanted or fits(wanted, mine.version):
        return mine
    here = present()
    fitting = [python for python in here if fits(wanted, python.version)]
    if not fitting:
        raise PythonMissing(wanted, [python.version for python in here])
    return fitting[0]


def present(*, fresh: bool = False) -> list[Python]:
    """Those of this machine: the product's own, then the others, newest first. Raises BuildFailed."""
    global _seen
    if fresh or _seen is None or time.monotonic() - _seen[0] > REMEMBERED:
        _seen = time.monotonic(), _look()
    return _seen[1]


def _look() -> list[Python]:
    command = [uv.program(), "python", "list", "--only-installed", "--offline", "--output-format", "json"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            said = subprocess.run(
                command, capture_output=True, text=True, timeout=LIST_TIMEOUT, check=True, cwd="/",
                env=uv.environment(Path(folder)),
            ).stdout  # fmt: skip
            found = json.loads(said)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise uv.BuildFailed(
                f"the interpreters of this machine could not be listed by uv: {error}"
            ) from None
    return _in_order(found)


def _in_order(found: list[dict[str, object]]) -> list[Python]:
    """CPython without variants, one per version, in uv's order: newest first."""
    usual = [row for row in found if row["implementation"] == "cpython" and row["variant"] == "default"]
    by_version = {own().version: own()}
    for row in usual:
        by_version.setdefault(str(row["version"]), Python(str(row["version"]), str(row["path"])))
    return list(by_version.values())
