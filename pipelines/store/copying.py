"""All bytes of one store into another. What is there already is left alone: it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from pipelines.store.errors import Damaged, NotStored
from pipelines.store.place import Found
from pipelines.store.store import Store

AT_ONCE = 8
BATCH = 200


@dataclass(frozen=True)
class Copied:
    """What became of one file. `problem` says why it was not copied, or is ""; `new`: it was not there."""

    found: Found
    new: bool
    problem: str = ""


def copy(source: Store, target: Store) -> Iterator[list[Copied]]:
    """Copy everything, in batches. Damaged bytes are reported and left out. Raises StoreAway, StoreFull."""
    listing = source.listed()
    with ThreadPoolExecutor(AT_ONCE) as lanes:
        while batch := list(islice(listing, BATCH)):
            yield list(lanes.map(lambda found: _copied(source, target, found), batch))


def _copied(source: Store, target: Store, found: Found) -> Copied:
    if target.has(found.sha256):
        return Copied(found, new=False)
    try:
        source.verify(found.sha256)
        with source.borrowed(found.sha256) as path:
            target.put_file(path)
    except (Damaged, NotStored) as problem:
        return Copied(found, new=False, problem=str(problem))
    return Copied(found, new=True)


def damaged(store: Store, digests: Iterable[Found]) -> Iterator[tuple[Found, str]]:
    """Hash these again, where they lie; each with what is wrong with it, "" when nothing is."""
    with ThreadPoolExecutor(AT_ONCE) as lanes:
        listing = iter(digests)
        while batch := list(islice(listing, BATCH)):
            yield from zip(batch, lanes.map(lambda found: _problem(store, found.sha256), batch), strict=True)


def _problem(store: Store, sha256: str) -> str:
    try:
        store.verify(sha256)
    except (Damaged, NotStored) as problem:
        return str(problem)
    return ""
