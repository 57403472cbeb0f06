"""Code locations: folders whose content is kept as snapshots, and the blocks found there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from pipelines import audit, grants, signatures, snapshots
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.git import worktree
from pipelines.models import ApiToken, CodeKind, CodeLocation, CodeSnapshot, PipelineVersion, Team, User
from pipelines.problems import listed
from pipelines.signals import code_synced
from pipelines.store import Store, StoreError, configured


def store() -> Store:
    """The artifact store of this installation."""
    return configured.store()


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
                kind=CodeKind.FOLDER,
                address=str(folder),
                lock_file=lock_file,
                preload=list(preload),
                preload_given=list(preload),
                created_by=actor,
            )
            sync(location, actor=actor, token=token, registered=True)
    except IntegrityError:
        raise name_taken(team, name) from None
    return location


def name_taken(team: Team, name: str) -> Conflict:
    return Conflict(
        f"The team {team.slug} has, or had, a code location '{name}': choose another name.",
        code="name-taken",
    )


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
    also kept on the location. Repositories are synced by `pipelines.repositories`.
    """
    folder = Path(location.address)
    try:
        _refuse_elsewhere(folder)
        content = read(folder, location.lock_file)
    except (StoreError, OSError) as problem:
        CodeLocation.objects.filter(pk=location.pk).update(sync_error=str(problem))
        raise Conflict(f"{location.name} cannot be synced: {problem}.", code="sync-failed") from problem
    stands = worktree.standing(folder)
    origin = Origin.of_folder(stands)
    notes = [stands.sentence] if stands and stands.changed else []
    verb = "code.register" if registered else "code.sync"
    return adopt(location, content, origin, notes, verb=verb, actor=actor, token=token)


def _refuse_elsewhere(folder: Path) -> None:
    """A folder that became a link may lead where who made it so may not read. Raises StoreError."""
    if folder.resolve() != folder:
        raise StoreError(f"{folder} leads to another folder now: have a site admin register that one")


@dataclass(frozen=True)
class Content:
    """What was read of a folder: its snapshot, the blocks in it, and what it asks to preload, if it says."""

    taken: snapshots.Snapshot
    found: signatures.Blocks
    preload: list[str] | None


@dataclass(frozen=True)
class Origin:
    """The commit whose bytes were read; `dirty` when they are its bytes and more. All empty without git."""

    commit: str = ""
    commit_at: datetime | None = None
    subject: str = ""
    branch: str = ""
    dirty: bool = False

    @classmethod
    def of_folder(cls, stands: worktree.Standing | None) -> Origin:
        """Of a folder that lies in a git work tree, or does not."""
        if stands is None:
            return cls()
        commit = stands.commit
        return cls(commit.sha, commit.at, commit.subject, stands.ref, bool(stands.changed))

    @property
    def better(self) -> bool:
        """Does it say which commit holds exactly these bytes?"""
        return bool(self.commit) and not self.dirty


def read(folder: Path, lock_file: str) -> Content:
    """Store a folder as it is now, and read the blocks from what was stored. Raises StoreError, OSError."""
    here = store()
    taken = snapshots.take(here, folder, lock_file)
    stored = here.local_folder(taken.tree_sha256)
    return Content(taken, signatures.read_folder(stored), snapshots.preload_modules(stored))


@transaction.atomic
def adopt(
    location: CodeLocation,
    content: Content,
    origin: Origin,
    notes: Sequence[str],
    *,
    verb: str,
    actor: User | None,
    token: ApiToken | None,
) -> CodeSnapshot:
    """Make what was read the last snapshot of a location, and have it told after the commit."""
    snapshot = _keep(location, content, origin)
    changed = location.last_snapshot_id != snapshot.pk
    location.last_snapshot, location.synced_at = snapshot, EngineNow()
    location.sync_error, location.syncing = "", None
    location.notes = [*notes, *_unread(content.found)]
    location.preload = location.preload_given if content.preload is None else content.preload
    for name in _OF_ORIGIN:
        setattr(location, name, getattr(origin, name))
    location.save(update_fields=["last_snapshot", "synced_at", *_OF_SYNC, *_OF_ORIGIN])
    location.refresh_from_db(fields=["synced_at"])
    if changed:
        transaction.on_commit(partial(code_synced.send_robust, CodeLocation, snapshot=snapshot))
    if changed or actor is not None:
        told = {"address": location.address, "tree_sha256": snapshot.tree_sha256, "changed": changed}
        if origin.commit:
            told |= {"commit": origin.commit, "dirty": origin.dirty}
        audit.write(actor, verb, location, told, team=location.team, token=token)
    return snapshot


