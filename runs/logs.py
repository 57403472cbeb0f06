"""What an attempt said, read back in lines.

The log of an attempt is the concatenation of its chunks. ``first_line`` of a chunk is the number (from 0)
of the line in which its first byte stands; a line longer than a chunk goes on in the next one, which then
has the same ``first_line``. Retention moves old logs into the store, and they are read from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from django.db.models import Max, QuerySet

from pipelines.errors import NotFound, Refusal
from pipelines.store import StoreAway, StoreError, StoreFull, configured
from runs import log_archives
from runs.models import Attempt, LogChunk
from runs.states import AttemptState

DEFAULT_LIMIT = 1000  # lines
MAX_LIMIT = 10_000  # lines
PAGE_BYTES = 1 << 20  # a page ends with the line that goes beyond this
LINE_BYTES = 64 << 10  # of a longer line a page shows the beginning; the download has it whole
ITERATOR_CHUNKS = 16  # rows held in memory at a time: 1 MiB


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines ``offset`` to ``next`` (exclusive) of ``total`` known so far.

    ``complete`` says that the attempt has ended, so that ``total`` is final. ``dropped_bytes`` were said
    beyond the limit of an attempt and are marked in the text where they are missing.
    """

    offset: int
    lines: list[str]
    next: int
    total: int
    complete: bool
    dropped_bytes: int


class LogAway(Refusal):
    """The log of an old run lies in a store that does not answer."""

    status: ClassVar[int] = 503
    default_code = "store-away"


def read(attempt: Attempt, offset: int, limit: int) -> LogPage:
    """At most ``limit`` lines from line ``offset`` on. Raises LogAway, NotFound: only for logs in the store.

    A line that has no end yet is shown once the attempt has ended: its rest would be missed otherwise.
    """
    complete = attempt.state != AttemptState.RUNNING
    total = _total(attempt, complete)
    lines: list[str] = []
    size = 0
    for number, line in _lines(attempt, offset):
        if number >= total or len(lines) >= limit or size >= PAGE_BYTES:
            break
        lines.append(line)
        size += len(line)
    return LogPage(offset, lines, offset + len(lines), total, complete, attempt.dropped_bytes)


def tail(attempt: Attempt, count: int) -> list[str]:
    """The last ``count`` lines said so far."""
    total = _total(attempt, complete=True)
    return read_all(attempt, max(0, total - count), count)


def read_all(attempt: Attempt, offset: int, limit: int) -> list[str]:
    """Lines from ``offset`` on, the unfinished last one included."""
    lines: list[str] = []
    for _number, line in _lines(attempt, offset):
        if len(lines) >= limit:
            break
        lines.append(line)
    return lines


def part(attempt: Attempt, seq: int) -> tuple[int, bytes] | None:
    """The next megabyte of the log, from part ``seq`` on, and what to ask for next; None at the end."""
    found = list(_chunks(attempt).filter(seq__gte=seq).values_list("seq", "body")[:ITERATOR_CHUNKS])
    if found:
        return found[-1][0] + 1, b"".join(bytes(body) for _seq, body in found)
    if (kept := log_archives.find(attempt)) is None:
        return None
    with _in_words(), configured.store() as store:
        body = log_archives.member(store, kept, seq)
    return None if body is None else (seq + 1, body)


@contextmanager
def _in_words() -> Iterator[None]:
    """Troubles of the store as what a person who reads a log is told."""
    try:
        yield
    except (StoreAway, StoreFull) as problem:
        raise LogAway(f"This log lies in the store, which cannot be used now: {problem}.") from problem
    except StoreError as problem:
        raise NotFound(f"This log cannot be read from the store: {problem}.", code="bytes-gone") from problem


def _chunks(attempt: Attempt) -> QuerySet[LogChunk]:
    # The run comes first: it names the partition.
    return LogChunk.objects.filter(run_id=attempt.run_id, attempt_id=attempt.pk).order_by("seq")


def _total(attempt: Attempt, complete: bool) -> int:
    """How many lines there are; one without an end counts when ``complete``."""
    last = _chunks(attempt).last()
    if last is None:
        kept = log_archives.find(attempt)
        return kept.lines if kept else 0
    body = bytes(last.body)
    ended = body.count(b"\n")
    open_line = 1 if complete and body and not body.endswith(b"\n") else 0
    return last.first_line + ended + open_line


def _pieces(attempt: Attempt, offset: int) -> Iterator[log_archives.Piece]:
    """The log from the chunk on in which line ``offset`` begins."""
    chunks = _chunks(attempt)
    # The line may begin in the last chunk that begins before it; all earlier ones end before it.
    first = chunks.filter(first_line__lt=offset).aggregate(seq=Max("seq"))["seq"]
    if first is not None:
        chunks = chunks.filter(seq__gte=first)
    found = False
    for first_line, body in chunks.values_list("first_line", "body").iterator(chunk_size=ITERATOR_CHUNKS):
        found = True
        yield first_line, bytes(body)
    if not found and (kept := log_archives.find(attempt)) is not None:
        with _in_words(), configured.store() as store:
            yield from log_archives.pieces(store, kept, offset)


def _lines(attempt: Attempt, offset: int) -> Iterator[tuple[int, str]]:
    """Number and text of each line from ``offset`` on, the unfinished last one included."""
    number, parts, held = -1, list[bytes](), 0
    for first_line, body in _pieces(attempt, offset):
        number = first_line if number < 0 else number
        for piece in _split(body):
            if held < LINE_BYTES:
                parts.append(piece[: LINE_BYTES - held])
            held += len(piece)
            if piece.endswith(b"\n"):
                if number >= offset:
                    yield number, _text(parts, held - 1)
                number, parts, held = number + 1, [], 0
    if held and number >= offset:
        yield number, _text(parts, held)


def _split(body: bytes) -> list[bytes]:
    """Pieces that end with a line feed, and the rest; other line ends are the terminal's business."""
    pieces = body.split(b"\n")
    ended = [piece + b"\n" for piece in pieces[:-1]]
    return [*ended, pieces[-1]] if pieces[-1] else ended


def _text(parts: list[bytes], size: int) -> str:
    text = b"".join(parts).rstrip(b"\n").removesuffix(b"\r").decode(errors="replace")
    return f"{text} … (a line of {size:,} bytes; the download has it whole)" if size > LINE_BYTES else text
