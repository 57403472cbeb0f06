"""The folders that attempts work in: made for each, removed after it, also when its worker died.

work/<token>             where an attempt works, at `shared user`
work/<uid>/<token>       the same at `own user`: the folder above lets only that user pass and is root's
work/<uid>/<token>.in    the inputs lent to it, for reading
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import structlog
from django.conf import settings

log = structlog.get_logger()


def root() -> Path:
    """Where the folders of all attempts of this home lie."""
    return Path(settings.ORCHESTRATOR["HOME"]) / "work"


def of_attempt(token: str, uid: int | None = None) -> Path:
    """The folder of one attempt. ``uid``: the user of its team that carries it out, if there is one."""
    return root() / token if uid is None else root() / str(uid) / token


def lent(folder: Path) -> Path:
    """Where the inputs lie that are lent to the attempt that works in ``folder``."""
    return folder.with_name(folder.name + ".in")


def left() -> Iterator[Path]:
    """Everything that was made for attempts: named by the token, after which a suffix may come."""
    for entry in root().iterdir() if root().is_dir() else ():
        yield from entry.iterdir() if entry.name.isdecimal() else (entry,)


def temporary(folder: Path) -> Path:
    """Where the attempt that works in ``folder`` has its temporary files; short, as sockets may lie there."""
    return Path(tempfile.gettempdir()) / f"attempt-{folder.name}"


def make_for(uid: int) -> Path:
    """The folder above those of a user's attempts: it may pass through and change nothing. Raises OSError."""
    folder = root() / str(uid)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_gid != uid:
        os.chmod(folder, 0o710)  # noqa: S103 - its group is the user alone
        os.chown(folder, 0, uid)
    return folder


def make_owned(folder: Path, uid: int) -> None:
    """The folder of a user's attempt and its place for outputs. Raises OSError."""
    make_for(uid)
    os.mkdir(folder, 0o700)
    os.mkdir(folder / "outputs", 0o700)
    # The outer one last: inside it the user may move whatever root is about to touch.
    for each in (folder / "outputs", folder):
        os.chown(each, uid, uid)


def make(folder: Path) -> None:
    """The folder and its place for outputs, and the one for temporary files. Raises OSError."""
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        folder.mkdir(parents=True)
    os.mkdir(folder / "outputs")
    os.mkdir(temporary(folder), mode=0o700)


def remove(folder: Path) -> None:
    """Everything in both and themselves; what cannot be removed is found again when a worker starts."""
    if folder.parent != root():
        remove_owned(folder)
        return
    try:
        os.rmdir(temporary(folder))
        os.rmdir(folder / "outputs")
        os.rmdir(folder)
    except OSError:
        for each in (temporary(folder), folder):
            remove_tree(each)


def remove_owned(folder: Path) -> None:
    """The same for what a team's user owns: first it is put where that user can exchange nothing."""
    remove_as_root(lent(folder))
    gone = root() / f"{folder.name}.gone"
    try:
        os.rename(folder, gone)
    except FileNotFoundError:
        return
    remove_as_root(gone)


def remove_left(entry: Path) -> None:
    """What `left` has found of an attempt that has ended."""
    remove_as_root(entry) if entry.suffix else remove(entry)


def remove_as_root(folder: Path) -> None:
    """A folder and all in it, as root, who may enter everything; no link is followed, at any depth.

    In a process of its own: `shutil` has every folder on the way down open, and this one needs descriptors.
    """
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)


def remove_tree(folder: Path) -> None:
    """A folder and all in it, also where the task has closed folders or has put too many into each other."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except RecursionError:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)
    except OSError:
        open_folders(folder)
        shutil.rmtree(folder, ignore_errors=True)


def open_folders(folder: Path) -> None:
    """Give the owner back the rights in a folder and those below it; links are not followed, up or down."""
    waiting = [str(folder)]
    while waiting:
        path = waiting.pop()
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                os.chmod(path, 0o700)
                with os.scandir(path) as entries:
                    waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue


class Janitor:
    """Removes folders while the worker is busy with the next attempt already."""

    def __init__(self) -> None:
        self._folders: SimpleQueue[Path | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="janitor", daemon=True)
        self._thread.start()

    def remove(self, folder: Path) -> None:
        """Have a folder removed soon; returns at once."""
        self._folders.put(folder)

    def close(self) -> None:
        """Remove what is left; returns when that is done, or after 5 s."""
        self._folders.put(None)
        self._thread.join(5.0)

    def _work(self) -> None:
        while (folder := self._folders.get()) is not None:
            try:
                remove(folder)
            except OSError as problem:  # it is found again when a worker starts
                log.warning("a folder was not removed", folder=str(folder), error=str(problem))
