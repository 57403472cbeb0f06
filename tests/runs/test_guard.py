"""What uv asks while it builds goes by a proxy of ours: redirects and resolvers lead it nowhere inward."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runs.environments import guard, venvs
from runs.environments.guard import Guarded
from runs.environments.venvs import BuildFailed
from tests.pipelines.test_outgoing import OK, saying, serving
from tests.pipelines.test_outgoing import inner as inner
from tests.runs.test_environments import make_wheel, say

Allow = Callable[[list[str]], None]
HASH = f"--hash=sha256:{'a' * 64}"


@pytest.fixture(autouse=True)
def on_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.delenv("UV_OFFLINE", raising=False)


def build(cache: Path, line: str) -> Path:
    return venvs.interpreter(cache, venvs.remember_lock(cache, line.encode()), network=Guarded())


def wheel_of(port: int, digest: str = "") -> str:
    hashed = f"--hash=sha256:{digest}" if digest else HASH
    return f"grain @ http://127.0.0.1:{port}/grain-1.0-py3-none-any.whl {hashed}\n"


def test_a_redirect_inward_is_not_followed(tmp_path: Path, inner: Allow) -> None:
    with serving(saying(OK)) as (secret, asked):
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{secret}/x\r\nContent-Length: 0\r\n\r\n"
        with serving(saying(moved.encode())) as (port, heard):
            inner([f"127.0.0.1:{port}"])
            with pytest.raises(
                BuildFailed, match=r"leads elsewhere: 127.0.0.1 is not a public address"
            ) as no:
                build(tmp_path, wheel_of(port))
    assert no.value.final
    assert heard
    assert asked == []


def test_a_name_that_leads_inward_at_the_second_look_is_not_asked(
    tmp_path: Path, inner: Allow, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["93.184.216.34", "127.0.0.1"]
    known = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        return known(answers.pop(0) if host == "wheels.example" else host, port, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with serving(saying(OK)) as (port, asked), pytest.raises(BuildFailed, match=r"wheels.example \(127"):
        build(tmp_path, f"grain @ http://wheels.example:{port}/grain-1.0-py3-none-any.whl {HASH}\n")
    assert asked == []


def test_a_wheel_that_may_be_asked_for_is_installed(tmp_path: Path, inner: Allow) -> None:
    wheel = make_wheel(tmp_path / "wheels", "grain").read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(wheel)}\r\nConnection: close\r\n\r\n".encode()
    with serving(saying(head + wheel)) as (port, heard):
        inner([f"127.0.0.1:{port}"])
        python = build(tmp_path / "cache", wheel_of(port, hashlib.sha256(wheel).hexdigest()))
    assert say(python, "import grain; print(grain.version)") == "1.0"
    assert b"proxy-auth" not in b"".join(heard).lower()


def asked_by(proxy: str, target: str, word: str) -> bytes:
    """What the proxy says to a request for a tunnel, and then what comes through it."""
    port = int(proxy.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        by = f"Proxy-Authorization: Basic {base64.b64encode(f'uv:{word}'.encode()).decode()}"
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{by}\r\n\r\n".encode())
        said = connection.recv(4096)
        connection.sendall(b"hello")
        return said + connection.recv(4096) if b" 200 " in said else said


def test_tunnels_are_for_uv_alone_and_lead_outward_alone(inner: Allow) -> None:
    with serving(saying(b"answered")) as (port, _), Guarded().proxy() as proxy:
        word = proxy.partition("uv:")[2].partition("@")[0]
        assert b" 403 " in asked_by(proxy, f"127.0.0.1:{port}", word)
        inner([f"127.0.0.1:{port}"])
        assert b" 407 " in asked_by(proxy, f"127.0.0.1:{port}", "guessed")
        assert asked_by(proxy, f"127.0.0.1:{port}", word).endswith(b"answered")


def said_to(proxy: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the proxy says to a stranger who sends this bit by bit; nothing when it hangs up."""
    port = int(proxy.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 5) as connection, suppress(ConnectionError):
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        return connection.recv(4096)
    return b""


def test_a_request_without_end_is_not_read_to_its_end() -> None:
    with Guarded().proxy() as proxy:
        assert b" 407 " in said_to(proxy, b"CONNECT x:1 HTTP/1.1\r\n", b"a: b\r\n" * 90, b"\r\n")
        assert said_to(proxy, b"CONNECT x:1 HTTP/1.1\r\n", b"a: b\r\n" * 200, b"\r\n") == b""


def test_who_is_slow_to_say_what_is_wanted_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "HEAD_WITHIN", 0.3)
    with Guarded().proxy() as proxy:
        began = time.monotonic()
        assert said_to(proxy, b"CONNECT x:1 HTTP/1.1\r\n", *[b"a"] * 20, pause=0.1) == b""
        assert time.monotonic() - began < 2.5


def test_the_index_of_the_administrator_may_be_inside(
    tmp_path: Path, inner: Allow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(saying(OK)) as (port, heard):
        monkeypatch.delenv("UV_NO_INDEX")
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{port}/simple")
        with pytest.raises(BuildFailed):
            build(tmp_path, f"grain==1.0 {HASH}\n")
    assert heard


def test_the_usual_index_may_be_a_mirror_inside(
    tmp_path: Path, inner: Allow, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **named: known(
            "127.0.0.1" if host.endswith(("pypi.org", "pythonhosted.org")) else host, *args, **named
        ),
    )
    with serving(saying(OK)) as (port, heard):
        line = f"grain @ http://files.pythonhosted.org:{port}/grain-1.0-py3-none-any.whl {HASH}\n"
        with pytest.raises(BuildFailed, match="grain"):
            build(tmp_path, line)
    assert heard


def test_where_a_proxy_is_set_it_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    with Guarded().proxy() as proxy:
        assert proxy == ""
