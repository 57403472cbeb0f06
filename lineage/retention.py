"""Bytes that nothing refers to any more: the only place that removes any.

In two steps, so that nobody who stores or reads at the same time loses anything.

1. What is older than the grace and referred to by nothing is put aside, into the trash of the store. From
   then on storing the same bytes stores them anew, and reading them brings them back.
2. What has lain there for a grace, and is referred to by nothing still, is removed, with an audit row. What
   is referred to by now, as somebody had found the bytes in place a moment before, is brought back.

Bytes are referred to when a column whose name speaks of a sha256 holds their digest, in any table and in all
its rows, or when they are a file of a folder that is referred to. A digest that stands in JSON alone keeps
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Min, Q, QuerySet

from lineage.models import Artifact, CodeRef, Content
from pipelines import audit
from pipelines.models import CodeSnapshot
from pipelines.store import Found, NotStored, Store, StoreError
from pipelines.store.store import DIGEST
from runs.models import Attempt, AttemptOutput
from runs.states import AttemptState
from runs.worker.serializers import FOLDER

BATCH: Final = 500  # digests of one audit row
HOUR: Final = 3600.0  # seconds by which the clocks of database and store may differ, far more than they do


class Unknown(Exception):
    """What is referred to cannot be told for certain, so nothing may go; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What one round would do. `aside`: into the trash; `remove`, `restore`: out of it. `kept`: digests.

    `twice`: what is referred to, is there, and lies in the trash as well, for it was stored anew meanwhile.
    """

    aside: list[Found]
    remove: list[Found]
    restore: list[Found]
    twice: list[Found]
    kept: int


def plan(store: Store, grace: timedelta) -> Plan:
    """Look at all bytes and all references. Raises Unknown, StoreError."""
    before = _cutoff(grace)
    # What is referred to after this look was stored after it, or comes back from the trash in time.
    trash = {bytes.fromhex(found.sha256): found for found in store.listed(trash=True)}
    references = referenced(store)
    aside, there = [], set()
    for found in store.listed():
        sha256 = bytes.fromhex(found.sha256)
        if sha256 in trash:
            there.add(sha256)
        if found.since < before and sha256 not in references:
            aside.append(found)
    needed = {one: found for one, found in trash.items() if one in references}
    lost = [found for one, found in trash.items() if one not in references]
    return Plan(
        aside=aside,
        remove=[found for found in lost if found.since < before],
        restore=[found for one, found in needed.items() if one not in there],
        twice=[found for one, found in needed.items() if one in there],
        kept=len(references),
    )


def _cutoff(grace: timedelta) -> float:
    """Seconds of the epoch: later bytes stay, and all that an attempt which still runs may have stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        (now,) = cursor.fetchone()
    oldest = Attempt.objects.filter(state=AttemptState.RUNNING).aggregate(at=Min("started_at"))["at"]
    cutoff: float = now - grace.total_seconds()
    return min(cutoff, oldest.timestamp() - HOUR) if oldest else cutoff


def carry_out(store: Store, planned: Plan) -> None:
    """Do it. Removing is told to the audit chain before it happens: no bytes go without a row."""
    for found in (*planned.restore, *planned.twice):
        store.restore(found.sha256)
    for start in range(0, len(planned.remove), BATCH):
        batch = planned.remove[start : start + BATCH]
        _tell(batch)
        for found in batch:
            store.remove(found.sha256)
    for found in planned.aside:
        with suppress(NotStored):  # another round was quicker
            store.trash(found.sha256)


def _tell(batch: list[Found]) -> None:
    payload = {
        "why": "referred to by nothing",
        "count": len(batch),
        "bytes": sum(found.size for found in batch),
        "sha256": [found.sha256 for found in batch],
    }
    with transaction.atomic():
        audit.write(None, "purge", None, payload, team=None, name="store")


# --- What is referred to ------------------------------------------------------------------


def referenced(store: Store) -> set[bytes]:
    """The digests of all bytes that something refers to. Raises Unknown, StoreError."""
    found: set[bytes] = set()
    for model, field in columns():
        rows = model._base_manager.exclude(**{field: ""}).exclude(**{field: None})
        for (text,) in rows.order_by().values_list(field).iterator(chunk_size=10_000):
            if DIGEST.fullmatch(text):
                found.add(bytes.fromhex(text))
    for sha256 in folders():
        found.update(_files(store, sha256))
    return found


def columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every column that holds digests, by its name and length."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if "sha256" in field.name and isinstance(field, models.CharField) and field.max_length == 64:
                yield model, field.name


def folders() -> set[str]:
    """Digests that are those of manifests."""
    is_folder = Q(media_type=FOLDER)
    sources: tuple[tuple[QuerySet[models.Model], str], ...] = (
        (AttemptOutput._base_manager.filter(is_folder | Q(type="folder")), "sha256"),
        (Content._base_manager.filter(is_folder, inline=None), "sha256"),
        (Artifact._base_manager.filter(kind="folder", content__inline=None), "content__sha256"),
        (CodeSnapshot._base_manager.all(), "tree_sha256"),
        (CodeRef._base_manager.filter(kind="snapshot"), "bundle_sha256"),
    )
    return {sha256 for rows, field in sources for sha256 in _values(rows, field) if sha256}


def _values(rows: QuerySet[models.Model], field: str) -> Iterable[str]:
    return rows.order_by().values_list(field, flat=True).distinct()


def _files(store: Store, folder: str) -> Iterator[bytes]:
    try:
        entries = store.manifest(folder)
    except NotStored as problem:
        raise Unknown(
            f"Which files the folder {folder} holds cannot be told, so nothing may go: {problem}. "
            "Bring it back, from a backup or another store by `manage.py store copy`."
        ) from problem
    return (bytes.fromhex(entry.sha256) for entry in entries if entry.sha256)


def missing(store: Store, has: Callable[[str], bool]) -> list[str]:
    """Digests of bytes that records and snapshots speak of and `has` denies."""
    wanted = set(Content.objects.filter(inline=None).values_list("sha256", flat=True))
    for folder in folders():
        wanted.add(folder)
        with suppress(StoreError):  # the folder itself is then missing or damaged
            wanted.update(entry.sha256 for entry in store.manifest(folder) if entry.sha256)
    return sorted(sha256 for sha256 in wanted if not has(sha256))
