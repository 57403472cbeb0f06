"""What the API answers about code locations and their snapshots, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines import code
from pipelines.access import Rights
from pipelines.git import host_keys
from pipelines.lookups import lookups
from pipelines.models import CodeLocation, CodeSnapshot

Body = dict[str, Any]


def locations(rights: Rights, rows: Sequence[CodeLocation]) -> list[Body]:
    """LOCATION of each row with its team and last snapshot, and how their environments are doing."""
    found = lookups.environments([row.last_snapshot_id for row in rows if row.last_snapshot_id])
    return [_location(rights, row, found.get(row.last_snapshot_id or 0)) for row in rows]


def location(rights: Rights, row: CodeLocation) -> Body:
    """LOCATION of one row."""
    return locations(rights, [row])[0]


def _location(rights: Rights, row: CodeLocation, environment: Body | None) -> Body:
    return {
        "id": row.uuid,
        "name": row.name,
        "team": row.team.slug,
        "kind": row.kind,
        "address": row.address,
        "ref": row.ref,
        "folder": row.folder,
        "secret": row.secret,
        "known_hosts": row.known_hosts,
        "host_keys": [key.to_json() for key in host_keys.read(row.known_hosts)],
        "auto_sync": row.auto_sync,
        "lock_file": row.lock_file,
        "preload": row.preload,
        "state": code.state(row),
        "commit": _commit(row),
        "remote_commit": row.remote_commit,
        "checked_at": row.checked_at,
        "check_error": row.check_error,
        "syncing": row.syncing,
        "synced_at": row.synced_at,
        "sync_error": row.sync_error,
        "notes": row.notes,
        "snapshot": snapshot(row.last_snapshot) if row.last_snapshot else None,
        "environment": environment,
        "created_at": row.created_at,
        "can": {"sync": rights.can("sync", row), "manage": rights.can("manage", row)},
    }


def snapshot(row: CodeSnapshot) -> Body:
    """SNAPSHOT of a row; its blocks are asked for apart."""
    return {
        "id": row.uuid,
        "tree_sha256": row.tree_sha256,
        "lock_sha256": row.lock_sha256,
        "python": row.python,
        "file_count": row.file_count,
        "size": row.size,
        "created_at": row.created_at,
        "commit": _commit(row),
    }


def _commit(row: CodeLocation | CodeSnapshot) -> Body | None:
    if not row.commit:
        return None
    return {
        "sha": row.commit,
        "at": row.commit_at,
        "subject": row.subject,
        "branch": row.branch,
        "dirty": row.dirty,
    }


def pipeline_code(rights: Rights, standing: code.Standing) -> Body:
    """CODE of a pipeline; who may not see a lent location is told its name and what is used of it."""
    location = standing.location
    seen = location is not None and rights.can("view", location)
    used, latest = standing.used, standing.latest
    environments = lookups.environments([row.pk for row in (used, latest) if row is not None])
    return {
        "location": standing.name,
        "location_id": location.uuid if location is not None and seen else None,
        "state": code.state(location) if location is not None and seen else None,
        "follow": standing.follow,
        "version": standing.version,
        "used": snapshot(used) if used else None,
        "latest": snapshot(latest) if latest else None,
        "used_environment": environments.get(used.pk) if used else None,
        "latest_environment": environments.get(latest.pk) if latest else None,
        "new_code": standing.new_code,
    }
