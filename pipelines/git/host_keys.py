"""Lines of a known_hosts file, as people compare them. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class HostKey:
    """One line: for whom, of which kind, and the fingerprint as `ssh-keygen -l` shows it."""

    host: str
    kind: str
    fingerprint: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def read(text: str) -> Iterator[HostKey]:
    """The keys of a known_hosts file; comments, and lines that cannot be read, are passed over."""
    for line in text.splitlines():
        words = [word for word in line.split() if not word.startswith("@")]
        if len(words) >= 3 and not line.startswith("#"):
            try:
                key = base64.b64decode(words[2], validate=True)
            except (binascii.Error, ValueError):
                continue
            # A key begins with the length and the text of its kind.
            if key[4 : 4 + len(words[1])] != words[1].encode():
                continue
            digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
            host = "a hidden name" if words[0].startswith("|") else words[0]
            yield HostKey(host, words[1], f"SHA256:{digest}")
