"""One hash over many digests, and for each digest the way to it. Pure.

Leaves and nodes are hashed with different first bytes, as in RFC 6962, so that none can pass for the other.
A node without a sibling moves up as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

# One step up: on which side the sibling stands ("left" or "right"), and its hash in hex.
Step = tuple[str, str]

LEAF, NODE = b"\x00", b"\x01"


def root_and_paths(digests: Sequence[str]) -> tuple[str, list[list[Step]]]:
    """The root over hex digests, and for each of them, in their order, its path. ValueError for none."""
    if not digests:
        raise ValueError("there is no root over nothing")
    level = [_leaf(digest) for digest in digests]
    places = list(range(len(level)))
    paths: list[list[Step]] = [[] for _ in digests]
    while len(level) > 1:
        for number, place in enumerate(places):
            sibling = place ^ 1
            if sibling < len(level):
                side = "left" if sibling < place else "right"
                paths[number].append((side, level[sibling].hex()))
            places[number] = place // 2
        level = [_above(level[at : at + 2]) for at in range(0, len(level), 2)]
    return level[0].hex(), paths


def root_of(digest: str, path: Sequence[Sequence[str]]) -> str:
    """The root that a digest leads to by its path."""
    found = _leaf(digest)
    for side, sibling in path:
        other = bytes.fromhex(sibling)
        found = _above([other, found] if side == "left" else [found, other])
    return found.hex()


def _leaf(digest: str) -> bytes:
    return hashlib.sha256(LEAF + bytes.fromhex(digest)).digest()


def _above(pair: Sequence[bytes]) -> bytes:
    return pair[0] if len(pair) == 1 else hashlib.sha256(NODE + pair[0] + pair[1]).digest()
