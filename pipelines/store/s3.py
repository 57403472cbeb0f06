"""A store in a bucket of S3, or of a server that speaks its language.

Keys below the prefix: `sha256/ab/abcd…` the bytes of one file, `trash/abcd…` bytes that nothing refers to,
`tenants/…` the names of the installations. No key of bytes is written twice. What is sent carries its sha256;
what is fetched whole is hashed before it is given out.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from pipelines.store import multipart
from pipelines.store.cache import Cache, is_named
from pipelines.store.client import Address, client, code_of, in_words
from pipelines.store.errors import Damaged, NotStored, StoreAway, StoreError
from pipelines.store.files import Temporary, remove_left, write_all
from pipelines.store.files import in_words as disk_in_words
from pipelines.store.place import Found, Means
from pipelines.store.remote import RemoteFile

CHUNK: Final = 1024 * 1024
BREAKS: Final = 5  # times that one fetch may break off and go on
AHEAD: Final = 128 * 1024  # bytes that are read at once from a remote file


class S3Place:
    remote = True
    lanes = 8

    def __init__(self, address: str, means: Means) -> None:
        self.where = Address.parse(address)
        if means.cache is None:
            raise StoreError(f"the store {self.where} needs a folder of this machine for its copies")
        self.means = means
        self.cache = Cache(means.cache, means.cache_bytes)

    @property
    def disk(self) -> Path:
        return self.cache.root

    @property
    def client(self) -> Any:
        return client(self.where, self.means)

    def address(self, sha256: str) -> str:
        return f"s3://{self.where.bucket}/{self._key(sha256)}"

    # --- writing --------------------------------------------------------------------------------------

    def writing(self) -> Temporary:
        return Temporary(self.cache.tmp)

    def keep(self, file: Temporary, sha256: str, size: int) -> None:
        if self.size(sha256) is None:
            with in_words(self.where, sha256):
                self._send(file.number, sha256, size)
        # Whoever reads it next is likely to be this machine.
        self.cache.enter(file.number, file.path, sha256)

    def _send(self, number: int, sha256: str, size: int) -> None:
        if size >= multipart.LARGE:
            multipart.Upload(self.client, self.where.bucket, self._key(sha256), number, size).run()
            return
        from botocore.exceptions import ClientError

        try:
            with multipart.in_memory:
                self.client.put_object(
                    Bucket=self.where.bucket,
                    Key=self._key(sha256),
                    Body=os.pread(number, size, 0),
                    ChecksumSHA256=multipart.checksum(sha256),
                    IfNoneMatch="*",
                )
        except ClientError as problem:
            # Another process has just stored, or is storing, the same bytes.
            if code_of(problem) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise

    # --- reading --------------------------------------------------------------------------------------

    def size(self, sha256: str) -> int | None:
        try:
            with in_words(self.where, sha256):
                found = self.client.head_object(Bucket=self.where.bucket, Key=self._key(sha256))
        except NotStored:
            return None
        return int(found["ContentLength"])

    def open(self, sha256: str) -> BinaryIO:
        """Only what is read is fetched; without a copy here nothing has been hashed."""
        try:
            return self.cache.path(sha256).open("rb")
        except FileNotFoundError:
            return self.original(sha256)

    def original(self, sha256: str) -> BinaryIO:
        size = self.size(sha256)
        if size is None:
            raise NotStored.of(sha256)
        remote = RemoteFile(lambda start: self._body(sha256, start), size)
        return cast(BinaryIO, io.BufferedReader(remote, AHEAD))

    def path(self, sha256: str) -> Path:
        path = self.cache.path(sha256)
        while not self.cache.hold(path):
            self._fetch(sha256)
        return path

    @contextmanager
    def borrowed(self, sha256: str) -> Iterator[Path]:
        path = self.cache.path(sha256)
        while True:
            with self.cache.borrowed(path) as here:
                if here:
                    yield path
                    return
            self._fetch(sha256)

    def _body(self, sha256: str, start: int) -> Any:
        """A stream from this byte on. Raises NotStored, StoreAway."""
        ranges = {"Range": f"bytes={start}-"} if start else {}
        with in_words(self.where, sha256):
            return self.client.get_object(Bucket=self.where.bucket, Key=self._key(sha256), **ranges)["Body"]

    def _fetch(self, sha256: str) -> None:
        """A copy into the cache, whole and hashed; goes on where an earlier fetch broke off.

        Raises NotStored, Damaged, StoreAway, StoreFull.
        """
        path = self.cache.tmp / f"get-{sha256}"
        with disk_in_words(self.cache.tmp):
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            # Another process may have fetched it while this one waited for the lock.
            if is_named(number, path) and not self.cache.path(sha256).exists():
                self._fill(number, path, sha256)
                self.cache.enter(number, path, sha256)
        finally:
            os.close(number)

    def _fill(self, number: int, path: Path, sha256: str) -> None:
        size = self.size(sha256)
        if size is None:
            path.unlink(missing_ok=True)
            raise NotStored.of(sha256)
        begun = os.fstat(number).st_size
        if begun and self._filled(number, sha256, size) == sha256:
            return
        if begun:
            os.truncate(number, 0)
        if (found := self._filled(number, sha256, size)) != sha256:
            path.unlink(missing_ok=True)
            raise Damaged(f"the bytes stored as {sha256} have the digest {found}")

    def _filled(self, number: int, sha256: str, size: int) -> str:
        """Append what is missing; returns the digest of all. Breaks of the network are gone on after."""
        digest = hashlib.sha256()
        os.lseek(number, 0, os.SEEK_SET)
        while here := os.read(number, CHUNK):
            digest.update(here)
        for left in reversed(range(BREAKS)):
            start = os.lseek(number, 0, os.SEEK_END)
            if start >= size:
                break
            try:
                self._append(number, digest, sha256, start)
            except StoreAway:
                if not left or os.lseek(number, 0, os.SEEK_END) == start:
                    raise
        return digest.hexdigest()

    def _append(self, number: int, digest: Any, sha256: str, start: int) -> None:
        body = self._body(sha256, start)
        try:
            while True:
                with in_words(self.where, sha256):
                    data = body.read(CHUNK)
                if not data:
                    return
                digest.update(data)
                with disk_in_words(self.cache.root):
                    write_all(number, data)
        finally:
            body.close()

    def folders(self) -> Path:
        return self.cache.folders

    def hold(self, folder: Path) -> bool:
        return self.cache.hold(folder)

    def release(self) -> None:
        self.cache.release()

    def check(self) -> None:
        with in_words(self.where):
            self.client.list_objects_v2(Bucket=self.where.bucket, Prefix=self.where.prefix, MaxKeys=1)

    # --- keeping order --------------------------------------------------------------------------------

    def listed(self, *, trash: bool = False) -> Iterator[Found]:
        for found in self._objects("trash" if trash else "sha256"):
            name = found["Key"].rsplit("/", 1)[-1]
            yield Found(name, found["Size"], found["LastModified"].timestamp())

    def _objects(self, folder: str) -> Iterator[Any]:
        prefix = f"{self.where.prefix}{folder}/"
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.where.bucket, Prefix=prefix)
        with in_words(self.where):
            for page in pages:
                yield from page.get("Contents", [])

    def trash(self, sha256: str) -> None:
        self._move(sha256, self._key(sha256), self._aside(sha256))

    def restore(self, sha256: str) -> bool:
        """A copy beside bytes that are in place stays, until nothing refers to them.

        Who removes it might meet a round that has just copied them aside and is about to take the others:
        nothing that S3 asks of a delete tells the two copies apart, as their content is the same.
        """
        if self.size(sha256) is None:
            try:
                self._move(sha256, self._aside(sha256), self._key(sha256))
            except NotStored:
                return False
        return True

    def remove(self, sha256: str) -> None:
        with in_words(self.where, sha256):
            self.client.delete_object(Bucket=self.where.bucket, Key=self._aside(sha256))

    def _move(self, sha256: str, source: str, target: str) -> None:
        """By the server; a copy is complete before the source goes. Raises NotStored."""
        bucket = self.where.bucket
        with in_words(self.where, sha256):
            self.client.copy({"Bucket": bucket, "Key": source}, bucket, target)
            self.client.delete_object(Bucket=bucket, Key=source)

    def tenants(self) -> set[str]:
        return {found["Key"].rsplit("/", 1)[-1] for found in self._objects("tenants")}

    def enter(self, tenant: str) -> None:
        with in_words(self.where):
            self.client.put_object(Bucket=self.where.bucket, Key=self._tenant(tenant), Body=b"")

    def leave(self, tenant: str) -> None:
        with in_words(self.where):
            self.client.delete_object(Bucket=self.where.bucket, Key=self._tenant(tenant))

    def _tenant(self, name: str) -> str:
        return f"{self.where.prefix}tenants/{name}"

    def tidy(self, older_than: float) -> int:
        with in_words(self.where):
            aborted = multipart.abort_abandoned(self.client, self.where.bucket, self.where.prefix, older_than)
        return aborted + remove_left(self.cache.root / "tmp", older_than)

    def _key(self, sha256: str) -> str:
        return f"{self.where.prefix}sha256/{sha256[:2]}/{sha256}"

    def _aside(self, sha256: str) -> str:
        return f"{self.where.prefix}trash/{sha256}"
