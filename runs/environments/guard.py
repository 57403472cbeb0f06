"""The way that uv takes while it builds: a proxy on loopback, which connects to checked addresses only.

So neither a redirect of a server nor a second answer of a resolver leads a build inward. Where the operator
has set a proxy, uv takes that one, which then is what decides.
"""

from __future__ import annotations

import base64
import os
import secrets
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from pipelines import outgoing
from runs.environments import lock_addresses, venvs

SILENCE: Final = 120.0  # seconds after which a connection that says nothing is closed
CONNECT_WITHIN: Final = 30.0  # seconds
HEAD_WITHIN: Final = 5.0  # seconds in which a request says what it wants
MOST_HEAD: Final = 64 * 1024  # bytes in which it does
MOST_LINES: Final = 100
MOST_CONNECTIONS: Final = 256  # at once; uv has 50
PROXIES: Final = {"http_proxy", "https_proxy", "all_proxy"}

Fields = list[tuple[bytes, bytes]]


class Guarded(venvs.Network):
    """The network as a lock file may see it."""

    def __init__(self) -> None:
        self._refused: list[str] = []

    def admit(self, lock: bytes) -> None:
        lock_addresses.check(lock)

    @contextmanager
    def proxy(self) -> Iterator[str]:
        if any(name.lower() in PROXIES and value for name, value in os.environ.items()):
            yield ""
            return
        word = secrets.token_urlsafe(24)
        with _Proxy(word, self._refused) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            try:
                yield f"http://uv:{word}@127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()

    def refused(self) -> str:
        return self._refused[0] if self._refused else ""


class _Proxy(ThreadingTCPServer):
    """Serves who knows its word: tasks of this machine could use it, too."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, word: str, refused: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.expected = b"Basic " + base64.b64encode(f"uv:{word}".encode())
        self.refused = refused
        self.room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self.free = set(lock_addresses.hosts_of_indexes())

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self.room.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to a host. Raises outgoing.Refused, OSError."""
        if host in self.free:
            return socket.create_connection((host, port), CONNECT_WITHIN)
        *others, last = outgoing.checked(host, port)
        for address in others:
            try:
                return socket.create_connection((address, port), CONNECT_WITHIN)
            except OSError:
                continue
        return socket.create_connection((last, port), CONNECT_WITHIN)


class _Request(StreamRequestHandler):
    """One connection of uv: a tunnel for https, one plain request otherwise."""

    server: _Proxy

    def handle(self) -> None:
        try:
            self._handle()
        except (OSError, ValueError):
            return  # somebody hung up, or speaks no HTTP

    def _handle(self) -> None:
        first, *lines = self._read_head()
        self.connection.settimeout(SILENCE)
        method, target, version = first.split()
        fields = [_field(line) for line in lines]
        tunnel = method == b"CONNECT"
        parts = urlsplit(("//" if tunnel else "") + target.decode("ascii"))
        if not self._knows_the_word(fields):
            self._answer(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
        elif (other := self._connected((parts.hostname or "").lower(), parts.port or 80)) is not None:
            with other:
                if tunnel:
                    self._answer(HTTPStatus.OK)
                else:
                    other.sendall(_head(method, parts, version, fields))
                _carry(self.connection, other)

    def _knows_the_word(self, fields: Fields) -> bool:
        told = dict(fields).get(b"proxy-authorization", b"")
        return secrets.compare_digest(told, self.server.expected)

    def _connected(self, host: str, port: int) -> socket.socket | None:
        """A connection to a host; None when there is none, which uv has been told then."""
        try:
            return self.server.connect(host, port)
        except outgoing.Refused as problem:
            if problem.code != "unknown-host":
                self.server.refused.append(str(problem))
            self._answer(HTTPStatus.FORBIDDEN)
        except OSError:
            self._answer(HTTPStatus.BAD_GATEWAY)
        return None

    def _read_head(self) -> list[bytes]:
        """The lines before the empty one. Raises OSError when they come late, ValueError when too many."""
        until = time.monotonic() + HEAD_WITHIN
        head, lines = bytearray(), 0
        while not head.endswith(b"\r\n\r\n"):
            # What follows the head belongs to the other side.
            self.connection.settimeout(max(0.001, until - time.monotonic()))
            byte = self.connection.recv(1)
            head += byte
            lines += byte == b"\n"
            if not byte or len(head) > MOST_HEAD or lines > MOST_LINES:
                raise ValueError("no head of a request")
        return bytes(head).split(b"\r\n")[:-2]

    def _answer(self, status: HTTPStatus) -> None:
        self.wfile.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n\r\n".encode())


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


def _head(method: bytes, parts: SplitResult, version: bytes, fields: Fields) -> bytes:
    """A request as its server expects it, which hangs up after the answer."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    first = b"%b %b %b" % (method, path.encode("ascii"), version)
    passed = [b"%b: %b" % each for each in fields if not each[0].startswith((b"proxy-", b"connection"))]
    return b"\r\n".join([first, *passed, b"connection: close", b"", b""])


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until a side hangs up or both are silent for long."""
    across = {one: other, other: one}
    while ready := select.select([one, other], [], [], SILENCE)[0]:
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            across[side].sendall(data)
