"""A store in a folder of this machine.

Layout, everything 0700, contents read-only:

    sha256/ab/abcd…     the bytes of one file
    trash/abcd…         bytes that nothing refers to, on their way out
    folders/abcd…/      a folder put together again from its manifest, made when somebody asks for it
    tenants/            the names of the installations that use this store
    tmp/                what is being written; renamed into place when whole
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipelines.store.errors import NotStored, StoreAway
from pipelines.store.files import Temporary, in_words, private_folder, remove_left
from pipelines.store.place import Found


class FolderPlace:
    remote = False
    lanes = 1

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = f"{root}/sha256/"

    @property
    def disk(self) -> Path:
        return self.root

    def address(self, sha256: str) -> str:
        return self._path(sha256).as_uri()

    def writing(self) -> Temporary:
        return Temporary(self._folder("tmp"))

    def keep(self, file: Temporary, sha256: str, size: int) -> None:
        if self.size(sha256) is None:
            self._folder("sha256", sha256[:2])
            file.move_to(self._path(sha256))

    def size(self, sha256: str) -> int | None:
        try:
            return os.stat(f"{self._base}{sha256[:2]}/{sha256}").st_size
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise StoreAway(f"the store {self.root} cannot be read: {problem.strerror}") from problem

    def open(self, sha256: str) -> BinaryIO:
        try:
            return open(f"{self._base}{sha256[:2]}/{sha256}", "rb")
        except FileNotFoundError:
            raise NotStored.of(sha256) from None
        except OSError as problem:
            raise StoreAway(f"the store {self.root} cannot be read: {problem.strerror}") from problem

    original = open

    def path(self, sha256: str) -> Path:
        if self.size(sha256) is None:
            raise NotStored.of(sha256)
        return self._path(sha256)

    @contextmanager
    def borrowed(self, sha256: str) -> Iterator[Path]:
        yield self.path(sha256)

    def folders(self) -> Path:
        return self._folder("folders")

    def hold(self, folder: Path) -> bool:
        return folder.is_dir()

    def release(self) -> None:
        """Nothing of a folder is taken away while it is referred to."""

    def check(self) -> None:
        with self.writing() as file:
            file.write(b"?")

    def listed(self, *, trash: bool = False) -> Iterator[Found]:
        folders = [self.root / "trash"] if trash else sorted(self.root.glob("sha256/*"))
        for folder in folders:
            for path in sorted(folder.glob("*")):
                with suppress(FileNotFoundError):
                    facts = path.stat()
                    yield Found(path.name, facts.st_size, facts.st_mtime)

    def trash(self, sha256: str) -> None:
        target = self._folder("trash") / sha256
        with in_words(self.root), suppress(FileNotFoundError):
            os.utime(self._path(sha256))  # from now on its time is that of its being put aside
            os.rename(self._path(sha256), target)

    def restore(self, sha256: str) -> bool:
        aside = self.root / "trash" / sha256
        if not aside.is_file():
            return self.size(sha256) is not None
        self._folder("sha256", sha256[:2])
        with in_words(self.root):
            try:
                os.rename(aside, self._path(sha256))
            except FileNotFoundError:  # another process was quicker
                return self.size(sha256) is not None
        return True

    def remove(self, sha256: str) -> None:
        with in_words(self.root):
            (self.root / "trash" / sha256).unlink(missing_ok=True)
        if self.size(sha256) is None:
            shutil.rmtree(self.root / "folders" / sha256, ignore_errors=True)

    def tenants(self) -> set[str]:
        with in_words(self.root):
            return set(os.listdir(self._folder("tenants")))

    def enter(self, tenant: str) -> None:
        with in_words(self.root):
            (self._folder("tenants") / tenant).touch(mode=0o600)

    def leave(self, tenant: str) -> None:
        with in_words(self.root):
            (self.root / "tenants" / tenant).unlink(missing_ok=True)

    def tidy(self, older_than: float) -> int:
        making = remove_left(self.root / "folders", older_than, prefix=".")
        return making + remove_left(self.root / "tmp", older_than)

    def _path(self, sha256: str) -> Path:
        return self.root / "sha256" / sha256[:2] / sha256

    def _folder(self, *names: str) -> Path:
        folder = self.root.joinpath(*names)
        if not folder.is_dir():
            private_folder(self.root)
            private_folder(folder)
        return folder
