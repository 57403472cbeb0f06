"""Where contents lie beside the place that they were first stored in."""

from __future__ import annotations

from collections.abc import Collection

from lineage.models import Content, ContentLocation
from pipelines.store import Store


def add(store: Store, digests: Collection[str]) -> None:
    """Write down that these bytes lie in this store too; what is no content of a record is passed over."""
    contents = Content.objects.filter(sha256__in=digests, inline=None)
    ContentLocation.objects.bulk_create(
        [ContentLocation(content=content, address=store.address(content.sha256)) for content in contents],
        ignore_conflicts=True,
    )
