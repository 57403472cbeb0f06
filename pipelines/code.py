"""Code locations: folders of the server whose content is kept as snapshots, and the blocks found there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from pipelines import audit, signatures, snapshots
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, CodeLocation, CodeSnapshot, Team, User
from pipelines.problems import listed
from pipelines.signals import code_synced
from pipelines.store import Store, StoreError


def store() -> Store:
    """The artifact store of this installation."""
    return Store(settings.ORCHESTRATOR["STORE"])


def register(
    team: Team,
    name: str,
    address: str,
    *,
    actor: User | None,
    lock_file: str = "",
    preload: Sequence[str] = (),
    token: ApiToken | None = None,
) -> CodeLocation:
    """A new location of a team, with its first snapshot. The caller has seen that ``actor`` is a site admin.

    Invalid when the folder cannot be used, Conflict when the name is taken or the folder cannot be read.
    """
    folder = _usable(address)
    try:
        with transaction.atomic():
            location = CodeLocation.objects.create(
                team=team,
                name=name,
                kind="folder",
                address=str(folder),
                lock_file=lock_file,
                preload=list(preload),
                created_by=actor,
            )
            sync(location, actor=actor, token=token, registered=True)
    except IntegrityError:
        raise Conflict(
            f"The team {team.slug} has, or had, a code location '{name}': choose another name.",
            code="name-taken",
        ) from None
    return location


def _usable(address: str) -> Path:
    """The folder of an address, when it is one of the server's that may be read for its code."""
    folder = Path(address)
    if "\x00" in address or not folder.is_absolute() or not folder.is_dir():
        raise Invalid(
            f"{address!r} is not a folder of the server: give the absolute path of one.",
            errors=[("address", "Not a folder.")],
        )
    folder, home = folder.resolve(), Path(settings.ORCHESTRATOR["HOME"]).resolve()
    if folder.is_relative_to(home) or home.is_relative_to(folder):
        raise Invalid(
            "The folder holds, or lies in, the orchestrator's own home with its secrets: choose another one.",
            errors=[("address", "Holds the orchestrator's home.")],
        )
    return folder


def sync(
    location: CodeLocation,
    *,
    actor: User | None,
    token: ApiToken | None = None,
    registered: bool = False,
) -> CodeSnapshot:
    """Take a snapshot of the folder as it is now, and read the blocks from the snapshot, never by running it.

    The same content gives the same snapshot. Conflict when the folder cannot be read; the reason is then
    also kept on the location.
    """
    try:
        taken, found, preload = _read(location)
    except (StoreError, OSError) as problem:
        CodeLocation.objects.filter(pk=location.pk).update(sync_error=str(problem))
        raise Conflict(f"{location.name} cannot be synced: {problem}.", code="sync-failed") from problem
    with transaction.atomic():
        snapshot = _keep(location, taken, found)
        changed = location.last_snapshot_id != snapshot.pk
        location.last_snapshot, location.synced_at = snapshot, EngineNow()
        location.sync_error = _unread(found)
        location.preload = preload or location.preload
        location.save(update_fields=["last_snapshot", "synced_at", "sync_error", "preload"])
        location.refresh_from_db(fields=["synced_at"])
        if changed:
            transaction.on_commit(partial(code_synced.send_robust, CodeLocation, snapshot=snapshot))
        if changed or actor is not None:
            audit.write(
                actor,
                "code.register" if registered else "code.sync",
                location,
                {"address": location.address, "tree_sha256": taken.tree_sha256, "changed": changed},
                team=location.team,
                token=token,
            )
    return snapshot


@transaction.atomic
def archive(location: CodeLocation, *, actor: User, token: ApiToken | None = None) -> bool:
    """Offer a location's blocks to nobody any more; published versions keep theirs. False when it was so."""
    changed = CodeLocation.objects.filter(pk=location.pk, archived_at=None).update(archived_at=EngineNow())
    if changed:
        audit.write(actor, "code.archive", location, {}, team=location.team, token=token)
    return bool(changed)


@transaction.atomic
def restore(location: CodeLocation, *, actor: User, token: ApiToken | None = None) -> bool:
    """Offer an archived location's blocks again, as they were last read. False when it was not archived."""
    changed = CodeLocation.objects.filter(pk=location.pk).exclude(archived_at=None).update(archived_at=None)
    if changed:
        audit.write(actor, "code.restore", location, {}, team=location.team, token=token)
    return bool(changed)


def _read(location: CodeLocation) -> tuple[snapshots.Snapshot, signatures.Blocks, list[str]]:
    here = store()
    taken = snapshots.take(here, Path(location.address), location.lock_file)
    folder = here.local_folder(taken.tree_sha256)
    return taken, signatures.read_folder(folder), snapshots.preload_modules(folder)


def _keep(location: CodeLocation, taken: snapshots.Snapshot, found: signatures.Blocks) -> CodeSnapshot:
    snapshot, _ = CodeSnapshot.objects.get_or_create(
        location=location,
        tree_sha256=taken.tree_sha256,
        defaults={
            "lock_sha256": taken.lock_sha256,
            "python": taken.python,
            "file_count": taken.file_count,
            "size": taken.size,
            "blocks": {name: block.to_json() for name, block in found.blocks.items()},
        },
    )
    return snapshot


def _unread(found: signatures.Blocks) -> str:
    """Which modules have no blocks because they cannot be read, as a sentence; "" when all can."""
    if not found.problems:
        return ""
    return (
        f"No blocks are seen in {listed(f'{p.module} (line {p.line}: {p.message})' for p in found.problems)}."
    )
