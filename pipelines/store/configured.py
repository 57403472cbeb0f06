"""The artifact store of this installation, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from pipelines.store.errors import StoreError
from pipelines.store.place import Means
from pipelines.store.store import Store


def store(address: str = "") -> Store:
    """The store of the settings, or one at another address with the same keys. Raises StoreError."""
    given: dict[str, Any] = settings.ORCHESTRATOR
    means = Means(
        cache=Path(given["STORE_CACHE"]),
        cache_bytes=given["STORE_CACHE_MIB"] * 1024 * 1024,
        access_key=given["STORE_ACCESS_KEY"],
        secret_key=given["STORE_SECRET_KEY"],
    )
    return Store(address or given["STORE"], means)


def trouble() -> str:
    """Why the store cannot be used now, as a sentence; "" when it can. Within seconds, for `/readyz`."""
    try:
        store().check()
    except StoreError as problem:
        return f"{problem}."
    return ""
