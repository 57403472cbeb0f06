"""Another machine, as near as a test has one: a network to the servers that can be cut, delayed and healed.

In a network namespace the packets themselves are dropped, in both directions and without a word. Where that
is not permitted, or for what no cut does, a proxy stands between: it stalls, delays, resets and half-closes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

Target = str | int  # the path of a unix socket, or a port of this machine


class Proxy:
    """Passes connections on to one server. All of it may be changed while connections are open."""

    def __init__(self, target: Target, host: str = "127.0.0.1") -> None:
        self.target = target
        self.delay = 0.0  # seconds by which everything is late
        self._flowing = threading.Event()
        self._flowing.set()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server((host, 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """Whatever comes is kept back, on new connections too; those who wait hear nothing."""
        self._flowing.clear()

    def go_on(self) -> None:
        self._flowing.set()

    def reset(self) -> None:
        """End every connection abruptly."""
        for pair in list(self._pairs):
            for end in pair:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    end.shutdown(socket.SHUT_RDWR)

    def half_close(self) -> None:
        """End one direction of every connection: the servers can still be told, and answer no more."""
        for here, _ in list(self._pairs):
            with suppress(OSError):
                here.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()
        self.go_on()
        self.reset()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(here,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        self._flowing.wait()
        try:
            there = self._connect()
        except OSError:
            here.close()
            return
        pair = (here, there)
        self._pairs.add(pair)
        back = threading.Thread(target=self._pass, args=(there, here), daemon=True)
        back.start()
        self._pass(here, there)
        back.join()
        self._pairs.discard(pair)
        for end in pair:
            end.close()

    def _connect(self) -> socket.socket:
        if isinstance(self.target, int):
            return socket.create_connection(("127.0.0.1", self.target))
        there = socket.socket(socket.AF_UNIX)
        there.connect(self.target)
        return there

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                self._flowing.wait()
                target.sendall(data)
        for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with suppress(OSError):
                end.shutdown(how)


class Network:
    """The way from the far machine to the servers; here everything passes through proxies."""

    host = "127.0.0.1"

    def __init__(self, postgres: Target, redis: Target, s3: Target) -> None:
        self.postgres = Proxy(postgres, self.host)
        self.redis = Proxy(redis, self.host)
        self.s3 = Proxy(s3, self.host)

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        return self.postgres, self.redis, self.s3

    def command(self, *words: str) -> list[str]:
        """The words that start a program on the far machine."""
        return list(words)

    def cut(self) -> None:
        for proxy in self.proxies:
            proxy.stall()

    def heal(self) -> None:
        for proxy in self.proxies:
            proxy.go_on()

    def close(self) -> None:
        for proxy in self.proxies:
            proxy.close()


class NotPermitted(Exception):
    """This machine lets nobody make a network namespace; the message is what it said."""


class Namespace(Network):
    """The far machine in a network namespace of its own, at the end of a cable."""

    def __init__(self, postgres: Target, redis: Target, s3: Target) -> None:
        self.name = f"far-{os.getpid()}"
        self.near_end, self.far_end = f"near{os.getpid()}", f"far{os.getpid()}"
        subnet = f"10.213.{os.getpid() % 250}"
        self.host, far = f"{subnet}.1", f"{subnet}.2"
        try:
            _run("ip", "netns", "add", self.name)
            _run("ip", "link", "add", self.near_end, "type", "veth", "peer", "name", self.far_end)
            _run("ip", "link", "set", self.far_end, "netns", self.name)
            _run("ip", "addr", "add", f"{self.host}/30", "dev", self.near_end)
            _run("ip", "link", "set", self.near_end, "up")
            self._inside("ip", "addr", "add", f"{far}/30", "dev", self.far_end)
            for device in ("lo", self.far_end):
                self._inside("ip", "link", "set", device, "up")
            self._inside("iptables", "--list")
        except NotPermitted:
            self._remove()
            raise
        super().__init__(postgres, redis, s3)

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    def cut(self) -> None:
        for chain, way in (("INPUT", "--in-interface"), ("OUTPUT", "--out-interface")):
            self._inside("iptables", "--append", chain, way, self.far_end, "--jump", "DROP")

    def heal(self) -> None:
        self._inside("iptables", "--flush")

    def close(self) -> None:
        super().close()
        self._remove()

    def _inside(self, *words: str) -> None:
        _run("ip", "netns", "exec", self.name, *words)

    def _remove(self) -> None:
        for words in (("link", "del", self.near_end), ("netns", "del", self.name)):
            with suppress(NotPermitted):
                _run("ip", *words)


def _run(*words: str) -> None:
    """Raises NotPermitted with what the program said."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise NotPermitted(f"{words[0]}: {problem}") from None
    if done.returncode:
        raise NotPermitted(f"{' '.join(words[:4])}: {done.stderr.strip()}")


@contextmanager
def network(kind: type[Network], postgres: Target, redis: Target, s3: Target) -> Iterator[Network]:
    """Raises NotPermitted."""
    made = kind(postgres, redis, s3)
    try:
        yield made
    finally:
        made.heal()
        made.close()
