"""The interface of a store: files and folders by digest, wherever their bytes lie.

A folder is known by its manifest: canonical JSON, a list sorted by path of {"path", "sha256", "size"} (and
"executable": true), or {"link", "path"} for a symbolic link. The sha256 of that text is the folder's digest.
Empty folders are not kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pipelines.store.errors import Damaged, NotStored, StoreError
from pipelines.store.files import in_words, private_folder
from pipelines.store.manifests import (
    Entry,
    checked_link,
    checked_name,
    checked_target,
    entries_of,
    keep_all,
    manifest_text,
    walk,
)
from pipelines.store.place import Found, Means, Place, place_of

CHUNK = 1024 * 1024
DIGEST = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Stored:
    """Bytes in the store. `size`: bytes; of a folder the sum of its files."""

    sha256: str
    size: int
    address: str
    files: int = 1


class Store:
    """The store at an address: a folder, `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…`.

    Paths that a remote store gives out are good until `release`, or the end of a `with` block around it.
    """

    def __init__(self, address: str | Path, means: Means | None = None) -> None:
        self.place: Place = place_of(str(address), means or Means())

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Nobody reads the paths given out so far any more: their copies may make room for others."""
        self.place.release()

    @property
    def remote(self) -> bool:
        """Must bytes be fetched before this machine has them?"""
        return self.place.remote

    @property
    def disk(self) -> Path:
        """The folder of this machine that fills as the store is used."""
        return self.place.disk

    def check(self) -> None:
        """Can the store be used now? Raises StoreAway, StoreFull, which say why not."""
        self.place.check()

    # --- writing --------------------------------------------------------------------------------------

    def put_file(self, path: str | Path) -> Stored:
        """Copy a file into the store. Raises OSError when it cannot be read, StoreFull, StoreAway."""
        with open(path, "rb") as source:
            return self.put_stream(source)

    def put_bytes(self, data: bytes) -> Stored:
        """Store bytes that are in memory. Raises StoreFull, StoreAway."""
        digest = hashlib.sha256(data).hexdigest()
        if not self.has(digest):
            with self.place.writing() as file:
                file.write(data)
                self.place.keep(file, digest, len(data))
        return Stored(digest, len(data), self.place.address(digest))

    def put_stream(self, source: BinaryIO) -> Stored:
        """Store everything that can still be read from `source`. Raises StoreFull, StoreAway."""
        digest, size = hashlib.sha256(), 0
        with self.place.writing() as file:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            name = digest.hexdigest()
            self.place.keep(file, name, size)
        return Stored(name, size, self.place.address(name))

    def put_folder(self, path: str | Path, keep: Callable[[str], bool] = keep_all) -> Stored:
        """Store every file of a folder and its manifest, whose digest is the folder's.

        `keep` is asked about each relative path, folders with a slash at the end. Raises Unstorable.
        """
        root = Path(path)
        entries = self._each(lambda found: self._stored(root, *found), walk(root, keep))
        manifest = self.put_bytes(manifest_text(entries))
        size = sum(entry.size for entry in entries)
        return Stored(manifest.sha256, size, manifest.address, files=len(entries))

    def _stored(self, root: Path, name: str, file: Path) -> Entry:
        if file.is_symlink():
            return Entry(name, link=checked_link(root, name, file))
        stored = self.put_file(file)
        return Entry(name, stored.sha256, stored.size, bool(file.stat().st_mode & stat.S_IXUSR))

    def _each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """One after the other, or a few at once where each waits for a network."""
        if self.place.lanes == 1:
            return [work(item) for item in items]
        lanes = ThreadPoolExecutor(self.place.lanes)
        try:
            return list(lanes.map(work, items))
        finally:
            lanes.shutdown(cancel_futures=True)

    # --- reading --------------------------------------------------------------------------------------

    def has(self, sha256: str) -> bool:
        """Are there bytes with this digest?"""
        return self.place.size(checked(sha256)) is not None

    def size(self, sha256: str) -> int:
        """Bytes. Raises NotStored."""
        found = self._brought(self.place.size, sha256)
        if found is None:
            raise NotStored.of(sha256)
        return found

    def address(self, sha256: str) -> str:
        """Where the bytes are: `file:///…` or `s3://bucket/key`."""
        return self.place.address(checked(sha256))

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """The bytes from their beginning, seekable. `verify` hashes them first. Raises NotStored, Damaged."""
        if verify:
            self.verify(sha256)
        return self._brought(self.place.open, sha256)

    def read(self, sha256: str) -> bytes:
        """All the bytes at once; for what is known to be small."""
        with self.open(sha256) as file:
            return file.read()

    def verify(self, sha256: str) -> None:
        """Hash the bytes again, where they lie. Raises NotStored, Damaged."""
        with self._brought(self.place.original, sha256) as file:
            for _ in verified(file, sha256):
                pass

    def local_path(self, sha256: str) -> Path:
        """A path of this machine with the bytes of a file, to be read, never written, until `release`.

        Raises NotStored, Damaged, StoreAway, StoreFull.
        """
        return self._brought(self.place.path, sha256)

    def local_folder(self, sha256: str) -> Path:
        """A path of this machine with a stored folder, put together when first asked. Raises NotStored."""
        target = self.place.folders() / checked(sha256)
        while not self.place.hold(target):
            self.check_out(sha256, target.parent, link=True)
        return target

    def manifest(self, sha256: str) -> list[Entry]:
        """The manifest of a stored folder. Raises NotStored, Damaged when it is none."""
        return entries_of(sha256, self.read(sha256))

    def _brought(self, look: Callable[[str], R], sha256: str) -> R:
        """What `look` finds; bytes that were put into the trash are brought back for whoever reads them."""
        try:
            found = look(checked(sha256))
        except NotStored:
            if not self.place.restore(sha256):
                raise
        else:
            if found is not None or not self.place.restore(sha256):
                return found
        return look(sha256)

    def check_out(self, sha256: str, into: Path, *, link: bool = False) -> Path:
        """The stored folder as `into/<digest>`, read-only, whole or not there at all; kept for the next call.

        `link` shares the bytes with the store where the file system can. Raises StoreError, OSError.
        """
        target = into / sha256
        if target.is_dir():
            return target
        private_folder(into)
        with in_words(into):
            building = Path(tempfile.mkdtemp(dir=into, prefix=".making-"))
            try:
                self._fill(building, self.manifest(sha256), link)
                os.chmod(building, 0o700)
                os.rename(building, target)
            except OSError:
                if not target.is_dir():  # else another process was quicker with the same folder
                    raise
            finally:
                shutil.rmtree(building, ignore_errors=True)
        return target

    def _fill(self, folder: Path, entries: list[Entry], link: bool) -> None:
        """First files, so none is written through a link; then links, which together must stay inside."""
        self._each(
            lambda entry: self._place(entry, folder, link), [entry for entry in entries if entry.link is None]
        )
        inside = folder.resolve()
        links = [_made_link(folder, entry.path, entry.link) for entry in entries if entry.link is not None]
        for path in links:
            _check_inside(path, inside)

    def _place(self, entry: Entry, folder: Path, link: bool) -> None:
        path = folder / checked_name(entry.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.borrowed(entry.sha256) as source:
            if link and not entry.executable and _linked(source, path):
                return
            shutil.copyfile(source, path)
        os.chmod(path, 0o555 if entry.executable else 0o444)

    @contextmanager
    def borrowed(self, sha256: str) -> Iterator[Path]:
        """A path with the bytes of a file, for the length of a `with` block. Raises as `local_path`."""
        with ExitStack() as until:
            yield self._brought(lambda name: until.enter_context(self.place.borrowed(name)), sha256)

    # --- keeping order; only `lineage.retention` takes anything away ------------------------------------

    def listed(self, *, trash: bool = False) -> Iterator[Found]:
        """All bytes of the store, or all that lie in its trash, by digest."""
        return (found for found in self.place.listed(trash=trash) if DIGEST.fullmatch(found.sha256))

    def trash(self, sha256: str) -> None:
        """Put bytes aside. Storing them again stores them anew, and reading them brings them back."""
        self.place.trash(checked(sha256))

    def restore(self, sha256: str) -> bool:
        """Bring bytes back from the trash; False when there are none."""
        return self.place.restore(checked(sha256))

    def remove(self, sha256: str) -> None:
        """Take bytes out of the trash, for ever."""
        self.place.remove(checked(sha256))

    def tidy(self, older_than: float = 48 * 3600) -> int:
        """Remove what broken writers left that many seconds ago; returns how many files and uploads."""
        return self.place.tidy(older_than)


def checked(sha256: str) -> str:
    """Raises StoreError unless it is a digest."""
    if not DIGEST.fullmatch(sha256):
        raise StoreError(f"{sha256!r} is not a sha256 digest")
    return sha256


def verified(file: BinaryIO, sha256: str, chunk: int = CHUNK) -> Iterator[bytes]:
    """The bytes in pieces, the last only when all together have the digest. Raises Damaged."""
    digest: Any = hashlib.sha256()
    held = b""
    while piece := file.read(chunk):
        digest.update(piece)
        if held:
            yield held
        held = piece
    if digest.hexdigest() != sha256:
        raise Damaged(f"the bytes stored as {sha256} have the digest {digest.hexdigest()}")
    yield held


def _made_link(folder: Path, name: str, target: str) -> Path:
    """Make a link, unless one made before leads its place out of the folder."""
    path = folder / checked_name(name)
    checked_target(name, target)
    _check_inside(path.parent, folder.resolve())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def _check_inside(path: Path, folder: Path) -> None:
    """Raises Damaged when a path leads out of the folder (absolute, without links), or in a circle."""
    try:
        inside = path.resolve().is_relative_to(folder)
    except (RuntimeError, OSError):
        inside = False
    if not inside:
        raise Damaged(f"a manifest has a link {path.name} that leads out of its folder")


def _linked(source: Path, path: Path) -> bool:
    try:
        os.link(source, path)
    except OSError:
        return False  # another file system, or one without links
    return True
