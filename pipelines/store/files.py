"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.store.errors import StoreAway, StoreFull

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """What the system says about writing in `folder`, as StoreFull or StoreAway."""
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL:
            raise StoreFull(
                f"no space is left in {folder}: free some there, or give it a larger disk"
            ) from problem
        raise StoreAway(f"{folder} cannot be written: {problem.strerror}") from problem


def write_all(number: int, data: bytes) -> None:
    """Also where the system takes a part at a time. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]


def private_folder(folder: Path) -> Path:
    """The folder, made for us alone where it is missing."""
    if not folder.is_dir():
        with in_words(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class Temporary:
    """A file that is written in `folder` and either moved to its final name or removed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with in_words(folder):
            self.number, name = tempfile.mkstemp(dir=folder, prefix="put-")
        self.path = Path(name)

    def write(self, data: bytes) -> None:
        """Raises StoreFull, StoreAway."""
        with in_words(self.folder):
            write_all(self.number, data)

    def move_to(self, target: Path) -> None:
        """On disk before it has its name: a name must not stand for bytes that a power cut takes away."""
        with in_words(target.parent):
            settle(self.number, self.path, target)

    def __enter__(self) -> Temporary:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)
        self.path.unlink(missing_ok=True)


def settle(number: int, path: Path, target: Path, *, replace: bool = True) -> None:
    """Give the whole file behind a descriptor its final name, read-only. Raises OSError.

    Without `replace` a file that has the name already keeps it.
    """
    os.fchmod(number, 0o400)
    os.fsync(number)
    if replace:
        os.replace(path, target)
    else:
        with suppress(FileExistsError):
            os.link(path, target)
        path.unlink()
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove_left(folder: Path, older_than: float, prefix: str = "") -> int:
    """Remove what nobody has written for so many seconds: of processes that were killed. Returns how much.

    `prefix`: only what has a name that begins with it.
    """
    before, count = time.time() - older_than, 0
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            with suppress(OSError):
                if entry.name.startswith(prefix) and entry.stat(follow_symlinks=False).st_mtime < before:
                    shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(
                        entry.path
                    )
                    count += 1
    return count
