"""Hides secrets in what an attempt says: every form in which a value usually appears, across chunk borders.

Pure. The forms: as it is, in UTF-8, -16 and -32; as JSON (once and twice), Python and shells write it;
percent-encoded; as HTML; in hex; in base64 at its three alignments, both alphabets, wrapped as `base64` and
`openssl` wrap. A value of several lines is hidden line by line too. What a task disguises in another way is
not found.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MARK: Final = "***"
SHORTEST: Final = 4  # bytes of a form; `pipelines.secrets` stores no shorter value
SHORTEST_LINE: Final = 8  # characters that a line of a longer value must have to be hidden by itself
SHORTEST_IN_FILE: Final = 8  # bytes; anything shorter occurs in large files by chance
PIECE: Final = 512  # characters; longer values are hidden in pieces, so that little is held back
TOLD_BY: Final = 8  # bytes of a form that are looked for first
READ: Final = 1024**2  # bytes of a file that are searched at once
PATTERN_MEMORY: Final = 64 * 1024**2
CUT: Final = 2000  # characters from which on a text may have been cut inside a secret
_WRAPS: Final = (64, 76)
_WIDE: Final = ("utf-16-le", "utf-16-be", "utf-32-le")  # Windows; arrays of NumPy
_QUOTED_BY_SHELL: Final = re.compile(r"([^A-Za-z0-9_@%+=:,./-])")

Span = tuple[int, int]


# --- forms ------------------------------------------------------------------------------------------------


def forms(value: str) -> set[bytes]:
    """The byte strings by which a value shows, each of at least 4 bytes."""
    found: set[bytes] = set()
    for text in _texts(value):
        found.update(_written(text))
        found.update(_coded(text.encode()))
        found.update(text.encode(wide) for wide in _WIDE)
    return {form for form in found if len(form) >= SHORTEST}


def _texts(value: str) -> Iterator[str]:
    """The value, with and without the space around it, in pieces; and its lines."""
    yield from _pieces(value)
    yield from _pieces(value.strip())
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        for end in ("\n", "\r\n"):
            yield from _pieces(end.join(value.strip().splitlines()))
        for line in lines:
            if len(line) >= SHORTEST_LINE:
                yield from _pieces(line)


def _pieces(text: str) -> Iterator[str]:
    """Pieces of at most 512 characters; the last one reaches back, so that it is not too short."""
    if len(text) <= PIECE:
        yield text
        return
    for start in range(0, len(text) - PIECE, PIECE):
        yield text[start : start + PIECE]
    yield text[-PIECE:]


def _written(text: str) -> Iterator[bytes]:
    """As languages and protocols write a text."""
    as_json = json.dumps(text)[1:-1]
    yield from (
        form.encode()
        for form in (
            text,
            as_json,
            json.dumps(as_json)[1:-1],
            *_json_of_others(text),
            repr(text)[1:-1],
            repr(f'{text}"')[1:-2],  # with a quote of each kind, repr escapes ' as $'…' of shells does
            repr(text.encode())[2:-1],
            text.replace("'", "'\"'\"'"),
            text.replace("'", "'\\''"),
            _QUOTED_BY_SHELL.sub(r"\\\1", text),
            html.escape(text),
            html.escape(text, quote=False),
            *_percent(text),
        )
    )


def _json_of_others(text: str) -> Iterator[str]:
    """JSON with more or less escaped than Python does: by JavaScript, PHP, Go and Java."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    for form in (plain, json.dumps(text)[1:-1]):
        yield form
        yield form.replace("/", "\\/")
        yield re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", form)
        yield re.sub(r"\\u[0-9a-f]{4}", lambda match: f"\\u{match[0][2:].upper()}", form)


def _percent(text: str) -> Iterator[str]:
    for form in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield form
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form)


def _coded(raw: bytes) -> Iterator[bytes]:
    """As hex and base64 write bytes."""
    for form in (raw.hex(), raw.hex(":"), raw.hex(" ")):
        yield form.encode()
        yield form.upper().encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw)
        # The characters that no neighbour has a part in.
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield from _both_alphabets(whole[first:last])
        for width in _WRAPS if before == 0 else ():
            for start in range(0, last, width) if last > width else ():
                yield from _both_alphabets(whole[start : min(start + width, last)])


def _both_alphabets(form: bytes) -> tuple[bytes, bytes]:
    return form, form.replace(b"+", b"-").replace(b"/", b"_")


