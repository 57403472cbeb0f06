"""Which pictures a page may show, told by their first bytes and never by their name. Pure.

Only formats that hold nothing but pixels: an SVG can hold scripts, so it is a text here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

LARGEST: Final = 24 * 1024 * 1024  # bytes
MOST_PIXELS: Final = 64_000_000  # four bytes each in the browser
HEAD: Final = 64  # bytes that tell the format, and the size of all but JPEG
JPEG_SEARCH: Final = 1024 * 1024  # bytes of a JPEG before its size


@dataclass(frozen=True)
class Picture:
    """A format that is safe to show, with its size in pixels."""

    media_type: str
    width: int
    height: int


def recognise(file: BinaryIO) -> Picture | None:
    """The picture that a file begins with; None when it is none of ours or its header is broken."""
    head = file.read(HEAD)
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
            return _picture("image/png", *struct.unpack(">II", head[16:24]))
        if head.startswith((b"GIF87a", b"GIF89a")):
            return _picture("image/gif", *struct.unpack("<HH", head[6:10]))
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _picture("image/webp", *_webp_size(head))
        if head.startswith(b"\xff\xd8\xff"):
            file.seek(2)
            return _picture("image/jpeg", *_jpeg_size(file))
    except (struct.error, ValueError):
        return None
    return None


def _picture(media_type: str, width: int, height: int) -> Picture | None:
    return Picture(media_type, width, height) if width > 0 and height > 0 else None


def _webp_size(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return _three(head[24:27]) + 1, _three(head[27:30]) + 1
    raise ValueError("a WebP without a known chunk")


def _three(data: bytes) -> int:
    if len(data) < 3:
        raise ValueError("the header ends early")
    return int.from_bytes(data, "little")


# Start-of-frame markers; C4, C8 and CC in their midst are something else.
_FRAMES: Final = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Walks over the segments before the frame, whose header has the size."""
    while file.tell() < JPEG_SEARCH:
        mark, marker, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or length < 2:
            break
        if marker in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
    raise ValueError("a JPEG without a frame")
