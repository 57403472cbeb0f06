"""What git says when it fails, as a sentence that names the way out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pipelines.git.address import Address, masked


class GitFault(Exception):
    """A repository could not be read. ``code`` is stable; the text says why and how to go on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def missing() -> GitFault:
    return GitFault(
        "git-missing",
        "Git is not installed where the system worker runs: install the package git there, then sync again.",
    )


def no_ssh() -> GitFault:
    return GitFault(
        "ssh-missing",
        "There is no ssh where the system worker runs, and this repository is read by SSH: install the "
        "package openssh-client there, then sync again, or use https.",
    )


def too_old(found: tuple[int, int], wanted: tuple[int, int]) -> GitFault:
    return GitFault(
        "git-too-old",
        f"Git {found[0]}.{found[1]} is installed where the system worker runs, and http(s) needs "
        f"{wanted[0]}.{wanted[1]} or newer: update git there, or use ssh.",
    )


def in_clear(address: Address) -> GitFault:
    return GitFault(
        "in-clear",
        f"The credentials would cross the network in clear: write https://{address.host} in the address, or "
        "name no secret.",
    )


def too_slow(address: Address, seconds: float) -> GitFault:
    return GitFault(
        "timeout",
        f"{_of(address)} was not done within {seconds:.0f} s: sync again later, or use a smaller repository.",
    )


def too_big(limit: int) -> GitFault:
    return GitFault(
        "too-big",
        f"A commit of the repository has more than {limit // 1024**2:,} MiB: keep data and models elsewhere.",
    )


def no_ref(ref: str, near: list[str]) -> GitFault:
    hint = f" There is {' and '.join(near)}." if near else ""
    if re.fullmatch(r"[0-9a-f]{7,39}", ref):
        hint = " A commit is written with all its 40 digits."
    return GitFault("no-such-ref", f"The repository has no branch or tag '{ref}'.{hint}")


def empty() -> GitFault:
    return GitFault("empty", "The repository is empty: push a first commit, then sync again.")


def no_folder(folder: str) -> GitFault:
    return GitFault(
        "no-such-folder",
        f"This commit has no folder '{folder}': correct the folder, or push it, then sync again.",
    )


def explained(said: str, address: Address, *, with_secret: bool) -> GitFault:
    """The fault behind what git or ssh wrote to its error output."""
    for mark, make in _KNOWN:
        if mark.search(said):
            return make(address, with_secret)
    lines = [line.strip() for line in masked(said).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines[-1:]
    words = "; ".join(dict.fromkeys(telling[-2:]))[:500] or "it ended without a word"
    return GitFault("git-failed", f"Git could not read the repository: {words}")


def _of(address: Address) -> str:
    return address.host or "The repository on the server's disk"


def _credentials(address: Address, with_secret: bool) -> GitFault:
    if address.local:
        return GitFault(
            "unreadable", "The server may not read this folder: let its user read it, then sync again."
        )
    if with_secret:
        kind = "private key" if address.scheme == "ssh" else "token or user:password"
        message = (
            f"{_of(address)} refused the credentials: store a valid {kind} in the secret, then sync again."
        )
    else:
        message = f"{_of(address)} asks for credentials: name a secret that holds them."
    return GitFault("credentials", message)


def _changed_key(address: Address, _: bool) -> GitFault:
    return GitFault(
        "host-key-changed",
        f"The host key of {_of(address)} is not the one that was recorded: somebody may stand in between. "
        "When its operator confirms a new key, an admin of the team replaces the known hosts here.",
    )


def _unknown_key(address: Address, _: bool) -> GitFault:
    return GitFault(
        "host-key-unknown",
        f"The known hosts given here do not name {_of(address)}: add the line that its operator publishes.",
    )


def _no_repository(address: Address, with_secret: bool) -> GitFault:
    also = "" if with_secret else ", and name a secret if it is private"
    return GitFault("no-such-repository", f"{_of(address)} has no such repository: check the address{also}.")


def _refused(address: Address, _: bool) -> GitFault:
    return GitFault(
        "unreachable", f"{_of(address)} does not take connections: check host and port, then sync again."
    )


def _redirected(address: Address, _: bool) -> GitFault:
    return GitFault(
        "redirected",
        f"{_of(address)} leads on to another address, which is not followed: write the final address.",
    )


def _certificate(address: Address, _: bool) -> GitFault:
    return GitFault(
        "certificate",
        f"The certificate of {_of(address)} is not trusted: whoever runs this server can add its authority.",
    )


def _no_commit(_: Address, __: bool) -> GitFault:
    return GitFault("no-such-ref", "The repository does not give out this commit: name its branch or tag.")


def _disk(_: Address, __: bool) -> GitFault:
    return GitFault("disk-full", "The disk of the server is full: make room, then sync again.")


def _bad_key(_: Address, __: bool) -> GitFault:
    return GitFault(
        "credentials",
        "The secret is no private key that can be read: store one in the OpenSSH format, without passphrase.",
    )


# First fit.
_KNOWN: Final[list[tuple[re.Pattern[str], Callable[[Address, bool], GitFault]]]] = [
    (re.compile(r"No space left on device"), _disk),
    (re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED"), _changed_key),
    (re.compile(r"Host key verification failed|No .* host key is known"), _unknown_key),
    (re.compile(r"Load key .*: (error in libcrypto|invalid format|incorrect passphrase)"), _bad_key),
    (
        re.compile(r"Authentication failed|could not read (User|Pass)|Permission denied|error: 40[13]"),
        _credentials,
    ),
    (re.compile(r"server certificate|SSL certificate|certificate verif"), _certificate),
    (re.compile(r"redirect|error: 30\d"), _redirected),
    (re.compile(r"not our ref|unadvertised object"), _no_commit),
    (
        re.compile(r"[Rr]epository .*not found|not appear to be a git|does not exist|error: 404"),
        _no_repository,
    ),
    (
        re.compile(r"Connection (refused|timed out|reset)|Failed to connect|Couldn't connect|unreachable"),
        _refused,
    ),
]
