"""What a store asks of the place where its bytes lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipelines.store.errors import StoreError
from pipelines.store.files import Temporary


@dataclass(frozen=True)
class Found:
    """Bytes that a listing met. `size`: bytes. `since`: when they came there, in seconds of the epoch."""

    sha256: str
    size: int
    since: float


@dataclass(frozen=True)
class Means:
    """What a remote place needs here: a folder for copies, at most `cache_bytes` of them, and keys.

    Without keys those are used that the usual variables and files of AWS name.
    """

    cache: Path | None = None
    cache_bytes: int = 10 * 1024**3
    access_key: str = ""
    secret_key: str = ""


class Place(Protocol):
    """Bytes by digest. Every method may raise StoreAway; the digest has been checked to be one."""

    remote: bool  # must bytes be fetched before this machine has them?
    lanes: int  # how many files of a folder are worth moving at once

    @property
    def disk(self) -> Path: ...

    def address(self, sha256: str) -> str: ...

    def writing(self) -> Temporary:
        """A file for bytes whose digest is not known yet. Raises StoreFull."""

    def keep(self, file: Temporary, sha256: str, size: int) -> None:
        """Store what was written; nothing happens when it is there. Raises StoreFull."""

    def size(self, sha256: str) -> int | None:
        """Bytes; None when there are none with this digest. What lies in the trash is not there."""

    def open(self, sha256: str) -> BinaryIO:
        """The bytes from their beginning, seekable. Raises NotStored."""

    def original(self, sha256: str) -> BinaryIO:
        """The same, never of a copy. Raises NotStored."""

    def path(self, sha256: str) -> Path:
        """A path of this machine, good until `release`. Raises NotStored, Damaged, StoreFull."""

    def borrowed(self, sha256: str) -> AbstractContextManager[Path]:
        """The same for a moment."""

    def folders(self) -> Path:
        """Where folders are put together again."""

    def hold(self, folder: Path) -> bool:
        """Keep one of those folders until `release`; False when it is not there."""

    def release(self) -> None:
        """What was given out as a path may go."""

    def check(self) -> None:
        """Can the place be used? Raises StoreAway, StoreFull."""

    def listed(self, *, trash: bool = False) -> Iterator[Found]: ...

    def trash(self, sha256: str) -> None:
        """Put bytes aside: nothing is stored against them any more, and reading them brings them back."""

    def restore(self, sha256: str) -> bool:
        """Bring bytes back from the trash; False when they are not there."""

    def remove(self, sha256: str) -> None:
        """Remove bytes from the trash for good."""

    def tenants(self) -> set[str]:
        """The names of the installations that use this place."""

    def enter(self, tenant: str) -> None:
        """Add a name to those, letters, digits, - and _."""

    def leave(self, tenant: str) -> None:
        """Take a name away from those."""

    def tidy(self, older_than: float) -> int:
        """Remove what broken writers left `older_than` seconds ago or earlier; returns how much."""


def place_of(address: str, means: Means) -> Place:
    """The place that an address names. Raises StoreError."""
    scheme, found, _ = address.partition("://")
    if not found or scheme == "file":
        from pipelines.store.folder import FolderPlace

        return FolderPlace(Path(address.removeprefix("file://") if found else address).absolute())
    if scheme == "s3":
        from pipelines.store.s3 import S3Place

        return S3Place(address, means)
    raise StoreError(
        f"the store address {address} is of an unknown kind: use a folder, file:///folder or s3://bucket/prefix"
    )
