"""What can go wrong with a store; every message says what and why."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot do this; the message says what and why."""


class NotStored(StoreError):
    """There are no bytes with this digest."""

    @classmethod
    def of(cls, sha256: str) -> NotStored:
        return cls(f"the store has no bytes with the digest {sha256}")


class Damaged(StoreError):
    """The bytes are there and are not what their name says."""


class Unstorable(StoreError):
    """A folder holds what a manifest cannot: a link that leaves it, a socket, a name that is not UTF-8."""


class StoreAway(StoreError):
    """The store cannot be reached, or does not let us in. Later, or from elsewhere, it may."""


class StoreFull(StoreError):
    """There is no space left for what is to be stored, or to be fetched."""
