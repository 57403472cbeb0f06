"""The listening socket of the product, and who has its port when it is taken. Linux."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from orchestrator_site.embedded.home import HomeError

LISTENING = "0A"  # of /proc/net/tcp


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that outlives every web process, so that a new one misses no request.

    Raises HomeError (a sentence) when the port is taken or the address is not this machine's.
    """
    if not 0 <= port <= 65535:
        raise HomeError(f"There is no port {port}: choose one from 1 to 65535, or 0 for any that is free.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise HomeError(_refusal(host, port, error)) from None
    return listener


def _refusal(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: choose one with --host, as 127.0.0.1 or 0.0.0.0."
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"Port {port} of {host} is for root only ({error.strerror}): choose one above 1023 with --port."
        )
    holder = holder_of(port) if error.errno == errno.EADDRINUSE else ""
    who = f"stop {holder}" if holder else "stop the program that has it"
    return f"Port {port} of {host} cannot be used ({error.strerror}): {who}, or choose another with --port."


def holder_of(port: int) -> str:
    """The process that listens on a TCP port, as `process 123 (python3)`; "" when it cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(_leads_to(descriptor) in sockets for descriptor in (process / "fd").iterdir()):
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:  # it has ended, or is somebody else's
            continue
    return ""


def _leads_to(descriptor: Path) -> str:
    """Where a descriptor of a process leads; "" when it is closed by now, or not for us to see."""
    try:
        return os.readlink(descriptor)
    except OSError:
        return ""


def _inodes(port: int) -> Iterator[str]:
    """Of the sockets that listen on the port."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                yield words[9]
