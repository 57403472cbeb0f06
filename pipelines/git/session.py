"""One conversation with one repository: what git is told, what it may use, and when it is ended.

Nothing of the machine's or a person's configuration is read; no hook, filter, submodule or helper runs; only
the one protocol of the address is allowed; credentials are in files of a private folder that is gone
afterwards, never on a command line; the connection goes to addresses that were checked before.
"""

from __future__ import annotations

import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pipelines import outgoing
from pipelines.git import faults
from pipelines.git.address import Address
from pipelines.git.faults import GitFault

LIST_SECONDS: Final = 40.0
FETCH_SECONDS: Final = 400.0
MOST_LISTED: Final = 8 * 1024 * 1024  # bytes of a list of refs
MOST_FETCHED: Final = 1024 * 1024 * 1024  # bytes that one fetch may receive
# The first git that connects to the addresses it is given instead of asking a resolver again.
OLDEST_FOR_HTTP: Final = (2, 37)
SAID: Final = 16 * 1024  # bytes of git's last words that are kept
_RECEIVED: Final = re.compile(r"Receiving objects: +(\d+)%.*?(?:, ([\d.]+) (KiB|MiB|GiB))?(?: \||$|,)")
_UNITS: Final = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

# Where a repository takes no part in what git does: no hooks, no helpers, no upkeep beside the command.
CONFIG: Final = """\
[core]
    hooksPath = /dev/null
    fsmonitor = false
    attributesFile = /dev/null
    excludesFile = /dev/null
    askPass =
[credential]
    helper =
[protocol]
    version = 2
[http]
    followRedirects = false
    lowSpeedLimit = 1000
    lowSpeedTime = 60
[fetch]
    recurseSubmodules = false
    unpackLimit = 1
[submodule]
    recurse = false
[gc]
    auto = 0
[maintenance]
    auto = false
[init]
    templateDir =
    defaultBranch = main
[safe]
    directory = *
"""
ASKPASS: Final = """\
#!/bin/sh
here=$(dirname "$0")
case "$1" in
    Username*) cat "$here/username" ;;
    *) cat "$here/password" ;;
esac
"""

Hear = Callable[[str], None]


@dataclass
class Session:
    """Runs git for one address. ``known_hosts``: what ssh knew, and after a first contact has learnt."""

    address: Address
    folder: Path
    environment: dict[str, str]
    secret: str = field(default="", repr=False)

    @property
    def known_hosts(self) -> str:
        """The host keys that ssh goes by; "" for other protocols."""
        path = self.folder / "known_hosts"
        return path.read_text(errors="replace") if path.is_file() else ""

    def ask(
        self, *words: str, seconds: float = LIST_SECONDS, hear: Hear | None = None, most: int = MOST_LISTED
    ) -> str:
        """What a command that talks to the repository prints. Raises GitFault; nothing of it runs on."""
        try:
            done = carried_out(
                words, self.environment, self.folder, seconds=seconds, most=most, hear=hear or _ignore
            )
        except TimeoutError:
            raise faults.too_slow(self.address, seconds) from None
        if done.returncode != 0:
            raise faults.explained(self._hidden(done.said), self.address, with_secret=bool(self.secret))
        return done.printed.decode("utf-8", errors="replace")

    def _hidden(self, said: str) -> str:
        """Without the credentials, in case a server or helper repeats them."""
        whole = self.secret.strip()
        parts = {
            whole,
            whole.partition(":")[2],
            quote(whole, safe=""),
            quote(whole.partition(":")[2], safe=""),
        }
        for part in sorted((part for part in parts if part), key=len, reverse=True):
            said = said.replace(part, "***")
        return said


def _ignore(_: str) -> None:
    pass


@dataclass(frozen=True)
class Done:
    """What a command of git left: ``said`` are the last words of its error output."""

    returncode: int
    printed: bytes
    said: str


