"""The addresses that a lock file names: uv asks them from this machine, so none may lead inward, or into it.

This is what can be said before anything is asked; ``guard`` holds while uv asks. The indexes that the
administrator has set are not asked about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pipelines import outgoing
from runs.environments.uv import BuildFailed

# A remark ends with its line, whatever stands at its end.
COMMENT: Final = re.compile(r"(?:^|(?<=\s))#[^\r\n]*")
CONTINUED: Final = re.compile(r"\\(?:\r?\n|\r)")
# Also without the slashes, as readers of addresses take them for written.
ADDRESS: Final = re.compile(
    r"(?<![\w+.-])([a-z][\w+.-]*):(?=[/\\]|(?<=http:)|(?<=https:))(\S*)", re.IGNORECASE
)
PLAIN: Final = re.compile(
    r"//(?:[^\s/@\\?#]*@)?([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?=[/?#,;]|$)", re.IGNORECASE
)
# What is left without the addresses: a path, or the name of a file that could be a package.
LOCAL: Final = re.compile(r"[^\s=@,]*(?:file:|[/\\]|\.(?:whl|zip|tar\.gz|tgz|tar\.bz2)\b)\S*", re.IGNORECASE)
PORTS: Final = {"http": 80, "git+http": 80, "ssh": 22, "git+ssh": 22}
INDEXES: Final = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS")

# uv's own index. A network that answers for it with an address of its own means what it does.
USUAL: Final = ("pypi.org", "files.pythonhosted.org")


def check(lock: bytes) -> None:
    """Raises BuildFailed when a lock file leads to an address that may not be asked."""
    text = CONTINUED.sub("", COMMENT.sub("", lock.decode(errors="replace")))
    if found := LOCAL.search(ADDRESS.sub(_no_more, text)):
        raise BuildFailed(
            f"the lock file names {found[0][:80]}, a file of the worker's machine: put the package into an "
            "index, or into a folder that the workers' UV_FIND_LINKS names",
            final=True,
        )
    configured = set(hosts_of_indexes())
    for host, port in _named(text):
        if host not in configured:
            _check(host, port)


def _no_more(address: re.Match[str]) -> str:
    """Nothing in place of an address, but those of files stay."""
    return address[0] if address[1].lower() == "file" else " "


def _check(host: str, port: int) -> None:
    try:
        outgoing.checked(host, port)
    except outgoing.Refused as problem:
        if problem.code == "unknown-host":
            return  # uv says so itself, or a proxy knows it
        raise BuildFailed(f"the lock file names {host}: {problem}", final=True) from None


def _named(text: str) -> Iterator[tuple[str, int]]:
    """Host and port of each address. Raises BuildFailed for one that may be read in two ways."""
    for found in ADDRESS.finditer(text):
        scheme, rest = found[1].lower(), found[2]
        plain = PLAIN.match(rest)
        if plain is None:
            raise BuildFailed(
                f"the lock file names {found[0][:80]}: write it as https://host/path, the host in ASCII",
                final=True,
            )
        yield plain[1].lower(), int(plain[2] or PORTS.get(scheme, 443))


def hosts_of_indexes() -> Iterator[str]:
    """The hosts, in lower case, that packages come from by default and by what the administrator has set."""
    yield from USUAL
    for name in INDEXES:
        for word in os.environ.get(name, "").split():
            if host := urlsplit(word.rpartition("=")[2] if "=http" in word else word).hostname:
                yield host.lower()
