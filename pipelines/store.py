"""Content-addressed bytes: what is stored is known by its sha256 and never changes. No ORM, no settings.

Layout under the folder of the store, everything 0700, contents read-only:

    sha256/ab/abcd…     the bytes of one file
    folders/abcd…/      a folder put together again from its manifest, made when somebody asks for it
    tmp/                what is being written; renamed into place when whole

A folder is known by its manifest: canonical JSON, a list sorted by path of {"path", "sha256", "size"} (and
"executable": true), or {"link", "path"} for a symbolic link. The sha256 of that text is the folder's digest.
Empty folders are not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

CHUNK = 1024 * 1024
DIGEST = re.compile(r"[0-9a-f]{64}")


def keep_all(_path: str) -> bool:
    return True


class StoreError(Exception):
    """The store cannot do this; the message says what and why."""


class NotStored(StoreError):
    """There are no bytes with this digest."""


class Damaged(StoreError):
    """The bytes are there and are not what their name says."""


class Unstorable(StoreError):
    """A folder holds what a manifest cannot: a link that leaves it, a socket, a name that is not UTF-8."""


@dataclass(frozen=True)
class Stored:
    """Bytes in the store. `size`: bytes; of a folder the sum of its files."""

    sha256: str
    size: int
    address: str
    files: int = 1


@dataclass(frozen=True)
class Entry:
    """One line of a manifest. `path` is relative, with slashes; `link` is the target of a symbolic link."""

    path: str
    sha256: str = ""
    size: int = 0
    executable: bool = False
    link: str | None = None

    def to_json(self) -> dict[str, Any]:
        if self.link is not None:
            return {"link": self.link, "path": self.path}
        entry: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "size": self.size}
        return {"executable": True, **entry} if self.executable else entry

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entry:
        return cls(
            data["path"],
            data.get("sha256", ""),
            data.get("size", 0),
            data.get("executable", False),
            data.get("link"),
        )


class Store:
    """A store in a local folder; `address` is its path or a `file://` address."""

    def __init__(self, address: str | Path) -> None:
        self.root = local_folder(str(address))

    # --- writing --------------------------------------------------------------------------------------

    def put_file(self, path: str | Path) -> Stored:
        """Copy a file into the store. Raises OSError when it cannot be read or the disk is full."""
        with open(path, "rb") as source:
            return self.put_stream(source)

    def put_bytes(self, data: bytes) -> Stored:
        """Store bytes that are in memory."""
        digest = hashlib.sha256(data).hexdigest()
        if self.has(digest):
            return Stored(digest, len(data), self.address(digest))
        with self._writing() as file:
            file.write(data)
            return self._keep(file, digest, len(data))

    def put_stream(self, source: BinaryIO) -> Stored:
        """Store everything that can still be read from `source`."""
        digest, size = hashlib.sha256(), 0
        with self._writing() as file:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            return self._keep(file, digest.hexdigest(), size)

    def put_folder(self, path: str | Path, keep: Callable[[str], bool] = keep_all) -> Stored:
        """Store every file of a folder and its manifest, whose digest is the folder's.

        `keep` is asked about each relative path, folders with a slash at the end. Raises Unstorable.
        """
        entries = []
        for name, file in walk(Path(path), keep):
            if file.is_symlink():
                entries.append(Entry(name, link=checked_link(Path(path), name, file)))
            else:
                stored = self.put_file(file)
                executable = bool(file.stat().st_mode & stat.S_IXUSR)
                entries.append(Entry(name, stored.sha256, stored.size, executable))
        manifest = self.put_bytes(manifest_text(entries))
        return Stored(
            manifest.sha256, sum(entry.size for entry in entries), manifest.address, files=len(entries)
        )

    def _writing(self) -> _Temporary:
        return _Temporary(self._folder("tmp"))

    def _keep(self, file: _Temporary, digest: str, size: int) -> Stored:
        if not self.has(digest):
            self._folder("sha256", digest[:2])
            file.move_to(self._path(digest))
        return Stored(digest, size, self.address(digest))

    def _folder(self, *names: str) -> Path:
        folder = self.root.joinpath(*names)
        if not folder.is_dir():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    # --- reading --------------------------------------------------------------------------------------

    def has(self, sha256: str) -> bool:
        """Are there bytes with this digest?"""
        return self._path(sha256).is_file()

    def address(self, sha256: str) -> str:
        """Where the bytes are, as an address that fsspec understands."""
        return self._path(sha256).as_uri()

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """The bytes, from their beginning. `verify` hashes them first. Raises NotStored, Damaged."""
        if verify:
            self.verify(sha256)
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise NotStored(f"the store has no bytes with the digest {sha256}") from None

    def read(self, sha256: str) -> bytes:
        """All the bytes at once; for what is known to be small."""
        with self.open(sha256) as file:
            return file.read()

    def verify(self, sha256: str) -> None:
        """Hash the bytes again. Raises NotStored, Damaged."""
        digest = hashlib.sha256()
        with self.open(sha256) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise Damaged(f"the bytes stored as {sha256} have the digest {digest.hexdigest()}")

    def local_path(self, sha256: str) -> Path:
        """A path of this machine with the bytes of a file. To be read, never written. Raises NotStored."""
        path = self._path(sha256)
        if not path.is_file():
            raise NotStored(f"the store has no bytes with the digest {sha256}")
        return path

    def local_folder(self, sha256: str) -> Path:
        """A path of this machine with a stored folder, put together when first asked. Raises NotStored."""
        return self.check_out(sha256, self._folder("folders"), link=True)

    def manifest(self, sha256: str) -> list[Entry]:
        """The manifest of a stored folder. Raises NotStored, Damaged when it is none."""
        try:
            return [Entry.from_json(entry) for entry in json.loads(self.read(sha256))]
        except (ValueError, TypeError, KeyError) as problem:
            raise Damaged(f"{sha256} is not the manifest of a folder: {problem}") from None

    def check_out(self, sha256: str, into: Path, *, link: bool = False) -> Path:
        """The stored folder as `into/<digest>`, read-only, whole or not there at all; kept for the next call.

        `link` shares the bytes with the store where the file system can. Raises StoreError, OSError.
        """
        target = into / sha256
        if target.is_dir():
            return target
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=into, prefix=".making-"))
        try:
            for entry in self.manifest(sha256):
                self._place(entry, building, link)
            os.chmod(building, 0o700)
            os.rename(building, target)
        except OSError:
            if not target.is_dir():  # else another process was quicker with the same folder
                raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return target

    def _place(self, entry: Entry, folder: Path, link: bool) -> None:
        path = folder / checked_name(entry.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.link is not None:
            checked_target(entry.path, entry.link)
            path.symlink_to(entry.link)
            return
        source = self.local_path(entry.sha256)
        if link and not entry.executable:
            try:
                os.link(source, path)
                return
            except OSError:
                pass  # another file system, or one without links: copied below
        shutil.copyfile(source, path)
        os.chmod(path, 0o555 if entry.executable else 0o444)

    def _path(self, sha256: str) -> Path:
        if not DIGEST.fullmatch(sha256):
            raise StoreError(f"{sha256!r} is not a sha256 digest")
        return self.root / "sha256" / sha256[:2] / sha256


class _Temporary:
    """A file that is written in `tmp` and either moved to its final name or removed."""

    def __init__(self, folder: Path) -> None:
        self.number, name = tempfile.mkstemp(dir=folder, prefix="put-")
        self.path = Path(name)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.number, view) :]

    def move_to(self, target: Path) -> None:
        """On disk before it has its name: a name must not stand for bytes that a power cut takes away."""
        os.fchmod(self.number, 0o400)
        os.fsync(self.number)
        os.replace(self.path, target)
        sync_folder(target.parent)

    def __enter__(self) -> _Temporary:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)
        self.path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def local_folder(address: str) -> Path:
    """The folder of a store's address. Raises StoreError for schemes that are not local."""
    scheme, found, rest = address.partition("://")
    if not found:
        return Path(address).absolute()
    if scheme != "file":
        raise StoreError(f"the store address {address} is not local: use a folder or file:///folder")
    return Path(rest).absolute()


