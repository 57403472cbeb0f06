"""The log of an ended attempt as gzip in the store: written before its rows go, read as they were.

Each megabyte is a member that can be read by itself, so that a page in the middle of a long log costs what
the first one does. `gunzip` reads all of them as one file, which is named by the attempt's uuid.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from pipelines.store import Store
from runs.models import Attempt, LogArchive, LogChunk

MEMBER_CHUNKS = 16  # of at most 64 KiB: 1 MiB

Piece = tuple[int, bytes]  # the number of the line in which it begins, and its bytes


def archive(store: Store, attempt: Attempt) -> None:
    """Copy a log into the store and write where it is; nothing when that was done. Raises StoreError."""
    with tempfile.TemporaryFile() as file:
        members, lines = _pack(file, attempt)
        file.seek(0)
        stored = store.put_stream(file)
    row = LogArchive(attempt=attempt, sha256=stored.sha256, size=stored.size, lines=lines, members=members)
    LogArchive.objects.bulk_create([row], ignore_conflicts=True)


def _pack(out: BinaryIO, attempt: Attempt) -> tuple[list[list[int]], int]:
    """Write the members; returns where each begins, and how many lines there are."""
    members: list[list[int]] = []
    lines = 0
    for first_line, body in _pieces(attempt):
        members.append([first_line, out.tell()])
        with gzip.GzipFile(f"{attempt.uuid}.log", "wb", fileobj=out, mtime=0) as member:
            member.write(body)
        lines = first_line + body.count(b"\n") + (not body.endswith(b"\n"))
    return members, lines


def _pieces(attempt: Attempt) -> Iterator[Piece]:
    """The log megabyte by megabyte."""
    chunks = LogChunk.objects.filter(run_id=attempt.run_id, attempt_id=attempt.pk).order_by("seq")
    last = -1
    while found := list(chunks.filter(seq__gt=last).values_list("seq", "first_line", "body")[:MEMBER_CHUNKS]):
        yield found[0][1], b"".join(bytes(body) for _seq, _line, body in found)
        last = found[-1][0]


def find(attempt: Attempt) -> LogArchive | None:
    """Where the log of an attempt lies in the store; None when it does not."""
    return LogArchive.objects.filter(attempt=attempt).first()


def pieces(store: Store, kept: LogArchive, offset: int) -> Iterator[Piece]:
    """The log from the member on in which line ``offset`` begins. Raises StoreError."""
    # The line may begin in the last member that begins before it; all earlier ones end before it.
    earlier = [number for number, (line, _) in enumerate(kept.members) if line < offset]
    first = earlier[-1] if earlier else 0
    with store.open(kept.sha256) as file:
        for number in range(first, len(kept.members)):
            yield kept.members[number][0], _member(file, kept, number)


def member(store: Store, kept: LogArchive, number: int) -> bytes | None:
    """One megabyte of the log; None beyond the last. Raises StoreError."""
    if number >= len(kept.members):
        return None
    with store.open(kept.sha256) as file:
        return _member(file, kept, number)


def _member(file: BinaryIO, kept: LogArchive, number: int) -> bytes:
    ends = [offset for _line, offset in kept.members[1:]] + [kept.size]
    begin = kept.members[number][1]
    file.seek(begin)
    return gzip.decompress(file.read(ends[number] - begin))
