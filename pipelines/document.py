"""The document parser: text -> nodes with line and column, and every reason why it cannot be read.

YAML 1.2 with the core schema, so `on`, `yes` and `no` are text. The events of PyYAML's C parser are
composed here, in a loop and not by recursion: its own composer would follow any depth on the C stack,
and forgets the anchors and tags that are refused. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pipelines.limits import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_INTEGER, MAX_NODES
from pipelines.problems import At, Problem, Problems, shorten


class Node:
    """A value of the document. `line` and `column` count from 1.

    value: dict[str, Node] of a mapping, list[Node] of a list, None of a scalar.
    raw: the same as plain JSON. keys: where each key of a mapping stands.
    block: the column in which the lines of a scalar written with `|` begin; 0 of everything else. Its text
    begins on the next line.
    """

    __slots__ = ("block", "column", "keys", "line", "raw", "value")

    def __init__(self, line: int, column: int, raw: Any, value: Any = None, block: int = 0) -> None:
        self.line = line
        self.column = column
        self.raw = raw
        self.value: Any = value
        self.keys: dict[str, At] = {}
        self.block = block

    def get(self, key: str) -> Node | None:
        """The value of a key of a mapping; None when absent or when this is no mapping."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def key_at(self, key: str) -> At:
        """Where a key stands; the node's own place when it has no such key."""
        return self.keys.get(key) or At(self.line, self.column)


@dataclass(slots=True)
class Document:
    """root is None when nothing could be read; the problems then say why."""

    root: Node | None
    problems: list[Problem] = field(default_factory=list)


def parse(text: str | bytes) -> Document:
    """Read a document. Never raises: whatever is wrong with the text is a problem at its line."""
    problems = Problems()
    decoded = _decoded(text, problems)
    root = None
    if decoded is not None and not _has_bad_characters(decoded, problems):
        root = _compose(decoded, problems)
    return Document(root, problems.sorted())


# --- characters -------------------------------------------------------------------------------------

# What YAML does not allow, what PyYAML takes for a line break and YAML 1.2 does not (85, 2028, 2029), and
# marks that turn the direction of writing, with which a text can show something else than it says.
_BAD_CHARACTER = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def _decoded(text: str | bytes, problems: Problems) -> str | None:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_DOCUMENT_BYTES:
        message = (
            f"The document has {size:,} bytes; at most {MAX_DOCUMENT_BYTES:,} are read. "
            "Move long code into the code location, and data into files."
        )
        problems.error("document-too-large", At(1, 1), "", message, bytes=size, limit=MAX_DOCUMENT_BYTES)
        return None
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8", "replace")
        message = f"Byte 0x{text[error.start]:02x} is not UTF-8 here: save the document with encoding UTF-8."
        problems.error("not-utf8", _place(before, len(before)), "", message)
        return None


def _has_bad_characters(text: str, problems: Problems) -> bool:
    match = _BAD_CHARACTER.search(text)
    if match is None:
        return False
    code = f"U+{ord(match.group()):04X}"
    message = (
        f"The character {code} cannot stand in a document: remove it, "
        f'or write it in double quotes as "\\u{ord(match.group()):04x}".'
    )
    if match.group() == "\0" or "\ud800" <= match.group() <= "\udfff":
        message = f"The character {code} cannot stand in a document: remove it."
    problems.error("bad-character", _place(text, match.start()), "", message, character=code)
    return True


def _place(text: str, index: int) -> At:
    """Line and column of a character; the line ends that libyaml knows are those left in the text."""
    before = re.split(r"\r\n|\r|\n", text[:index])
    return At(len(before), len(before[-1]) + 1)


# --- nodes ------------------------------------------------------------------------------------------


class _Stop(Exception):
    """The rest cannot be read; the problem has been noted."""


class _Frame:
    """A mapping or list that is being filled. `key` is None where a mapping waits for its next key."""

    __slots__ = ("at", "is_map", "key", "node", "shadowed")

    def __init__(self, node: Node, is_map: bool) -> None:
        self.node = node
        self.is_map = is_map
        self.key: str | None = None
        self.at = At(node.line, node.column)
        self.shadowed = False  # the value of a duplicate key is read and left out