def walk(folder: Path, keep: Callable[[str], bool] = keep_all) -> Iterator[tuple[str, Path]]:
    """Files and links below a folder as (relative name, path), sorted by name. Raises Unstorable."""
    if not folder.is_dir():
        raise Unstorable(f"{folder} is not a folder")
    found = sorted(_walk(folder, "", keep))
    yield from found


def _walk(folder: Path, prefix: str, keep: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    for entry in os.scandir(folder):
        name = prefix + entry.name
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            raise Unstorable(f"the name {name!r} is not UTF-8: rename it") from None
        if entry.is_symlink() or entry.is_file(follow_symlinks=False):
            if keep(name):
                yield name, Path(entry.path)
        elif entry.is_dir(follow_symlinks=False):
            if keep(name + "/"):
                yield from _walk(Path(entry.path), name + "/", keep)
        elif keep(name):
            raise Unstorable(f"{name} is neither a file nor a folder")


def checked_link(root: Path, name: str, link: Path) -> str:
    """The target of a link that stays inside the folder. Raises Unstorable."""
    target = os.readlink(link)
    checked_target(name, target)
    if not link.resolve().is_relative_to(root.resolve()):
        raise Unstorable(f"the link {name} leads out of the folder, to {target}: put a copy in its place")
    return target


def checked_target(name: str, target: str) -> None:
    """Raises Unstorable unless `target`, seen from where the link lies, stays inside the folder."""
    inside = os.path.normpath(os.path.join(os.path.dirname(name), target))
    if os.path.isabs(target) or inside == ".." or inside.startswith("../"):
        raise Unstorable(f"the link {name} leads out of the folder, to {target}: put a copy in its place")


def checked_name(name: str) -> str:
    """A relative path of a manifest that stays inside. Raises Damaged."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise Damaged(f"a manifest names {name!r}, which is not a path inside a folder")
    return name


def manifest_text(entries: list[Entry]) -> bytes:
    """The canonical JSON of a manifest."""
    lines = [entry.to_json() for entry in sorted(entries, key=lambda entry: entry.path)]
    return json.dumps(lines, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
