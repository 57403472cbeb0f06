"""The parser of documents: YAML 1.2, lines and columns, everything refused that would surprise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.document import Document, Node, parse, resolve_scalar
from pipelines.limits import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_NODES


def _codes(document: Document) -> list[tuple[str, int, int]]:
    return [(problem.code, problem.line, problem.column) for problem in document.problems]


def _root(text: str) -> Node:
    document = parse(text)
    assert document.problems == []
    assert document.root is not None
    return document.root


@pytest.mark.parametrize(
    "text, value",
    [
        *[
            (word, word)
            for word in ("on", "off", "yes", "no", "y", "N", "On", "nullx", "1_000", "0b1", "1:30", "=")
        ],
        *[("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("Null", None)],
        *[("0", 0), ("-12", -12), ("+7", 7), ("007", 7), ("0o17", 15), ("0x1F", 31)],
        *[("1.5", 1.5), (".5", 0.5), ("-2.", -2.0), ("1e3", 1000.0), ("6.02E+23", 6.02e23)],
        *[
            ("1.2.3", "1.2.3"),
            ("2026-12-25", "2026-12-25"),
            ("0o8", "0o8"),
            ("0xg", "0xg"),
            ("-", "-"),
            (".", "."),
        ],
        *[("1h", "1h"), ("+", "+"), ("e3", "e3"), ("0x", "0x"), ("12a", "12a")],
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    found = resolve_scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_on_and_yes_are_text_as_keys_and_values() -> None:
    assert _root("on: yes\nno: off\n").raw == {"on": "yes", "no": "off"}


def test_quotes_make_a_text() -> None:
    assert _root("a: '1'\nb: \"true\"\nc: |\n  2\n").raw == {"a": "1", "b": "true", "c": "2\n"}


def test_nodes_and_keys_know_their_line_and_column() -> None:
    root = _root("a: 1\nb:\n  - x\n  - {c: yes}\n")
    b = root.get("b")
    assert b is not None
    assert (root.keys["b"].line, root.keys["b"].column) == (2, 1)
    assert (b.value[0].line, b.value[0].column) == (3, 5)
    c = b.value[1]
    assert (c.keys["c"].line, c.keys["c"].column) == (4, 6)
    assert (c.value["c"].line, c.value["c"].column) == (4, 9)


def test_lines_are_counted_over_windows_line_ends_and_wide_characters() -> None:
    root = _root("# é💥\r\na: 1\r\nb: 💥\r\n")
    assert root.value["b"].line == 3
    assert root.value["b"].column == 4


def test_a_block_scalar_is_marked() -> None:
    root = _root("a: |\n  x\nb: >\n  y\n")
    assert root.value["a"].block
    assert not root.value["b"].block


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a: &x 1\n", [("anchor", 1, 4)]),
        ("a: &x {b: 1}\n", [("anchor", 1, 4)]),
        ("a: 1\nb: *x\n", [("alias", 2, 4)]),
        ("a: !!int 3\n", [("tag", 1, 4)]),
        ("a: ! 3\n", [("tag", 1, 4)]),
        ("a: !local [1]\n", [("tag", 1, 4)]),
        ("a: 1\n---\nb: 2\n", [("several-documents", 2, 1)]),
        ("a: 1\nb: 2\na: 3\n", [("duplicate-key", 3, 1)]),
        ("a: {b: 1, c: 2, b: 3}\n", [("duplicate-key", 1, 17)]),
        ('"": 1\n', [("empty-key", 1, 1)]),
        ("[a]: 1\n", [("key-not-text", 1, 1)]),
        ("a: .inf\n", [("number-not-finite", 1, 4)]),
        ("a: -.INF\n", [("number-not-finite", 1, 4)]),
        ("a: 1e999\n", [("number-not-finite", 1, 4)]),
        ("a: 9223372036854775808\n", [("number-too-large", 1, 4)]),
        ("a: " + "1" * 10_000 + "\n", [("number-too-large", 1, 4)]),
        ('a: "x\\0y"\n', [("bad-character", 1, 4)]),
        ("a: 1\nb: \x01\n", [("bad-character", 2, 4)]),
        ("a: 1\x85b: 2\n", [("bad-character", 1, 5)]),
        ("a: \ud800\n", [("bad-character", 1, 4)]),
        ("", [("empty-document", 1, 1)]),
        ("---\n", [("empty-document", 1, 1)]),
        ("null\n", [("empty-document", 1, 1)]),
        ("%TAG ! tag:example.org,2026:\n---\na: 1\n", [("tag", 1, 1)]),
    ],
)
def test_what_would_surprise_is_refused_at_its_place(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert _codes(parse(text)) == expected


def test_several_faults_are_told_at_once() -> None:
    codes = [code for code, _, _ in _codes(parse("a: &x 1\nb: *x\na: !t 2\n"))]
    assert codes == ["anchor", "alias", "duplicate-key", "tag"]


def test_the_first_of_two_equal_keys_is_kept() -> None:
    root = parse("a: 1\na: {b: [2]}\nc: 3\n").root
    assert root is not None
    assert root.raw == {"a": 1, "c": 3}


def test_bytes_that_are_not_utf8_are_a_problem_at_their_place() -> None:
    assert _codes(parse(b"a: 1\nb: caf\xe9\n")) == [("not-utf8", 2, 7)]


def test_a_byte_order_mark_at_the_beginning_is_no_problem() -> None:
    assert _codes(parse(b"\xef\xbb\xbfa: 1\n")) == []
    assert _codes(parse("\ufeffa: 1\n")) == []


def test_a_document_of_the_largest_size_is_read_and_one_byte_more_is_refused() -> None:
    fits = "a: 1\n".ljust(MAX_DOCUMENT_BYTES, "#")
    assert parse("a: 1 #".ljust(MAX_DOCUMENT_BYTES, "#")).problems == []
    assert _codes(parse(fits + "é")) == [("document-too-large", 1, 1)]


@pytest.mark.parametrize("opening, closing", [("[", "]"), ("{a: ", "}")])
def test_depth_is_limited(opening: str, closing: str) -> None:
    deep = "x: " + opening * (MAX_DEPTH - 1) + "1" + closing * (MAX_DEPTH - 1)
    assert parse(deep).problems == []
    deeper = "x: " + opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert [code for code, _, _ in _codes(parse(deeper))] == ["too-deep"]


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? ", "[[{x: "])
def test_nesting_without_end_neither_crashes_nor_takes_long(piece: str) -> None:
    document = parse(piece * (MAX_DOCUMENT_BYTES // len(piece)))
    assert document.root is None
    assert len(document.problems) == 1


def test_the_number_of_values_is_limited() -> None:
    document = parse("a: [" + "1," * (MAX_NODES + 10) + "]")
    assert [code for code, _, _ in _codes(document)] == ["too-many-nodes"]


def test_a_syntax_error_says_what_to_do() -> None:
    [problem] = parse("title: Training: again\n").problems
    assert problem.code == "yaml-syntax"
    assert (problem.line, problem.column) == (1, 16)
    assert "quotes" in problem.message


def test_an_unclosed_quote_is_told_where_it_was_opened() -> None:
    assert _codes(parse("a: 1\nb: 'never closed\nc: 2\n")) == [("yaml-syntax", 2, 4)]


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    document = parse(text)
    assert document.root is not None or document.problems


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    document = parse(data)
    assert document.root is not None or document.problems