def _compose(text: str, problems: Problems) -> Node | None:
    composer = _Composer(text, problems)
    try:
        parser = CParser(text)
        while (event := parser.get_event()) is not None:
            composer.take(event)
    except _Stop:
        return None
    except YAMLError as error:
        _note_syntax(error, text, problems)
        return None
    if composer.root is None or (composer.root.raw is None and not problems.has_errors):
        message = "The document is empty: begin with `schema: orchestrator/v1`, a name and tasks."
        problems.error("empty-document", At(1, 1), "", message)
        return None
    return composer.root


class _Composer:
    """Takes events one by one and keeps its own stack."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.text = text
        self.problems = problems
        self.root: Node | None = None
        self.stack: list[_Frame] = []
        self.nodes = 0
        self.documents = 0

    def take(self, event: Event) -> None:
        kind = type(event)
        if kind is ScalarEvent:
            self._scalar(event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            self._open(event, kind is MappingStartEvent)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._put(self.stack.pop().node)
        elif kind is AliasEvent:
            self._alias(event)
        elif kind is DocumentStartEvent:
            self._document(event)  # type: ignore[arg-type]

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        at = _event_at(event)
        if self.documents > 1:
            message = "A second document begins here: keep one pipeline in one document, without `---`."
            self.problems.error("several-documents", at, "", message)
            raise _Stop
        if event.tags:
            self.problems.error("tag", at, "", "A %TAG line has no use here: remove it.")
        if event.version not in (None, (1, 2)):
            message = "The document says it is not YAML 1.2: remove the %YAML line."
            self.problems.error("yaml-version", at, "", message)

    def _count(self, event: Event) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            message = f"The document has more than {MAX_NODES:,} values: split it into several pipelines."
            self.problems.error("too-many-nodes", _event_at(event), "", message, limit=MAX_NODES)
            raise _Stop

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            name = shorten(str(event.anchor))
            message = f"The anchor '&{name}' is not allowed: write the value out where it is used."
            self.problems.error("anchor", _event_at(event), "", message, name=name)
        if event.tag is not None:
            tag = shorten(str(event.tag).replace("tag:yaml.org,2002:", "!!"))
            message = (
                f"The tag '{tag}' is not allowed: remove it; quotes make a text, their absence a number."
            )
            self.problems.error("tag", _event_at(event), "", message, tag=tag)

    def _alias(self, event: Any) -> None:
        name = shorten(str(event.anchor))
        at = _event_at(event)
        message = (
            f"The alias '*{name}' is not allowed: write the value out; `defaults` holds what tasks share."
        )
        self.problems.error("alias", at, "", message, name=name)
        self._expect_value(at)
        self._put(Node(at.line, at.column, None))

    def _open(self, event: Any, is_map: bool) -> None:
        self._count(event)
        at = _event_at(event)
        self._expect_value(at)
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if len(self.stack) >= MAX_DEPTH:
            message = f"More than {MAX_DEPTH} levels inside each other: make it flatter."
            self.problems.error("too-deep", at, "", message, limit=MAX_DEPTH)
            raise _Stop
        node = Node(at.line, at.column, {} if is_map else [], {} if is_map else [])
        self.stack.append(_Frame(node, is_map))

    def _expect_value(self, at: At) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.is_map and frame.key is None:
            message = "A key must be plain text: a list, a mapping or an alias cannot be one."
            self.problems.error("key-not-text", at, "", message)
            raise _Stop

    def _scalar(self, event: Any) -> None:
        self._count(event)
        mark = event.start_mark
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        text: str = event.value
        plain = event.implicit[0]
        if not plain and "\0" in text:
            message = 'The character "\\0" cannot stand in a text: remove it.'
            self.problems.error("bad-character", _event_at(event), "", message, character="U+0000")
            text = text.replace("\0", "")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.is_map and frame.key is None:
            self._key(frame, text, At(mark.line + 1, mark.column + 1))
            return
        raw = resolve_scalar(text) if plain else text
        if type(raw) is ScalarProblem:
            self.problems.error(raw.code, _event_at(event), "", raw.message)
            raw = 0
        block = _block_column(self.text, mark.index, event.value) if event.style == "|" else 0
        self._put(Node(mark.line + 1, mark.column + 1, raw, None, block))

    def _key(self, frame: _Frame, text: str, at: At) -> None:
        if not text:
            self.problems.error("empty-key", at, "", "A key is missing before this ':'.")
        frame.key = text
        frame.at = at
        first = frame.node.keys.get(text)
        frame.shadowed = first is not None
        if first is not None:
            name = shorten(text)
            message = f"The key '{name}' stands here a second time (first in line {first.line}): keep one."
            self.problems.error("duplicate-key", at, "", message, name=name, first_line=first.line)

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        parent = frame.node
        if not frame.is_map:
            parent.value.append(node)
            parent.raw.append(node.raw)
            return
        key, frame.key = frame.key, None
        if frame.shadowed or key is None:
            return
        parent.value[key] = node
        parent.raw[key] = node.raw
        parent.keys[key] = frame.at


def _event_at(event: Any) -> At:
    return At(event.start_mark.line + 1, event.start_mark.column + 1)


# From `|` to the first line with something on it.
_BLOCK_START = re.compile(r"[^\n]*\n(?: *\r?\n)*( *)")


def _block_column(text: str, index: int, value: str) -> int:
    """The column, from 1, in which the lines of a block scalar begin whose `|` stands at an index."""
    start = _BLOCK_START.match(text, index)
    first = value.lstrip("\n")
    own = len(first) - len(first.lstrip(" "))
    return max(len(start.group(1)) - own, 0) + 1 if start is not None else 1


# --- scalars: the core schema of YAML 1.2 -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScalarProblem:
    """A plain scalar that is a number by its form, and cannot be one here."""

    code: str
    message: str


_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_NOT_FINITE: Final = ScalarProblem(
    "number-not-finite", "Infinity and not-a-number are no values here: write a finite number, or quote it."
)
_TOO_LARGE: Final = ScalarProblem(
    "number-too-large", f"Whole numbers go up to {MAX_INTEGER:,}: put a longer one in quotes."
)


def resolve_scalar(text: str) -> Any:
    """A plain scalar -> str, int, float, bool or None by the core schema, or a ScalarProblem."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else _NOT_FINITE
    return _NOT_FINITE if _SPECIAL.fullmatch(text) else text