def carried_out(
    words: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    *,
    seconds: float,
    most: int,
    hear: Hear = _ignore,
) -> Done:
    """Run git within a time and a size of what it prints (bytes). Raises TimeoutError, GitFault."""
    git = subprocess.Popen(
        [program(), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    try:
        printed, said = _listen(git, time.monotonic() + seconds, most, hear)
    finally:
        _end(git)
    return Done(git.returncode, printed, said)


def _end(git: subprocess.Popen[bytes]) -> None:
    """Git and the helpers it started are gone."""
    with suppress(ProcessLookupError):
        os.killpg(git.pid, signal.SIGKILL)
    for stream in (git.stdout, git.stderr):
        if stream is not None:
            stream.close()
    git.wait()


def _listen(git: subprocess.Popen[bytes], until: float, most: int, hear: Hear) -> tuple[bytes, str]:
    """What a process prints and says until both streams end. Raises TimeoutError, GitFault."""
    assert git.stdout is not None  # noqa: S101
    assert git.stderr is not None  # noqa: S101
    printed, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as streams:
        streams.register(git.stdout, selectors.EVENT_READ)
        streams.register(git.stderr, selectors.EVENT_READ)
        while streams.get_map():
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in streams.select(left):
                piece = os.read(key.fd, 65536)
                if not piece:
                    streams.unregister(key.fileobj)
                elif key.fileobj is git.stdout:
                    printed += piece
                    if len(printed) > most:
                        raise GitFault("too-big", "The repository has more refs or files than are read.")
                else:
                    said = (said + piece)[-SAID:]
                    hear(piece.decode("utf-8", errors="replace"))
    git.wait(timeout=max(1.0, until - time.monotonic()))
    return bytes(printed), said.decode("utf-8", errors="replace")


def progress_of(said: str) -> tuple[int, int] | None:
    """Per cent and bytes of the last line of progress in what git said; None without one."""
    every = list(_RECEIVED.finditer(said))
    if not every:
        return None
    found = every[-1]
    size = float(found[2]) * _UNITS[found[3]] if found[2] else 0
    return int(found[1]), int(size)


@cache
def program() -> str:
    """The git of this machine. Raises GitFault when there is none."""
    found = shutil.which("git")
    if found is None:
        raise faults.missing()
    return found


def _ssh_program() -> str:
    """The ssh of this machine, which git does not bring with it. Raises GitFault when there is none."""
    found = shutil.which("ssh")
    if found is None:
        raise faults.no_ssh()
    return found


@cache
def version() -> tuple[int, int]:
    """Of the git of this machine. Raises GitFault."""
    told = subprocess.run(
        [program(), "--version"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    found = re.search(r"(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def local_environment(allowed: str = "none") -> dict[str, str]:
    """What git is told of the machine, and nothing else of it. ``allowed``: the one protocol it may use."""
    passed = {
        name: os.environ[name]
        for name in ("PATH", "TMPDIR", "SSL_CERT_FILE", "GIT_SSL_CAINFO")
        if name in os.environ
    }
    return {
        **passed,
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": allowed,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_PAGER": "cat",
    }


@contextmanager
def opened(address: Address, room: Path, *, secret: str = "", known_hosts: str = "") -> Iterator[Session]:
    """A session whose private folder, made in ``room``, is gone at its end.

    ``secret``: the value of the credentials. ``known_hosts``: empty trusts the first key that is seen, which
    the session then knows. Raises GitFault, outgoing.Refused.
    """
    program()
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=room, prefix="session-") as made:
        folder = Path(made)
        environment = local_environment(address.scheme)
        environment["GIT_CONFIG_GLOBAL"] = str(
            _private(folder / "config", CONFIG + _resolved(address, secret))
        )
        if address.scheme == "ssh":
            environment["GIT_SSH_COMMAND"] = _ssh(address, folder, secret, known_hosts)
            environment["GIT_SSH_VARIANT"] = "ssh"
        elif secret and not address.local:
            environment["GIT_ASKPASS"] = _askpass(folder, secret)
        yield Session(address, folder, environment, secret)


def _private(path: Path, text: str, mode: int = 0o600) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _resolved(address: Address, secret: str) -> str:
    """Ties an http(s) host to its checked addresses, so that git asks no resolver again.

    Over plain http credentials go to inner addresses alone.
    """
    if address.scheme not in ("http", "https"):
        return ""
    if version() < OLDEST_FOR_HTTP:
        raise faults.too_old(version(), OLDEST_FOR_HTTP)
    found = outgoing.checked(address.host, address.port)
    if secret and address.scheme == "http" and not outgoing.inner(address.host, address.port, found):
        raise faults.in_clear(address)
    addresses = ",".join(f"[{each}]" if ":" in each else each for each in found)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"[http]\n    curloptResolve = {host}:{address.port}:{addresses}\n"


def _askpass(folder: Path, secret: str) -> str:
    """A program that answers git's questions from files: user:password, or a token alone."""
    user, colon, password = secret.strip().partition(":")
    _private(folder / "username", user if colon else "x-access-token")
    _private(folder / "password", password if colon else user)
    return str(_private(folder / "askpass", ASKPASS, 0o700))


def _ssh(address: Address, folder: Path, secret: str, known_hosts: str) -> str:
    """The command line of ssh: a checked address, the recorded host keys, the one key, nothing else."""
    hosts = _private(folder / "known_hosts", known_hosts and known_hosts.rstrip("\n") + "\n")
    options = {
        "HostName": outgoing.checked(address.host, address.port)[0],
        "HostKeyAlias": address.known_as,
        "UserKnownHostsFile": str(hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes" if known_hosts.strip() else "accept-new",
        "CheckHostIP": "no",
        "HashKnownHosts": "no",
        "UpdateHostKeys": "no",
        "BatchMode": "yes",
        "PreferredAuthentications": "publickey",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": str(_private(folder / "key", secret.rstrip() + "\n")) if secret else "none",
        "ForwardAgent": "no",
        "ProxyCommand": "none",
        "PermitLocalCommand": "no",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
    }
    words = [_ssh_program(), "-F", "/dev/null", "-a", "-x", "-T"]
    for name, value in options.items():
        # A percent sign begins a token in ssh's options, a space ends a value.
        quoted = value.replace("%", "%%") if name in ("UserKnownHostsFile", "IdentityFile") else value
        words += ["-o", f'{name}="{quoted}"' if " " in quoted else f"{name}={quoted}"]
    return shlex.join(words)