_OF_SYNC: Final = ("sync_error", "syncing", "notes", "preload")
_OF_ORIGIN: Final = ("commit", "commit_at", "subject", "branch", "dirty")


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


def _keep(location: CodeLocation, content: Content, origin: Origin) -> CodeSnapshot:
    """The snapshot of these bytes: the one that names a commit holding them, where there is one."""
    taken = content.taken
    known = CodeSnapshot.objects.filter(location=location, tree_sha256=taken.tree_sha256)
    found = known.filter(dirty=False).exclude(commit="").order_by("id").first()
    if found is None and not origin.better:
        found = known.first()
    if found is not None:
        return found
    snapshot, _ = CodeSnapshot.objects.get_or_create(
        location=location,
        tree_sha256=taken.tree_sha256,
        commit=origin.commit,
        defaults={
            "lock_sha256": taken.lock_sha256,
            "python": taken.python,
            "file_count": taken.file_count,
            "size": taken.size,
            "blocks": {name: block.to_json() for name, block in content.found.blocks.items()},
            **{name: getattr(origin, name) for name in _OF_ORIGIN if name != "commit"},
        },
    )
    return snapshot


def _unread(found: signatures.Blocks) -> list[str]:
    """Which modules have no blocks because they cannot be read, as a sentence; none when all can."""
    if not found.problems:
        return []
    modules = listed(f"{p.module} (line {p.line}: {p.message})" for p in found.problems)
    return [f"No blocks are seen in {modules}."]


def state(location: CodeLocation) -> str:
    """How what was synced stands to what there is: one of STATES."""
    if location.last_snapshot_id is None:
        return "never"
    if location.kind == CodeKind.FOLDER:
        return "dirty" if location.dirty else "in-step" if location.commit else "plain"
    if location.rewritten:
        return "diverged"
    return "behind" if location.remote_commit not in ("", location.commit) else "in-step"


# never: not synced yet. in-step: at the commit there is. behind: there are new commits. diverged: the history
# was rewritten, and does not hold our commit any more. dirty: a work tree that holds more than its commit.
# plain: a folder without a history.
STATES: Final = ("never", "in-step", "behind", "diverged", "dirty", "plain")


@dataclass(frozen=True)
class Standing:
    """Which code the runs of a version use, and which is there. `name`: of the location, in the version."""

    name: str
    follow: str
    version: int
    location: CodeLocation | None
    used: CodeSnapshot | None
    latest: CodeSnapshot | None

    @property
    def new_code(self) -> bool:
        """Does the version stay with an older snapshot than the last one?"""
        if self.follow != "published" or self.latest is None:
            return False
        return self.used is None or self.used.tree_sha256 != self.latest.tree_sha256


def standing(version: PipelineVersion) -> Standing | None:
    """How a version stands to its code location; None for one without code."""
    spec = version.spec.get("code")
    if not spec:
        return None
    team_id = version.pipeline.team_id
    rows = CodeLocation.objects.select_related("team", "last_snapshot")
    location = grants.meant(rows, team_id, spec["location"]).first()
    seen = CodeSnapshot.objects.filter(location=location, tree_sha256=spec["snapshot"]).first()
    latest = location.last_snapshot if location else None
    follow = spec.get("follow", "published")
    used = latest if follow == "latest" else seen
    return Standing(spec["location"], follow, version.number, location, used, latest)
