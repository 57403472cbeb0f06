"""What an attempt says: bytes in, chunks of text out, bounded in size and speed. Pure; time is passed in."""

from __future__ import annotations

import codecs
from collections import deque
from dataclasses import dataclass

CHUNK_BYTES = 64 * 1024
HEAD_BYTES = 56 * 1024 * 1024  # kept as they come …
TAIL_BYTES = 8 * 1024 * 1024  # … and of what comes after them, the last; together 64 MB per attempt
RATE = 1024 * 1024  # bytes a second, in the long run
BURST = 8 * 1024 * 1024
DROPPED_RATE = 64 * 1024 * 1024  # bytes a second that are read only to be dropped


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a log: UTF-8, at most 64 KiB, cut at a line's end where there is one.

    first_line: number, from 0, of the line in which its first byte stands. lines: how many end in it.
    """

    seq: int
    first_line: int
    lines: int
    body: bytes


class LogSplitter:
    """Makes chunks of the bytes of one attempt.

    A carriage return begins a line anew, as on a terminal: of the states of a progress bar between
    two chunks only the last is kept. Bytes that are not UTF-8 become the replacement character.
    """

    def __init__(self, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        self.lines = 0
        self.dropped = 0
        self._seq = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""  # decoded, not yet in a chunk
        self._return = ""  # a carriage return whose line feed may still come
        self._open = False  # a part of the present line is in a chunk already
        self._head_left = head
        self._tail_limit = tail
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    @property
    def pending(self) -> bool:
        """Is there something that flush() would give?"""
        return bool(self._text)

    @property
    def full(self) -> bool:
        """Has the log reached its limit? Of what comes now only the end will be kept."""
        return bool(self._tail)

    def feed(self, data: bytes) -> list[Chunk]:
        """Take bytes; gives the chunks that are full."""
        self._add(self._decoder.decode(data))
        return self._drain() if len(self._text) >= CHUNK_BYTES else []

    def flush(self) -> list[Chunk]:
        """Everything that has come, a line without an end included."""
        return self._drain()

    def close(self) -> list[Chunk]:
        """The rest, and after a flood the mark of what was dropped and the tail."""
        self._add(self._decoder.decode(b"", final=True) + self._return)
        chunks = self._drain()
        if self._tail_size or self.dropped:
            chunks += self._close_tail()
        return chunks

    def _add(self, text: str) -> None:
        text = self._return + text
        self._return = "\r" if text.endswith("\r") else ""
        text = text[: len(text) - len(self._return)]
        self._text += text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _drain(self) -> list[Chunk]:
        text = self._overwritten(self._text) if "\r" in self._text else self._text
        self._text = ""
        if not text:
            return []
        self._open = not text.endswith("\n")
        return [chunk for piece in pieces(text.encode()) if (chunk := self._admit(piece))]

    def _overwritten(self, text: str) -> str:
        """The text as a terminal would show it in the end; an overwritten line that is open is ended."""
        lines = text.split("\n")
        for number, line in enumerate(lines):
            states = line.split("\r")
            if len(states) == 1:
                continue
            shown = next((state for state in reversed(states) if state), "")
            if number == 0 and self._open:
                # Its beginning stands in an earlier chunk and cannot be taken back.
                later = [state for state in states[1:] if state]
                shown = states[0] + ("\n" + later[-1] if later else "")
            lines[number] = shown + ("\n" if number == len(lines) - 1 and shown else "")
        return "\n".join(lines)

    def _admit(self, body: bytes) -> Chunk | None:
        if len(body) <= self._head_left and not self._tail:
            self._head_left -= len(body)
            return self._chunk(body)
        self._head_left = 0
        self._tail.append(body)
        self._tail_size += len(body)
        while self._tail_size > self._tail_limit:
            gone = len(self._tail.popleft())
            self._tail_size -= gone
            self.dropped += gone
        return None

    def _close_tail(self) -> list[Chunk]:
        tail = b"".join(self._tail)
        self._tail.clear()
        if not self.dropped:
            return [self._chunk(piece) for piece in pieces(tail)]
        cut = tail.find(b"\n") + 1
        self.dropped += cut
        mark = f"\n--- {self.dropped:,} bytes of this log were dropped here: it went beyond its limit ---\n"
        return [self._chunk(piece) for piece in pieces(mark.encode() + tail[cut:])]

    def _chunk(self, body: bytes) -> Chunk:
        chunk = Chunk(self._seq, self.lines, body.count(b"\n"), body)
        self._seq += 1
        self.lines += chunk.lines
        return chunk


def pieces(body: bytes) -> list[bytes]:
    """The text in pieces of at most 64 KiB: whole lines where possible, whole characters always."""
    found = []
    start = 0
    while len(body) - start > CHUNK_BYTES:
        end = body.rfind(b"\n", start, start + CHUNK_BYTES) + 1
        if end <= start:
            end = start + CHUNK_BYTES
            while body[end] & 0xC0 == 0x80:  # inside a character
                end -= 1
        found.append(body[start:end])
        start = end
    return [*found, body[start:]] if start < len(body) else found


class Bucket:
    """How fast a log may come. Bytes are taken after they were read, so the level may fall below zero.

    Times are seconds of any clock that does not go back.
    """

    def __init__(self, now: float, rate: float = RATE, burst: float = BURST) -> None:
        self.rate = rate
        self.burst = burst
        self.held = 0.0  # seconds for which a writer had to wait
        self._level = burst
        self._at = now

    def take(self, size: int, now: float) -> None:
        """Count bytes that were read."""
        self.held += min(now - self._at, self.delay(self._at))
        self._level = min(self.burst, self._level + (now - self._at) * self.rate) - size
        self._at = now

    def open_to(self, rate: float) -> None:
        """Let bytes come at another rate from now on."""
        self.rate = rate

    def delay(self, now: float) -> float:
        """Seconds to wait before the next read; 0 when one is allowed."""
        level = self._level + (now - self._at) * self.rate
        return 0.0 if level >= 0 else -level / self.rate
