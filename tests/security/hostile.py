"""Inputs that mean harm, by what they are; seeded, so that each run tries the same ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from tests.pipelines import mutations

SEED: Final = 20261122

# Texts that break what takes them for something else: paths, markup, SQL, shells, formats, encodings.
TEXTS: Final = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff", "\u202etxt.exe", "\u0130", "ß" * 300, "💥" * 100,
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "/proc/self/environ", "file:///etc/passwd",
    "<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "{{ 7*7 }}", "${7*7}",
    "%{7*7}", "#{7*7}", "{{ settings.SECRET_KEY }}", "%s%s%s%n", "%x" * 50, "{0.__class__.__mro__}", "{}", "{self}",
    "' OR 1=1 --", "'; DROP TABLE run; --", "1; SELECT pg_sleep(10)", "\\'; --", "$$", "E'\\x00'", "%' AND '1'='1",
    "; sleep 10", "| cat /etc/passwd", "`id`", "$(id)", "\n id", "--help", "-rf /", "--upload-pack=id", "@/etc/passwd",
    "\r\nSet-Cookie: a=b", "\r\n\r\n<html>", "a" * 1_000, "a" * 100_000, "9" * 400, "-1", "1e999", "NaN", "Infinity",
    "-0", "0x10", "1_000", "١٢٣", "true", "null", "None", "[]", "{\"a\": 1}", "!!python/object/apply:os.system [id]",
    "*alias", "&anchor", "<<: *a", "---", "...", "\t", "${{ secrets.x }}", "${{ params.x }}", "${{", "}}",
    "((((((((((", "[" * 500, "(a+)+$", "(" * 200 + "a" + ")" * 200, "a" * 50 + "!", "\\" * 99, "\x1b[2J", "\x1b]0;x\x07",
    "__proto__", "constructor", "__class__", "hasOwnProperty", "toString", "CON", "aux.txt", "con:", ".", "..", "...",
    "\u0000\u0001\u0002", "\u2028", "\u2029", "𝕳𝖊𝖑𝖑𝖔", "Ａ", "i̇", "\u200b", "a\u0300" * 100, "2026-13-45", "24:61", "0000-00-00",
    "9999-12-31T23:59:59.999999999Z", "0 0 31 2 *", "* * * * * * *", "PT-1S", "-5s", "1e9h", "999999999999d",
)  # fmt: skip
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, 5e-324, [], {}, [[]],
    [None], {"": ""}, {"a": {"a": {"a": {}}}}, [1] * 1_000, {str(n): n for n in range(500)}, ["\x00"], {"\x00": 1},
    {"$ref": "#"}, {"__proto__": {"x": 1}}, {"ref": "tasks"}, {"secret": "x"}, {"attempt_output_id": 1}, ["a", 1, None],
)  # fmt: skip


def documents() -> Iterator[str | bytes]:
    """Documents of pipelines: broken ones, and ones made to cost or to be taken for something else."""
    yield from mutations.by_text(250, SEED)
    yield from mutations.by_structure(150, SEED)
    head = "schema: orchestrator/v1\nname: small\ntasks:\n  a: {kind: shell, run: x}\n"
    laughs = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    yield f"l0: &l0 lol\n{laughs}\n"
    yield "[" * 50_000
    yield "{a: " * 50_000
    yield "- " * 50_000
    yield "\n".join(" " * n + "a:" for n in range(2_000))
    yield "a: " + "x" * 2_500_000
    yield "\n".join(f"k{n}: {n}" for n in range(150_000))
    yield "? " * 10_000
    yield "#" * 100_000
    yield '"' + "\\x41" * 100_000
    yield "!!binary " + "A" * 100_000
    yield b"\xff\xfe" + head.encode("utf-16-le")
    yield b"\xfe\xff" + head.encode("utf-16-be")
    yield head.encode("utf-32")
    yield b"\x80\x81\x82" * 1_000
    for text in TEXTS:
        written = json.dumps(text)
        yield f"{head}description: {written}\n"
        yield f"schema: orchestrator/v1\nname: small\ntasks:\n  {written}: {{kind: shell, run: x}}\n"
        yield f"schema: orchestrator/v1\nname: small\ntasks:\n  a: {{kind: shell, run: x, when: {written}}}\n"


def parameters() -> Iterator[dict[str, Any]]:
    """Bodies that start a run."""
    for value in (*TEXTS, *VALUES):
        yield {"parameters": {"who": value}}
    for value in VALUES:
        yield {"parameters": value}
        yield {"version": value}
        yield {"only": value}
    for text in TEXTS:
        yield {"parameters": {text: 1}}
        yield {"only": [text]}
        yield {"version": text}
    yield {"parameters": {"who": "x" * 300_000}}
    yield {"parameters": {f"p{n}": n for n in range(20_000)}}


def addresses() -> Iterator[str]:
    """Addresses that somebody could write where the server asks one: of repositories, of hooks."""
    hosts = (
        "127.0.0.1", "127.1", "0", "2130706433", "0x7f.1", "017700000001", "localhost", "localhost.", "LocalHost", "[::1]",
        "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[fe80::1%25lo]", "169.254.169.254",
        "metadata.google.internal", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "0.0.0.0", "255.255.255.255",
        "224.0.0.1", "a" * 300, "a..b", "-x", "x-", "xn--", "ex ample", "exa\tmple", "é.example", "１２７.0.0.1", "",
    )  # fmt: skip
    forms = (
        "https://{}/r.git",
        "http://{}:6379/",
        "ssh://git@{}/r",
        "git@{}:r.git",
        "https://u:p@{}/r",
        "https://{}@x/",
    )
    yield from (form.format(host) for form, host in product(forms, hosts))
    yield from TEXTS
    yield from (
        "ext::sh -c id", "ext::id%", "fd::17", "transport::address", "file:///", "file://localhost/etc", "git://x/y",
        "ftp://x/y", "gopher://127.0.0.1:6379/_FLUSHALL", "dict://127.0.0.1:11211/stats", "ldap://x", "data:,x", "//x/y",
        "https://x:99999/", "https://x:0/", "https://x:-1/", "https://[::1", "https://%31%32%37.0.0.1/", "https://x#@127.0.0.1/",
        "https://x\\@127.0.0.1/", "https://127.0.0.1\\.example.org/", "ssh://-oProxyCommand=id/x", "-oProxyCommand=id:x",
        "ssh://git@-oProxyCommand=id/x", "git@host:-x", "C:\\repo", "\\\\host\\share", "~root/x", "./x", "../x",
    )  # fmt: skip


def headers() -> Iterator[tuple[str, str]]:
    """A header and its value."""
    names = (
        "Authorization", "Host", "Origin", "Referer", "Content-Type", "Accept", "Accept-Encoding", "Accept-Language",
        "Cookie", "If-Match", "If-None-Match", "If-Modified-Since", "Range", "Idempotency-Key", "X-CSRFToken",
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "Content-Length", "Expect",
        "Transfer-Encoding", "Upgrade", "Forwarded", "X-Original-URL", "X-Requested-With",
    )  # fmt: skip
    values = (
        "", " ", "a" * 8_000, "\xff\xfe", "é", "-1", "0", "9" * 60, "*", "'\"<>", "../..", "%00", "%ff", "()", "{:;};",
        "bytes=0-", "bytes=-1,-2,-3", "bytes=9-0", "Bearer", "Bearer  ", "Bearer " + "x" * 2_000, "Bearer \xff", "Basic Og==",
        "text/html;charset=utf-7", "application/json;charset=nowhere", "multipart/form-data", "W/\"x\"", "\"", "sessionid=x",
        "sessionid=\"\\000\"; csrftoken=;;=", "https://evil.example", "null",
    )  # fmt: skip
    yield from product(names, values)


def terminal_output() -> Iterator[bytes]:
    """What a task may print: escapes, controls, broken encodings, markup."""
    chance = random.Random(SEED)
    pieces = (
        b"\x1b[", b"\x1b]", b"\x1b]8;;javascript:alert(1)\x07", b"\x1bP", b"\x1b(", b"\x9b", b"\x9d", b"0", b";", b"38;5;",
        b"38;2;1;2;3m", b"999999999999m", b"m", b"H", b"2J", b"\x07", b"\x1b\\", b"\r", b"\r\n", b"\n", b"\x08", b"\x00",
        b"\x7f", b"\t", b"\xff", b"\xc3", b"\xe2\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"<script>",
        b"</pre>", b"&lt;", b"text", b" " * 50, b"x" * 3_000, "💥".encode(), b"\x1b[?25l", b"\x1b[6n", b"\x1b]52;c;AAAA\x07",
    )  # fmt: skip
    for _ in range(300):
        yield b"".join(chance.choice(pieces) for _ in range(chance.randint(1, 60)))


def manifests() -> Iterator[bytes]:
    """Texts that are, or are taken for, the manifest of a folder: what an archive is here."""
    paths = (
        "../x", "/x", "a/../../x", "./x", "a//b", "", ".", "..", "a\x00b", "a\nb", "\\..\\x", "~/x", "a" * 5_000, "CON", "x/",
        "\u202ex", "/proc/self/mem", "a/" * 3_000 + "x", ".git/config", "-rf", "ﬀ", "e\u0301", " ", "x:y", "*", "%2e%2e/x",
    )  # fmt: skip
    for path in paths:
        yield json.dumps([{"path": path, "sha256": "a" * 64, "size": 1}]).encode()
        yield json.dumps([{"path": path, "link": "../../etc/passwd"}]).encode()
        yield json.dumps([{"path": "a", "link": path}]).encode()
        yield json.dumps(
            [{"path": "a", "link": "b"}, {"path": "a/" + path, "sha256": "a" * 64, "size": 1}]
        ).encode()
    for value in VALUES:
        yield json.dumps(value).encode()
        yield json.dumps([value]).encode()
        yield json.dumps([{"path": "x", "sha256": value, "size": 1}]).encode()
        yield json.dumps([{"path": "x", "sha256": "a" * 64, "size": value}]).encode()
        yield json.dumps([{"path": value}]).encode()
    yield from (
        b"",
        b"\x00" * 100,
        b"PK\x03\x04" + b"\x00" * 50,
        b"\x1f\x8b" + b"\x00" * 50,
        b"[" * 100_000,
        b"[{]",
        b"\xff",
    )
