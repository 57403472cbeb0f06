"""Environments on this machine's disk: their size, who uses them, and the removal of those nobody does.

No ORM, no settings. A process that uses an environment holds a shared lock on it (`Use`); removing takes the
exclusive one without waiting, so what is in use stays.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runs.environments.venvs import COMPLETE, environment_path

DAY = 86400.0  # seconds
BLOCK = 512  # bytes of st_blocks


@dataclass(frozen=True)
class Found:
    """An environment on this disk. `size`: bytes it occupies; `idle`: seconds since it was last used.

    Files that it shares with uv's cache count in `size`; `own` counts only those that go when it goes.
    """

    folder: Path
    size: int
    own: int
    idle: float


class Use:
    """Keeps one environment from being removed, until `end` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(folder.with_suffix(".use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def end(self) -> None:
        os.close(self.descriptor)


def touch(folder: Path) -> None:
    """Say that the environment is used now."""
    os.utime(folder / COMPLETE)


def measure(folder: Path) -> tuple[int, int]:
    """(bytes on the disk, bytes of files that nothing outside shares)."""
    size = own = 0
    seen: set[int] = set()
    for place, _, files in os.walk(folder):
        for name in files:
            facts = os.lstat(os.path.join(place, name))
            if facts.st_ino in seen:
                continue
            seen.add(facts.st_ino)
            size += facts.st_blocks * BLOCK
            own += facts.st_blocks * BLOCK if facts.st_nlink == 1 else 0
    return size, own


def found(cache: Path) -> list[Found]:
    """The complete environments of this disk, the longest unused first."""
    now = time.time()
    rows = []
    for mark in (cache / "envs").glob(f"*/{COMPLETE}"):
        size, own = measure(mark.parent)
        rows.append(Found(mark.parent, size, own, max(0.0, now - mark.stat().st_mtime)))
    return sorted(rows, key=lambda row: -row.idle)


def prunable(cache: Path, days: float, keep: Iterable[Path]) -> list[Found]:
    """What was not used for `days` days, but for those to keep and those that a process runs on."""
    kept = set(keep)
    old = [row for row in found(cache) if row.idle >= days * DAY and row.folder not in kept]
    return [row for row in old if not is_running(row.folder)]


def is_running(folder: Path) -> bool:
    """Does a process of this machine, a zygote that waits say, run with the environment's interpreter?"""
    begin = os.fsencode(folder) + b"/"
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if line.read_bytes().startswith(begin):
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False


def remove(folder: Path) -> bool:
    """Remove an environment unless a process uses it; False when one does."""
    use = os.open(folder.with_suffix(".use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Without the mark it is not taken for complete, should we be stopped half way.
        (folder / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(folder)
        folder.with_suffix(".log").unlink(missing_ok=True)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(use)


def paths_of(cache: Path, wanted: Iterable[tuple[str, str]]) -> list[Path]:
    """The folders of environments by (sha256 of the lock, Python version)."""
    return [environment_path(cache, lock, python) for lock, python in wanted]