def _integer(text: str) -> int | ScalarProblem:
    if len(text) > 64:  # also keeps clear of Python's limit on digits
        return _TOO_LARGE
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = int(text[2:] if base != 10 else text, base)
    return number if -MAX_INTEGER <= number <= MAX_INTEGER else _TOO_LARGE


# --- syntax -----------------------------------------------------------------------------------------

_SYNTAX: Final = (
    (
        "mapping values are not allowed",
        "A ': ' is not expected here: put the text in quotes, or begin a new line for the key.",
    ),
    (
        "found character that cannot start any token",
        "This character cannot begin a value: put the text in quotes, and indent with spaces, not tabs.",
    ),
    ("could not find expected ':'", "A key without ':' after it: write `key: value`, or quote the text."),
    (
        "did not find expected key",
        "The indentation does not fit the lines above: keys of one mapping begin in the same column.",
    ),
    (
        "did not find expected '-' indicator",
        "The indentation does not fit the list above: its '-' signs begin in the same column.",
    ),
    ("did not find expected ',' or '}'", "A '{' is not closed, or a ',' is missing in it."),
    ("did not find expected ',' or ']'", "A '[' is not closed, or a ',' is missing in it."),
    (
        "found unexpected end of stream",
        "A quote that was opened is not closed: add the missing quotation mark.",
    ),
    (
        "found unknown escape character",
        "Unknown escape after '\\' in double quotes: use '\\\\' or single quotes.",
    ),
    ("found invalid Unicode character escape", "This escape names no character: use \\u with a valid code."),
    ("block sequence entries are not allowed", "A '- ' is not allowed here: begin the list on a new line."),
    ("found incompatible YAML document", "The document says it is not YAML 1.2: remove the %YAML line."),
    ("did not find expected <document start>", "Text after the end of the document: remove it."),
    ("did not find expected node content", "A value is missing here, or a bracket has no partner."),
    (
        "found a tab character",
        "A tab stands in the indentation: indent with spaces.",
    ),
)


def _note_syntax(error: YAMLError, text: str, problems: Problems) -> None:
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if "unexpected end of stream" in said and getattr(error, "context_mark", None) is not None:
        mark = error.context_mark  # type: ignore[attr-defined]  # where the quote was opened
    position = getattr(error, "position", 0)
    at = At(mark.line + 1, mark.column + 1) if mark is not None else _place(text, int(position or 0))
    last = _place(text, len(text))
    if at.line > last.line:
        at = last
    for start, sentence in _SYNTAX:
        if start in said:
            problems.error("yaml-syntax", at, "", sentence, said=said)
            return
    problems.error("yaml-syntax", at, "", f"The text is not valid YAML: {said}.", said=said)
