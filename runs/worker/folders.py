"""The folders that attempts work in: one for each, removed after it, also when its worker died.

A file system takes many times longer to make and remove folders than to give one another name. So those that
an attempt has left just as they were made are kept, under its name, until the next one gets them.

work/<token>             where an attempt works, at `shared user`
work/<token>.kept        what it has left for the next one
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
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import structlog
from django.conf import settings

log = structlog.get_logger()

PRIVATE: Final = 0o700
MOST_KEPT: Final = 2  # empty folders that one worker keeps for one user
KEPT: Final = ".kept"


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
    os.mkdir(folder, PRIVATE)
    os.mkdir(folder / "outputs", PRIVATE)
    # The outer one last: inside it the user may move whatever root is about to touch.
    for each in (folder / "outputs", folder):
        os.chown(each, uid, uid)


def make(folder: Path) -> None:
    """The folder and its place for outputs, and the one for temporary files. Raises OSError."""
    root().mkdir(parents=True, exist_ok=True)
    os.mkdir(folder, PRIVATE)
    os.mkdir(folder / "outputs", PRIVATE)
    os.mkdir(temporary(folder), PRIVATE)


def is_as_made(folder: Path, uid: int) -> bool:
    """Are the folders of an attempt of this user as empty and as closed as they were made?"""
    wanted = {folder: ["outputs"], folder / "outputs": []}
    if folder.parent == root():
        wanted[temporary(folder)] = []
    return all(_is_private(each, uid) and os.listdir(each) == names for each, names in wanted.items())


def _is_private(folder: Path, uid: int) -> bool:
    """Is it a folder that this user alone may enter, without attributes, such as lists of others who may?"""
    known = os.lstat(folder)
    private = stat.S_ISDIR(known.st_mode) and stat.S_IMODE(known.st_mode) == PRIVATE
    return private and known.st_uid == uid and not os.listxattr(folder, follow_symlinks=False)


def rename(folder: Path, to: Path) -> None:
    """Give the folders of an attempt that has ended to another one of the same user.

    Raises OSError, when somebody else has taken them; then nothing is left of them here.
    """
    os.rename(folder, to)
    if folder.parent == root():
        try:
            os.rename(temporary(folder), temporary(to))
        except OSError:
            remove(to)
            raise


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
    remove_apart(lent(folder))
    gone = root() / f"{folder.name}.gone"
    try:
        os.rename(folder, gone)
    except FileNotFoundError:
        return
    remove_apart(gone)


def remove_left(entry: Path) -> None:
    """What `left` has found of an attempt that has ended."""
    if entry.suffix == KEPT:
        remove_kept(entry)
    else:
        remove_apart(entry) if entry.suffix else remove(entry)


def remove_kept(folder: Path) -> None:
    """What a worker keeps that may live: of the two that want it, one gets it."""
    back = folder.with_suffix("")
    with suppress(OSError):
        rename(folder, back)
        remove(back)


def remove_tree(folder: Path) -> None:
    """A folder and all in it, also where the task has closed folders or has put too many into each other."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        open_folders(folder)
        remove_apart(folder)


def remove_apart(folder: Path) -> None:
    """A folder and all in it that this process may enter; no link is followed, at any depth.

    In a process of its own: `shutil` has every folder on the way down open, and this one needs descriptors.
    """
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)


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
    """Gives attempts their folders, and takes those of the ended ones when there is time for it.

    Belongs to one thread; what has to be removed, that may take long, is removed in another.
    """

    def __init__(self) -> None:
        self._ended: list[tuple[Path, int | None]] = []
        self._kept: dict[int | None, deque[Path]] = {}
        self._unwanted: SimpleQueue[Path | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="janitor", daemon=True)
        self._thread.start()

    def make(self, folder: Path, uid: int | None = None) -> None:
        """The folders of an attempt, of a team's user if one is named. Raises OSError."""
        kept = self._kept.setdefault(uid, deque())
        while kept:
            with suppress(OSError):  # a worker that has just started took it for left behind
                rename(kept.popleft(), folder)
                return
        make(folder) if uid is None else make_owned(folder, uid)

    def remove(self, folder: Path, uid: int | None = None) -> None:
        """The attempt has ended: its folders may be kept or removed at the next look."""
        self._ended.append((folder, uid))

    def look(self) -> None:
        """Keep what the next attempts may have, and have the rest removed soon."""
        while self._ended:
            folder, uid = self._ended.pop()
            kept = self._kept.setdefault(uid, deque())
            if len(kept) < MOST_KEPT and _may_be_kept(folder, uid) and (again := _kept(folder)):
                kept.append(again)
            else:
                self._unwanted.put(folder)

    def close(self) -> None:
        """Remove what is left; returns when that is done, or after 5 s."""
        self.look()
        for kept in self._kept.values():
            while kept:
                self._unwanted.put(kept.popleft())
        self._unwanted.put(None)
        self._thread.join(5.0)

    def _work(self) -> None:
        while (folder := self._unwanted.get()) is not None:
            try:
                remove(folder)
            except OSError as problem:  # it is found again when a worker starts
                log.warning("a folder was not removed", folder=str(folder), error=str(problem))


def _may_be_kept(folder: Path, uid: int | None) -> bool:
    """Is it as it was made, and no input is lent to it any more?"""
    try:
        return is_as_made(folder, os.geteuid() if uid is None else uid) and not lent(folder).exists()
    except OSError:
        return False


def _kept(folder: Path) -> Path | None:
    """Put a folder where the next attempt finds it; None when it could not be put there."""
    to = folder.with_suffix(KEPT)
    try:
        rename(folder, to)
    except OSError:
        return None
    return to
