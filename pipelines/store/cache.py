"""Copies of remote bytes on this machine: of bounded size, shared by its processes, the oldest go first.

    files/abcd…     the bytes of one file
    folders/abcd…/  a folder put together from such files, by hard links
    tmp/            what is being fetched or sent; a fetch that broke off goes on from there

What somebody uses is locked (shared, by flock), and only what nobody has locked is removed: a lock ends with
its process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.store.files import in_words, private_folder, remove_left, settle

LEFT: Final = 24 * 3600  # seconds after which a fetch that broke off is not gone on with


@dataclass(frozen=True)
class Kept:
    """One file or folder of a cache. `size`: bytes that go with it."""

    path: Path
    size: int
    used: float


class Cache:
    """The copies below `root`, at most `most` bytes of them beside what is in use."""

    def __init__(self, root: Path, most: int) -> None:
        self.root, self.most = root, most
        self._held: list[int] = []
        weakref.finalize(self, _close, self._held)  # a store that nobody released does not keep them for ever
        self._lock = threading.Lock()
        # The first copy that enters is a moment to look after the others.
        self._grown = most
        # Is there more than there should be, because it was in use?
        self._over = False

    def path(self, sha256: str) -> Path:
        return self.root / "files" / sha256

    @property
    def folders(self) -> Path:
        return self._folder("folders")

    @property
    def tmp(self) -> Path:
        return self._folder("tmp")

    def _folder(self, name: str) -> Path:
        return private_folder(private_folder(self.root) / name)

    # --- using ----------------------------------------------------------------------------------------

    def hold(self, path: Path) -> bool:
        """Keep a copy until `release`; False when there is none."""
        number = locked(path, fcntl.LOCK_SH)
        if number is None:
            return False
        with self._lock:
            self._held.append(number)
        return True

    @contextmanager
    def borrowed(self, path: Path) -> Iterator[bool]:
        """The same for the length of a `with` block."""
        number = locked(path, fcntl.LOCK_SH)
        try:
            yield number is not None
        finally:
            if number is not None:
                os.close(number)
                self._trim_if_over()

    def release(self) -> None:
        with self._lock:
            _close(self._held)
        self._trim_if_over()

    def _trim_if_over(self) -> None:
        if self._over:
            self.trim()

    # --- growing and shrinking ------------------------------------------------------------------------

    def enter(self, number: int, path: Path, sha256: str) -> None:
        """Make a whole file of `tmp` the copy of these bytes, then make room. Raises StoreFull."""
        target = self._folder("files") / sha256
        with in_words(self.root):
            settle(number, path, target, replace=False)
        self._grown += os.fstat(number).st_size
        if self._grown > self.most // 20:
            self._grown = 0
            self.trim()

    def trim(self) -> None:
        """Remove what has been unused longest, until the rest is small enough."""
        remove_left(self.root / "tmp", LEFT)
        remove_left(self.root / "folders", LEFT, prefix=".")
        kept = sorted(self._kept(), key=lambda copy: copy.used)
        left = sum(copy.size for copy in kept)
        for copy in kept:
            if left <= self.most:
                break
            if self._remove(copy.path):
                left -= copy.size
        self._over = left > self.most

    def _kept(self) -> Iterator[Kept]:
        """Everything there is; bytes that a folder shares with a file count once."""
        seen: set[int] = set()
        for name in ("files", "folders"):
            with suppress(FileNotFoundError):
                for entry in os.scandir(self.root / name):
                    if entry.name.startswith("."):
                        continue  # being put together, or on its way out
                    with suppress(FileNotFoundError):
                        used = entry.stat(follow_symlinks=False).st_mtime
                        yield Kept(Path(entry.path), size_of(Path(entry.path), seen), used)

    def _remove(self, path: Path) -> bool:
        """False when somebody uses it."""
        number = locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB, use=False)
        if number is None:
            return False
        try:
            if path.is_dir():
                # Nobody may find half a folder under its name.
                aside = path.with_name(f".gone-{path.name}-{os.getpid()}")
                os.rename(path, aside)
                shutil.rmtree(aside, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            return False
        finally:
            os.close(number)
        return True


def _close(numbers: list[int]) -> None:
    while numbers:
        os.close(numbers.pop())


def locked(path: Path, how: int, *, use: bool = True) -> int | None:
    """A descriptor that holds a lock on what has this name now; None when there is nothing, or no lock."""
    while True:
        try:
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(number, how)
            if use:
                os.utime(number)
        except BlockingIOError:
            os.close(number)
            return None
        if is_named(number, path):
            return number
        os.close(number)


def is_named(number: int, path: Path) -> bool:
    """Is the open file still the one with this name? Before it was locked it may have been removed."""
    try:
        return os.path.samestat(os.fstat(number), os.stat(path))
    except FileNotFoundError:
        return False


def size_of(path: Path, seen: set[int]) -> int:
    """Bytes of a file, or of all files of a folder, without those whose inode was `seen`."""
    total = 0
    for facts in _facts(path):
        if facts.st_ino not in seen:
            seen.add(facts.st_ino)
            total += facts.st_size
    return total


def _facts(path: Path) -> Iterator[os.stat_result]:
    if not path.is_dir():
        yield path.stat()
        return
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                yield os.lstat(os.path.join(folder, name))
