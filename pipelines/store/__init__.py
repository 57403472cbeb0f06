"""Content-addressed bytes: what is stored is known by its sha256 and never changes. No ORM, no settings.

`Store` is the one interface; where the bytes lie is its place: a folder (`folder.py`) or S3 (`s3.py`).
"""

from __future__ import annotations

from pipelines.store.errors import Damaged, NotStored, StoreAway, StoreError, StoreFull, Unstorable
from pipelines.store.manifests import Entry, keep_all, walk
from pipelines.store.place import Found, Means
from pipelines.store.store import Store, Stored

__all__ = [
    "Damaged",
    "Entry",
    "Found",
    "Means",
    "NotStored",
    "Store",
    "StoreAway",
    "StoreError",
    "StoreFull",
    "Stored",
    "Unstorable",
    "keep_all",
    "walk",
]
