"""Outgoing requests against servers and a resolver that mean harm."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipelines import outgoing
from pipelines.outgoing import Refused, Unanswered

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@contextmanager
def serving(speak: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that hears a request of each connection, then speaks: its port, what it heard."""
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        with connection:
            heard.append(connection.recv(65536))
            try:
                speak(connection)
            except OSError:
                return  # the other side had enough

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)


def saying(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


@pytest.fixture
def inner(settings: Any) -> Callable[[list[str]], None]:
    """Allow some inner addresses."""

    def allow(entries: list[str]) -> None:
        settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "INNER_ADDRESSES": entries}

    allow([])
    return allow


def resolver(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> list[str]:
    """A resolver that gives these answers one after the other, the last for ever; the names it was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host[0].isdigit() or ":" in host:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        given = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in given]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


INWARD = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "LOCALHOST.", "::1", "::",
    "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1",
    "224.0.0.1", "255.255.255.255", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1",
    "::7f00:1", "::ffff:0:7f00:1", "fec0::1", "64:ff9b:1::7f00:1",
    "0.0.0.0",  # noqa: S104
]  # fmt: skip


@pytest.mark.parametrize("host", INWARD)
def test_an_inward_address_is_refused_however_it_is_written(host: str, inner: object) -> None:
    with pytest.raises(Refused):
        outgoing.checked(host, 80)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_public(address: str) -> None:
    assert outgoing.public(ipaddress.ip_address(address))


def test_a_name_with_one_inward_address_among_public_ones_is_refused(
    inner: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver(monkeypatch, [["93.184.216.34", "10.0.0.7"]])
    with pytest.raises(Refused, match=r"10\.0\.0\.7"):
        outgoing.checked("mixed.example", 443)


def test_an_unknown_name_says_so(inner: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _unknown)
    with pytest.raises(Refused, match="not known") as refused:
        outgoing.checked("nowhere.example", 443)
    assert refused.value.code == "unknown-host"


def _unknown(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(-2, "Name or service not known")


def test_an_inner_server_is_asked_only_when_the_setting_names_it(inner: Callable[[list[str]], None]) -> None:
    with serving(saying(OK)) as (port, heard):
        with pytest.raises(Refused, match="ORCHESTRATOR_INNER_ADDRESSES"):
            outgoing.send("GET", f"http://127.0.0.1:{port}/")
        assert heard == []
        for entry in ("127.0.0.1", f"127.0.0.1:{port}", "127.0.0.0/8"):
            inner([entry])
            assert outgoing.send("GET", f"http://127.0.0.1:{port}/").body == b"hello"
        inner([f"127.0.0.1:{port + 1}", "10.0.0.0/8", "other.example"])
        with pytest.raises(Refused):
            outgoing.send("GET", f"http://127.0.0.1:{port}/")


def test_a_resolver_that_changes_its_answer_leads_nowhere_else(
    inner: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner(["127.0.0.1/32"])
    asked = resolver(monkeypatch, [["127.0.0.1"], ["127.0.0.2"]])
    with serving(saying(OK)) as (port, heard):
        answer = outgoing.send("GET", f"http://rebinding.example:{port}/x")
    assert answer.status == 200
    assert asked == ["rebinding.example"], "the name was resolved once"
    assert f"Host: rebinding.example:{port}".encode() in heard[0]


def test_a_redirect_inward_is_an_answer_and_is_not_followed(inner: Callable[[list[str]], None]) -> None:
    with serving(saying(OK)) as (secret_port, secret_heard):
        moved = (
            f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{secret_port}/\r\nContent-Length: 0\r\n\r\n"
        )
        with serving(saying(moved.encode())) as (port, _):
            inner([f"127.0.0.1:{port}"])
            answer = outgoing.send("GET", f"http://127.0.0.1:{port}/")
    assert answer.status == 302
    assert str(secret_port) in answer.headers["location"]
    assert secret_heard == []


def test_an_endless_answer_ends_at_the_limit(inner: Callable[[list[str]], None]) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    inner(["127.0.0.1"])
    with serving(speak) as (port, _), pytest.raises(Unanswered, match="more than 100,000 bytes"):
        outgoing.send("GET", f"http://127.0.0.1:{port}/", most_bytes=100_000)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_answer_that_drips_ends_with_the_time(start: bytes, inner: Callable[[list[str]], None]) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            time.sleep(0.05)
            connection.sendall(b"x" if start else b"")

    inner(["127.0.0.1"])
    began = time.monotonic()
    with serving(speak) as (port, _), pytest.raises(Unanswered, match=r"too long|timed out"):
        outgoing.send("GET", f"http://127.0.0.1:{port}/", seconds=0.6)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\0" * 5000,
        b"HTTP/1.1 200 OK\r\nBad header\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_an_error_in_words(
    answer: bytes, inner: Callable[[list[str]], None]
) -> None:
    inner(["127.0.0.1"])
    with serving(saying(answer)) as (port, _), pytest.raises(Unanswered, match="does not answer"):
        outgoing.send("GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1:6379/_FLUSHALL", "//example.org",
        "https://", "http://user:pass@example.org/", "http://[::1", "http://example.org:99999/",
        "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str, inner: object) -> None:
    with pytest.raises(Refused):
        outgoing.send("GET", url)


def test_a_certificate_for_another_name_is_not_taken(inner: Callable[[list[str]], None]) -> None:
    inner(["127.0.0.1"])
    with serving(saying(OK)) as (port, _), pytest.raises(Unanswered):
        outgoing.send("GET", f"https://127.0.0.1:{port}/")
