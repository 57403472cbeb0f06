"""What hides secrets: every usual form, wherever a stream is cut, and nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.worker import masking
from runs.worker.masking import MARK, READ, Mask, forms, merged

VALUE = "s3cr3t/+pä ss'w\"ord$&<x>"
PLAIN = "kR7-plain-token-19"
KEY = (
    "-----BEGIN KEY-----\n"
    + "\n".join(f"{n}Qz{'aB7+/x' * 8}{n}" for n in range(10, 20))
    + "\n-----END-----\n"
)


def through(mask: Mask, *parts: bytes) -> bytes:
    return b"".join(mask.feed(part) for part in parts) + mask.close()


def hidden(value: str, said: str | bytes) -> bytes:
    data = said.encode() if isinstance(said, str) else said
    return through(Mask({"token": value}), data)


@pytest.mark.parametrize("value", [VALUE, PLAIN, "abcd", "日本語の秘密"])
@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda v: json.dumps(v, ensure_ascii=False),
        lambda v: json.dumps(json.dumps({"a": v})),
        repr,
        lambda v: repr(v.encode()),
        lambda v: repr({"key": v}),
        quote,
        quote_plus,
        lambda v: quote(v, safe=""),
        lambda v: quote(v, safe="").lower() if v.islower() else quote(v, safe=""),
        lambda v: urlencode({"q": v}),
        shlex.quote,
        html.escape,
        lambda v: v.encode().hex(),
        lambda v: v.encode().hex().upper(),
        lambda v: v.encode().hex(":"),
        lambda v: json.dumps(v).replace("/", "\\/"),
        lambda v: json.dumps(v).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        lambda v: re.sub(r"\\u(\w{4})", lambda found: f"\\u{found[1].upper()}", json.dumps(v)),
    ],
)
def test_a_value_is_hidden_as_languages_and_protocols_write_it(value: str, write: object) -> None:
    said = write(value)  # type: ignore[operator]
    shown = hidden(value, f"before {said} after").decode()
    assert MARK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    for form in forms(value):
        assert form not in shown.encode()


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "Authorization: "])
@pytest.mark.parametrize("after", ["", "x", ":more"])
def test_a_value_is_hidden_in_base64_wherever_it_stands(before: str, after: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        said = encode(f"{before}{VALUE}{after}".encode())
        shown = hidden(VALUE, said)
        assert MARK.encode() in shown
        assert len(shown) < len(said) - len(VALUE), "no more than the characters at its borders is left"


def test_what_the_shell_writes_is_hidden() -> None:
    script = 'printf "%q\\n" "$V"; echo "$V" | base64; set -x; : "$V"'
    said = subprocess.run(
        ["bash", "-c", script], env={"V": PLAIN, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    shown = hidden(PLAIN, said.stdout + said.stderr)
    assert PLAIN.encode() not in shown
    assert shown.count(MARK.encode()) == 3


def test_the_shell_quotes_a_value_with_quote_and_tabulator_in_a_way_of_its_own() -> None:
    value = "it's\tours"
    script = ["bash", "-c", 'printf "%q" "$V"']
    said = subprocess.run(script, env={"V": value}, capture_output=True, check=True).stdout
    assert said.startswith(b"$'")
    assert hidden(value, said) == b"$'***'"


@pytest.mark.parametrize("stored,said", [("\n", "\r\n"), ("\r\n", "\n")])
def test_short_lines_are_hidden_whatever_ends_them(stored: str, said: str) -> None:
    value = "user1\npass12\n"
    assert hidden(value.replace("\n", stored), value.replace("\n", said)).rstrip() == b"***"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_value_is_hidden_in_the_wide_encodings_of_arrays_and_other_systems(encoding: str) -> None:
    assert hidden(PLAIN, f"a{PLAIN}b".encode(encoding)).count(b"***") == 1


def test_a_long_value_is_hidden_in_wrapped_base64() -> None:
    value = "0123456789abcdefghij" * 40
    for width in (64, 76):
        text = base64.b64encode(value.encode()).decode()
        lines = [text[at : at + width] for at in range(0, len(text), width)]
        shown = hidden(value, "\n".join(lines)).decode()
        assert not any(line in shown for line in lines[:-1])
    assert b"MDEyMzQ1" not in hidden(value, binascii.b2a_base64(value.encode()))


def test_a_key_of_several_lines_is_hidden_line_by_line() -> None:
    indented = "\n".join(f"    | {line}" for line in KEY.splitlines())
    shown = hidden(KEY, indented).decode()
    assert not any(line in shown for line in KEY.splitlines() if len(line) >= 8)
    assert "aB7+/x" not in hidden(KEY, json.dumps({"key": KEY})).decode()
    assert b"aB7" not in hidden(KEY, KEY.replace("\n", "\r\n"))


def test_what_is_no_secret_stays_as_it_is() -> None:
    said = b"epoch 3, loss 0.25\nopen-but-not-secret kR7-plain-toke\xff\x00\n"
    assert hidden(PLAIN, said) == said


def test_a_value_is_hidden_wherever_the_stream_is_cut() -> None:
    said = f"a {PLAIN} b {quote(VALUE, safe='')} {base64.b64encode(VALUE.encode()).decode()}\n".encode()
    mask = Mask({"one": PLAIN, "two": VALUE})
    whole = through(mask, said)
    for cut in range(len(said)):
        assert through(Mask({"one": PLAIN, "two": VALUE}), said[:cut], said[cut:]) == whole
    one_by_one = [said[at : at + 1] for at in range(len(said))]
    assert through(Mask({"one": PLAIN, "two": VALUE}), *one_by_one) == whole


def test_a_line_is_held_back_only_while_it_may_become_a_secret() -> None:
    mask = Mask({"token": PLAIN})
    assert mask.feed(b"progress 10%") == b"progress 10%"
    assert mask.feed(f"the {PLAIN[:9]}".encode()) == b"the "
    assert mask.feed(b" no\n") == f"{PLAIN[:9]} no\n".encode()
    assert mask.feed(PLAIN[:9].encode()) == b""
    assert mask.close() == PLAIN[:9].encode(), "the end of the stream gives the rest"


def test_overlapping_secrets_leave_no_end_of_either() -> None:
    mask = Mask({"one": "abcdefgh", "two": "fghijklm"})
    assert through(mask, b"-abcde", b"fghij", b"klm-") == b"-***-"


# A small alphabet, so that secrets begin, end and overlap often.
SMALL = st.text("ab", min_size=4, max_size=7)


@given(st.lists(SMALL, min_size=1, max_size=3), st.lists(st.text("abc", max_size=9), max_size=12))
def test_cutting_a_stream_changes_nothing(values: list[str], parts: list[str]) -> None:
    secrets = {str(number): value for number, value in enumerate(values)}
    data = [part.encode() for part in parts]
    shown = through(Mask(secrets), *data)
    assert shown == through(Mask(secrets), b"".join(data))
    assert not any(value.encode() in shown for value in values)


def test_spans_that_overlap_become_one() -> None:
    assert merged([(5, 9), (0, 2), (1, 3), (8, 12), (12, 14)]) == [(0, 3), (5, 12), (12, 14)]


def test_what_is_too_much_for_a_pattern_is_not_told_to_the_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(masking, "PATTERN_MEMORY", 1000)
    with pytest.raises(Exception, match="too large"):
        Mask({"token": PLAIN})
    assert "compiling" not in capfd.readouterr().err


# --- texts, JSON and files --------------------------------------------------------------------------------


def test_a_text_that_was_cut_inside_a_secret_shows_no_part_of_it() -> None:
    mask = Mask({"token": PLAIN})
    assert mask.text(f"ValueError: {PLAIN} is wrong") == "ValueError: *** is wrong"
    cut = "x" * 4090 + PLAIN[:6]
    assert mask.text(cut) == "x" * 4090 + MARK


def test_json_is_hidden_in_keys_values_and_numbers() -> None:
    mask = Mask({"token": PLAIN, "pin": "12345678"})
    value = {f"loss {PLAIN}": [1.5, 12345678, 12345678.0, {"a": f"{PLAIN}!"}], "b": None, "c": True}
    assert mask.json(value) == {"loss ***": [1.5, MARK, MARK, {"a": "***!"}], "b": None, "c": True}


@pytest.mark.parametrize(
    "value", [f"x{PLAIN}", [1, [PLAIN]], {"a": {"b": PLAIN}}, {PLAIN: 1}, {"a": PLAIN.encode().hex()}]
)
def test_a_secret_inside_json_is_found_with_its_name(value: object) -> None:
    assert Mask({"token": PLAIN}).found(value) == "token"


def test_what_holds_no_secret_is_not_refused() -> None:
    mask = Mask({"token": PLAIN, "pin": "1234"})
    assert mask.found({"a": [0.12345, 12345, "123", None, True]}) is None
    assert mask.found(1234) == mask.found(1234.0) == "pin"


def test_a_secret_is_found_however_deep_it_lies() -> None:
    value: object = PLAIN
    for _ in range(5000):
        value = [value]
    assert Mask({"token": PLAIN}).found(value) == "token"


def test_a_secret_in_a_file_or_folder_is_found(tmp_path: Path) -> None:
    mask = Mask({"token": PLAIN})
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "empty").touch()
    (folder / "deep" / "weights").write_bytes(b"\0" * 100_000 + b"safe")
    assert mask.found_in_file(str(folder)) is None
    (folder / "deep" / "weights").write_bytes(b"\0" * 100_000 + base64.b64encode(b"u:" + PLAIN.encode()))
    assert mask.found_in_file(str(folder)) == "token"
    (folder / "deep" / "weights").unlink()
    (folder / f"named-{PLAIN}").touch()
    assert mask.found_in_file(str(folder)) == "token"


def test_a_secret_is_found_in_the_target_of_a_link(tmp_path: Path) -> None:
    os.symlink(PLAIN, tmp_path / "link")
    assert Mask({"token": PLAIN}).found_in_file(str(tmp_path)) == "token"


def test_a_secret_is_found_where_two_reads_of_a_file_meet(tmp_path: Path) -> None:
    mask, file = Mask({"token": PLAIN}), tmp_path / "large"
    for before in (0, 1, len(PLAIN) - 1, len(PLAIN)):
        file.write_bytes(b"x" * (READ - before) + PLAIN.encode())
        assert mask.found_in_file(str(file)) == "token"


def test_a_key_of_many_lines_does_not_make_large_files_slow(tmp_path: Path) -> None:
    """Searching for each of a thousand forms by itself takes five seconds, and no other thread runs then."""
    digests = (hashlib.sha512(bytes([number])).digest() for number in range(50))
    mask = Mask({"key": "\n".join(base64.b64encode(digest).decode() for digest in digests)})
    file = tmp_path / "weights"
    file.write_bytes(os.urandom(1024**2) * 64)
    began = time.process_time()
    assert mask.found_in_file(str(file)) is None
    assert time.process_time() - began < 2
