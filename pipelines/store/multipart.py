"""Large files to S3 in parts, each with its checksum; an upload that broke off goes on with what is there."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.store.client import code_of
from pipelines.store.errors import StoreAway

LARGE: Final = 16 * 1024 * 1024  # bytes from which a file goes in parts
PART = 16 * 1024 * 1024  # bytes of a part, doubled for files of more than 10,000 such
MOST_PARTS: Final = 10_000
AT_ONCE: Final = 3  # parts of one file
# Parts, and files that go whole, which this process has in memory.
in_memory = threading.BoundedSemaphore(4)


def checksum(data: bytes | str) -> str:
    """A sha256 as S3 writes it; of bytes, or from the hexadecimal digest."""
    digest = bytes.fromhex(data) if isinstance(data, str) else hashlib.sha256(data).digest()
    return base64.b64encode(digest).decode()


def part_size(size: int) -> int:
    """Bytes of each part of a file; the same whenever the same file is sent."""
    part = PART
    while part * MOST_PARTS < size:
        part *= 2
    return part


@dataclass(frozen=True)
class Upload:
    """One file on its way: `number` is a descriptor of it, `size` its bytes; it does not change meanwhile."""

    client: Any
    bucket: str
    key: str
    number: int
    size: int

    def run(self) -> None:
        """Send what is missing and put it together. Raises what the client raises.

        When another process has stored the same bytes meanwhile, theirs stay.
        """
        from botocore.exceptions import ClientError

        upload = self._begun() or self._begin()
        try:
            self._finish(upload, self._parts(upload))
        except ClientError as problem:
            if code_of(problem) in ("PreconditionFailed", "ConditionalRequestConflict"):
                self._abort(upload)
            elif code_of(problem) != "NoSuchUpload":
                raise
            # Gone, because another process has completed it, or somebody has aborted it.
            self._check_stored()

    def _begun(self) -> str | None:
        """The upload of this file that was begun last."""
        there = uploads(self.client, self.bucket, self.key)
        mine = [upload for upload in there if upload["Key"] == self.key]
        return max(mine, key=lambda upload: upload["Initiated"])["UploadId"] if mine else None

    def _begin(self) -> str:
        begun = self.client.create_multipart_upload(
            Bucket=self.bucket, Key=self.key, ChecksumAlgorithm="SHA256"
        )
        return str(begun["UploadId"])

    def _parts(self, upload: str) -> list[dict[str, Any]]:
        there = self._there(upload)
        numbers = range(1, -(-self.size // part_size(self.size)) + 1)
        lanes = ThreadPoolExecutor(AT_ONCE)
        try:
            return list(lanes.map(lambda number: self._part(upload, number, there.get(number)), numbers))
        finally:
            lanes.shutdown(cancel_futures=True)

    def _there(self, upload: str) -> dict[int, dict[str, Any]]:
        pages = self.client.get_paginator("list_parts").paginate(
            Bucket=self.bucket, Key=self.key, UploadId=upload
        )
        return {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}

    def _part(self, upload: str, number: int, there: dict[str, Any] | None) -> dict[str, Any]:
        """Send one part, unless the very same bytes are there."""
        with in_memory:
            return self._sent(upload, number, there)

    def _sent(self, upload: str, number: int, there: dict[str, Any] | None) -> dict[str, Any]:
        length = part_size(self.size)
        data = os.pread(self.number, length, (number - 1) * length)
        digest = checksum(data)
        if there is None or not same(there, data, digest):
            there = self.client.upload_part(
                Bucket=self.bucket,
                Key=self.key,
                UploadId=upload,
                PartNumber=number,
                Body=data,
                ChecksumSHA256=digest,
            )
        return {"PartNumber": number, "ETag": there["ETag"], "ChecksumSHA256": digest}

    def _finish(self, upload: str, parts: list[dict[str, Any]]) -> None:
        self.client.complete_multipart_upload(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=upload,
            MultipartUpload={"Parts": parts},
            IfNoneMatch="*",
        )

    def _check_stored(self) -> None:
        from botocore.exceptions import ClientError

        try:
            self.client.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as problem:
            if code_of(problem) != "404":
                raise
            raise StoreAway(f"the upload of {self.key} was aborted meanwhile: try again") from problem

    def _abort(self, upload: str) -> None:
        self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=upload)


def same(there: dict[str, Any], data: bytes, digest: str) -> bool:
    """Are these the bytes of a part that was sent before? By its checksum, or the ETag of servers without."""
    if there["Size"] != len(data):
        return False
    if found := there.get("ChecksumSHA256"):
        return bool(found == digest)
    return bool(there["ETag"].strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest())


def uploads(client: Any, bucket: str, prefix: str) -> list[dict[str, Any]]:
    """Uploads that were begun and neither completed nor aborted."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    return [upload for page in pages for upload in page.get("Uploads", [])]


def abort_abandoned(client: Any, bucket: str, prefix: str, older_than: float) -> int:
    """Abort uploads begun so many seconds ago or earlier: their parts cost room. Returns how many."""
    now, count = datetime.now(UTC), 0
    for upload in uploads(client, bucket, prefix):
        if (now - upload["Initiated"]).total_seconds() >= older_than:
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            count += 1
    return count
