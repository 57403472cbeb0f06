"""Bytes of the store as a download: in pieces, whole or from the place on where an earlier one broke off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO, Final

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from pipelines.store.store import verified

PIECE: Final = 1024 * 1024  # bytes
BINARY: Final = "application/octet-stream"
# Against bytes that are not what they say: no script, no frame, no guess at their type, no use by others.
HARMLESS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class Download(StreamingHttpResponse):
    """Pieces that are made as they are sent: under ASGI Django itself would first make all of them."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: Any = iter(self)

        def further() -> bytes:
            return next(pieces, b"")

        while piece := await sync_to_async(further)():
            yield piece


def download(request: Request, file: BinaryIO, sha256: str, size: int, name: str) -> Download:
    """All of `file`, or the range that was asked for, as an attachment.

    All of it ends before its last piece when it has not the digest: nobody takes damaged bytes for good ones.
    """
    span = asked(request, size, f'"{sha256}"')
    first, last = span or (0, size - 1)
    pieces = _part(file, first, last) if span else _whole(file, sha256)
    headers = {
        **HARMLESS,
        "Accept-Ranges": "bytes",
        "Content-Length": str(last - first + 1),
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
    }
    if span:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Download(pieces, status=206 if span else 200, content_type=BINARY, headers=headers)


def asked(request: Request, size: int, mark: str) -> tuple[int, int] | None:
    """The first and last byte asked for; None: all. A range that cannot be answered counts as none."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", mark) != mark or not any(found.groups()):
        return None
    begin, end = found.groups()
    if not begin:
        first, last = max(0, size - _number(end)), size - 1
    else:
        first, last = _number(begin), min(_number(end) if end else size, size - 1)
    return (first, last) if first <= last else None


def _number(digits: str) -> int:
    return int(digits[:18])


def _whole(file: BinaryIO, sha256: str) -> Iterator[bytes]:
    with file:
        yield from verified(file, sha256, PIECE)


def _part(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        left = last - first + 1
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