def _any_of(words: set[bytes]) -> Any:
    """A pattern that finds any of the words, in time that does not depend on how many there are."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = PATTERN_MEMORY
    options.log_errors = False  # it would write the words, our secrets, to the log of the worker
    return re2.compile(b"|".join(re2.escape(word) for word in sorted(words)), options)


# --- hiding -----------------------------------------------------------------------------------------------


class Mask:
    """Hides secrets, given by name, in one stream of bytes (`feed`, `close`) and in texts and JSON."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {form: name for name, value in secrets.items() for form in forms(value)}
        self._values = {value.strip(): name for name, value in secrets.items()}
        self._longest = max(map(len, self._forms))
        self._heads: dict[bytes, list[bytes]] = {}
        for form in self._forms:
            self._heads.setdefault(form[:SHORTEST], []).append(form)
        self._begin = _any_of({form[:TOLD_BY] for form in self._forms})
        self._beginnings = {head[:size] for head in self._heads for size in range(1, SHORTEST)}
        self._held = b""
        self._hidden = 0  # bytes at the start of what is held that a mark already stands for

    # The stream

    def feed(self, data: bytes) -> bytes:
        """What may be shown by now. Held back is only an end that may be the beginning of a secret."""
        data = self._held + data
        cut = self._open_end(data)
        return self._take(data, cut)

    def close(self) -> bytes:
        """The rest of the stream."""
        return self._take(self._held, len(self._held))

    def _take(self, data: bytes, cut: int) -> bytes:
        if not cut:
            self._held = data
            return b""
        spans = self._spans(data)
        if self._hidden:
            spans.append((0, self._hidden))
        shown = bytearray()
        at, still_hidden = 0, 0
        for start, end in merged(spans):
            if start >= cut:
                break
            shown += data[at:start]
            if start or not self._hidden:
                shown += MARK.encode()
            at, still_hidden = min(end, cut), max(0, end - cut)
        shown += data[at:cut]
        self._held, self._hidden = data[cut:], still_hidden
        return bytes(shown)

    def _open_end(self, data: bytes) -> int:
        """Where the longest end begins that is the beginning of a form, not all of it; else the length."""
        for at in range(max(0, len(data) - self._longest + 1), len(data)):
            end = data[at : at + SHORTEST]
            if len(end) < SHORTEST:
                if end in self._beginnings:
                    return at
            elif end in self._heads and self._may_go_on(data[at:]):
                return at
        return len(data)

    def _may_go_on(self, end: bytes) -> bool:
        return any(len(form) > len(end) and form.startswith(end) for form in self._heads[end[:SHORTEST]])

    def _spans(self, data: bytes) -> list[Span]:
        """Where forms stand, overlapping ones too."""
        found = []
        start = self._next(data, 0)
        while start >= 0:
            for form in self._heads[data[start : start + SHORTEST]]:
                if data.startswith(form, start):
                    found.append((start, start + len(form)))
            start = self._next(data, start + 1)
        return found

    def _next(self, data: bytes, at: int) -> int:
        """Where the next form may begin; -1 when none does."""
        match = self._begin.search(data, at)
        return match.start() if match else -1

    # Whole texts

    def text(self, text: str) -> str:
        """A text without secrets. A long one may have been cut inside a secret, so its end is hidden too."""
        data = text.encode("utf-8", "surrogatepass")
        spans = self._spans(data)
        open_end = self._open_end(data) if len(text) >= CUT else len(data)
        if len(data) - open_end >= SHORTEST:
            spans.append((open_end, len(data)))
        if not spans:
            return text
        shown, at = bytearray(), 0
        for start, end in merged(spans):
            shown += data[at:start] + MARK.encode()
            at = end
        return (shown + data[at:]).decode("utf-8", "replace")

    def json(self, value: Any) -> Any:
        """Plain JSON without secrets, in keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.json(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.json(item) for item in value]
        return MARK if self._is_number(value) else value

    # Asking

    def found(self, value: Any) -> str | None:
        """The name of a secret that plain JSON, however deep, contains, or None."""
        left = [value]
        while left:
            item = left.pop()
            name = None
            if isinstance(item, str):
                name = self._found_in_bytes(item.encode("utf-8", "surrogatepass"))
            elif isinstance(item, dict):
                left += [*item, *item.values()]
            elif isinstance(item, list):
                left += item
            elif self._is_number(item):
                name = self._values[_digits(item)]
            if name:
                return name
        return None

    def _is_number(self, value: Any) -> bool:
        """Is it a secret of digits, written as a number?"""
        return isinstance(value, int | float) and _digits(value) in self._values

    def _found_in_bytes(self, data: bytes, shortest: int = 0) -> str | None:
        start = self._next(data, 0)
        while start >= 0:
            for form in self._heads[data[start : start + SHORTEST]]:
                if len(form) >= shortest and data.startswith(form, start):
                    return self._forms[form]
            start = self._next(data, start + 1)
        return None

    def found_in_file(self, path: str) -> str | None:
        """The name of a secret that a file, link or folder holds in a form of at least 8 bytes."""
        if os.path.islink(path):
            return self.found(os.readlink(path)) or self._found_in_content(path)
        if not os.path.isdir(path):
            return self._found_in_content(path)
        with os.scandir(path) as entries:
            inside = list(entries)
        return self.found([entry.name for entry in inside]) or next(
            (name for entry in inside if (name := self.found_in_file(entry.path))), None
        )

    def _found_in_content(self, path: str) -> str | None:
        """Piece by piece, each with the end of the one before: a look at a large file holds up no thread."""
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            end = b""
            while piece := file.read(READ):
                if name := self._found_in_bytes(end + piece, SHORTEST_IN_FILE):
                    return name
                end = (end + piece)[-self._longest :]
        return None


def _digits(number: float) -> str:
    """A number as a person would write it: 12345678.0 is the secret 12345678."""
    return str(int(number) if isinstance(number, float) and number.is_integer() else number)


def merged(spans: list[Span]) -> list[Span]:
    """Spans in order, those that overlap made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
