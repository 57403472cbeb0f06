"""Requests that leave this server for an address that somebody wrote: checked, so that none is led inward.

A name is resolved once and the connection goes to the addresses that were checked, so a second answer of a
hostile resolver changes nothing. Addresses that are not public (this machine, the networks around it, the
metadata services of clouds) are refused unless the setting ``INNER_ADDRESSES`` names them. Redirects are
answers as any other and are never followed.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpcore
import httpx
from django.conf import settings

from pipelines.errors import Invalid

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS: Final = 10.0  # that a request may take, from the name to the last byte
MOST_BYTES: Final = 1024 * 1024  # of an answer's body
# What translators make of an IPv4 address (RFC 6052); its last four bytes are where it really leads.
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Inner addresses that `ipaddress` takes for public ones: IPv4 as it was written once (RFC 4291) or is for
# translators (RFC 2765, RFC 8215), and the old kind of private networks (RFC 3879).
NOT_PUBLIC: Final = tuple(
    map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10"))
)


class Refused(Invalid):
    """The address may not be asked, or there is none; the message says why and who can allow it."""

    default_code = "address-refused"


class Unanswered(Exception):
    """Nobody answered as they should: no connection, no time left, too many bytes. The message says which."""


@dataclass(frozen=True)
class Answer:
    """What a server said. ``headers``: names in lower case. ``body``: at most the bytes that were allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def checked(host: str, port: int) -> list[str]:
    """The addresses of a host, when all of them may be connected to: connect to these, by no other name.

    Raises Refused, also for a name that is not known.
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(
            f"The name {host} is not known here: check its spelling.", code="unknown-host"
        ) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not _named(name, port):
        for address in addresses:
            _refuse_inward(host, address)
    return addresses


def inner(host: str, port: int, addresses: Iterable[str]) -> bool:
    """Do these addresses of a host stay inside, or does the setting name the host as one that does?"""
    named = _named(host.strip("[]").rstrip(".").lower(), port)
    return named or not any(public(ipaddress.ip_address(each.split("%")[0])) for each in addresses)


def _refuse_inward(host: str, address: str) -> None:
    ip = ipaddress.ip_address(address.split("%")[0])
    if not (public(ip) or any(ip in network for network in _inner_networks())):
        said = address if host == address else f"{host} ({address})"
        raise Refused(
            f"{said} is not a public address: whoever runs this server can allow it "
            "in ORCHESTRATOR_INNER_ADDRESSES."
        )


def public(ip: IpAddress) -> bool:
    """Does an address lead out to the public network, by itself and in whatever it stands for?"""
    inner = _stands_for(ip)
    if inner is not None:
        return public(inner)
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in NOT_PUBLIC)


def _stands_for(ip: IpAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one that is only a way of writing, or reaching, it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def _allowed() -> list[str]:
    return list(settings.ORCHESTRATOR["INNER_ADDRESSES"])


def _named(name: str, port: int) -> bool:
    """Does the setting name this host, with any port or this one?"""
    return any(entry.lower() in (name, f"{name}:{port}", f"[{name}]:{port}") for entry in _allowed())


def _inner_networks() -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for entry in _allowed():
        try:
            yield ipaddress.ip_network(entry)
        except ValueError:
            continue  # a name


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    seconds: float = SECONDS,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Ask one http(s) address, within a time and a size. Raises Refused, Unanswered.

    No proxy of the environment is used, as it would resolve the name again.
    """
    parts = _understood(url)
    backend = _Backend(time.monotonic() + seconds)
    try:
        with httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(), network_backend=backend, retries=0
        ) as pool:
            sent: list[tuple[str | bytes, str | bytes]] = [("Host", parts.netloc), ("Connection", "close")]
            sent += (headers or {}).items()
            with pool.stream(method, _for_core(parts), headers=sent, content=content) as response:
                return Answer(response.status, _read_headers(response), _read_body(response, most_bytes))
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as problem:
        raise Unanswered(f"{parts.host} does not answer: {problem or 'it took too long'}") from problem


def _understood(url: str) -> httpx.URL:
    """The address with its name and path in ASCII. Raises Refused."""
    try:
        parts = httpx.URL(url)
        named = bool(parts.host)
    except (httpx.InvalidURL, ValueError):
        raise Refused("This is not an address that can be read: check its spelling.") from None
    if parts.scheme not in ("http", "https") or not named:
        raise Refused("Write an address that begins with https:// or http:// and names a host.")
    if parts.userinfo:
        raise Refused("Leave user and password out of the address: they would be read by everybody.")
    return parts


def _for_core(parts: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)


def _read_headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _read_body(response: httpcore.Response, most: int) -> bytes:
    body = b""
    for piece in response.iter_stream():
        body += piece
        if len(body) > most:
            raise Unanswered(f"the answer has more than {most:,} bytes")
    return body


class _Backend(httpcore.SyncBackend):
    """Connects to checked addresses only; whatever is then done ends at a moment (of time.monotonic)."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.until = until

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        addresses = checked(host, port)
        *others, last = addresses
        for address in others:
            try:
                return self._connect(address, port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        left = remaining(self.until)
        return _Stream(super().connect_tcp(address, port, timeout=left), self.until)


class _Stream(httpcore.NetworkStream):
    """A stream whose every step has what is left of the request's time."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self.stream = stream
        self.until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, remaining(self.until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, remaining(self.until))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self.stream.start_tls(ssl_context, server_hostname, remaining(self.until))
        return _Stream(secured, self.until)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def remaining(until: float) -> float:
    """Seconds until a moment of time.monotonic. Raises httpcore.ReadTimeout when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("it took too long")
    return left
