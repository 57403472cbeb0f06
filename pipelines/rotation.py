"""The keys of stored secrets exchanged while everything runs: who needs which key, and sealing anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from pipelines import audit, sealing, second_factors
from pipelines.errors import Conflict
from pipelines.models import Secret, User
from pipelines.secrets import owner_of, sealed_of

BATCH: Final = 100


def rotate(*, actor: User | None = None) -> Iterator[int]:
    """Seal every value again with the newest key; gives the number done after each batch.

    Each batch is a transaction of its own with its audit row, so stopping in between loses nothing and
    starting again goes on. KeyMissing or NotTheSame when a row cannot be opened: those before it are done.
    """
    while done := _rotate_batch(actor):
        yield done
    while done := _rotate_second_factors(actor):
        yield done


@transaction.atomic
def _rotate_batch(actor: User | None) -> int:
    ring = sealing.key_ring()  # as it is now: another new key may have come since the last batch
    rows = list(_stored().exclude(key_id=ring.newest).order_by("id").select_for_update()[:BATCH])
    for row in rows:
        sealed = ring.seal_again(sealed_of(row), row.name)
        row.ciphertext, row.key_id = sealed.ciphertext, sealed.key_id
    if rows:
        Secret.objects.bulk_update(rows, ["ciphertext", "key_id"])
        audit.write(actor, "secret.rotate", None, {"secrets": len(rows), "key": ring.newest}, team=None)
    return len(rows)


@transaction.atomic
def _rotate_second_factors(actor: User | None) -> int:
    done = second_factors.rotate(BATCH)
    if done:
        told = {"second_factors": done, "key": sealing.key_ring().newest}
        audit.write(actor, "secret.rotate", None, told, team=None)
    return done


@dataclass(frozen=True)
class Keyed:
    """One secret as the check of the keys sees it. ``problem``: why it cannot be opened, or ""."""

    team: str
    name: str
    key_id: str
    problem: str


def keyed() -> Iterator[Keyed]:
    """Every stored secret with the id of the key it needs, opened to see whether it can be.

    Second factors of people come last, as of a team called "second factor".
    """
    ring = sealing.key_ring()
    for row in _stored().select_related("team").order_by("team__slug", "name").iterator(BATCH):
        try:
            ring.open(sealed_of(row), owner_of(row))
            problem = ""
        except Conflict as refusal:
            problem = refusal.message
        yield Keyed(row.team.slug, row.name, row.key_id, problem)
    for person, key_id, problem in second_factors.key_ids():
        yield Keyed("second factor", person, key_id, problem)


def keys_in_use() -> set[str]:
    """The ids of the keys that some stored secret, or somebody's second factor, needs."""
    of_people = {key_id for _, key_id, _ in second_factors.key_ids()}
    return set(_stored().values_list("key_id", flat=True).distinct()) | of_people


def _stored() -> QuerySet[Secret]:
    """Every secret that a key is needed for."""
    return Secret.objects.exclude(key_id="")
