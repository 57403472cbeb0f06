"""The code of runs: which snapshot a run uses, and the chores that look at repositories and sync them."""

from __future__ import annotations

import time
from typing import Any, Final

from django.conf import settings
from django.db import connection

from pipelines import grants, repositories
from pipelines.git.address import COMMIT
from pipelines.models import ApiToken, CodeKind, CodeLocation, CodeSnapshot, User
from pipelines.problems import listed
from runs import chores
from runs.environments import building
from runs.models import Chore, Run, RunCode

Json = dict[str, Any]

SYNC: Final = "sync"
LOOK: Final = "look at code"
ASK_EVERY: Final = 10.0  # seconds between two searches for repositories that nobody looked at for long
MOST_TRIES: Final = 3  # syncs in a row of one location that is changed while it is synced
LONG_UNSEEN: Final = """
    SELECT uuid::text FROM code_location
    WHERE kind = 'git' AND archived_at IS NULL AND ref !~ %s
      AND coalesce(checked_at, synced_at, created_at) < engine_now() - make_interval(secs => %s)
    ORDER BY checked_at NULLS FIRST LIMIT 100
"""


class CodeMissing(Exception):
    """A run cannot have its code. ``code`` is for programs, the text says why and how to go on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


# --- the code of a run ----------------------------------------------------------------------------------


def fix(run: Run, spec: Json) -> None:
    """Write which snapshot every attempt of the run uses. Raises CodeMissing."""
    found = chosen(run.team_id, spec)
    if found is None:
        return
    if hopeless := building.why_hopeless(found):
        raise CodeMissing("python-missing", hopeless)
    RunCode.objects.create(run=run, location=found.location, snapshot=found, lock_sha256=found.lock_sha256)


def chosen(team_id: int, spec: Json) -> CodeSnapshot | None:
    """The snapshot that a run of a version would use now; None without code. Raises CodeMissing."""
    code = spec.get("code")
    if not code:
        return None
    meant = grants.meant(CodeLocation.objects.all(), team_id, code["location"])
    snapshots = CodeSnapshot.objects.select_related("location").defer("blocks")
    found = snapshots.filter(location__in=meant, tree_sha256=code["snapshot"]).first()
    if found is None and ":" in code["location"] and not meant.exists():
        raise CodeMissing("code-not-lent", f"The code location {grants.not_lent(code['location'])}")
    if found is None:
        raise CodeMissing(
            "code-missing",
            f"The snapshot {code['snapshot'][:12]} of code location {code['location']} is not there.",
        )
    return _latest(found.location, found, spec) if code.get("follow") == "latest" else found


def _latest(location: CodeLocation, seen: CodeSnapshot, spec: Json) -> CodeSnapshot:
    """The last snapshot, when its blocks still take and give what the version was validated with."""
    if location.last_snapshot is None or location.last_snapshot_id == seen.pk:
        return seen
    changed = changed_ports(seen, location.last_snapshot, spec)
    if changed:
        raise CodeMissing(
            "code-changed",
            f"The latest code of {location.name} takes or gives something else than what this version was "
            f"published with: {listed(changed)}. Publish the pipeline again with the new code, then run it.",
        )
    return location.last_snapshot


def changed_ports(seen: CodeSnapshot, latest: CodeSnapshot, spec: Json) -> list[str]:
    """The blocks of a version whose ports are others in a later snapshot, each with what differs."""
    blocks = sorted({task["config"]["run"] for task in spec["tasks"] if _is_block(task)})
    pairs = ((block, seen.blocks.get(block), latest.blocks.get(block)) for block in blocks)
    return [f"{block} ({found})" for block, old, new in pairs if (found := _difference(old, new))]


def _is_block(task: Json) -> bool:
    return task["kind"] == "python" and bool(task["config"].get("run"))


def _difference(old: Json | None, new: Json | None) -> str:
    if new is None:
        return "it is gone"
    if old is None:
        return "it is new"
    if new.get("problem"):
        return str(new["problem"])
    names = [
        *_ports_that_differ(old["inputs"], new["inputs"]),
        *_ports_that_differ(old["outputs"], new["outputs"]),
    ]
    if not names and old.get("open") != new.get("open"):
        return "further inputs"
    return ", ".join(names)


def _ports_that_differ(old: list[Json], new: list[Json]) -> list[str]:
    before = {port["name"]: _meaning(port) for port in old}
    after = {port["name"]: _meaning(port) for port in new}
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _meaning(port: Json) -> tuple[Any, ...]:
    """What of a port a document is judged by; another default is no other port."""
    return port["type"], bool(port.get("required")), repr(port.get("choices"))


# --- chores ---------------------------------------------------------------------------------------------


def when_wanted(location: CodeLocation, actor: User | None, token: ApiToken | None, **_: Any) -> None:
    """Somebody wants a repository synced."""
    who = {"actor": actor.pk if actor else None, "token": token.pk if token else None}
    chores.ask(SYNC, str(location.uuid), who)


def carry_out_sync(chore: Chore) -> None:
    """Sync the repository that a chore names; again when it was changed meanwhile."""
    actor = User.objects.filter(pk=chore.payload.get("actor")).first()
    token = ApiToken.objects.filter(pk=chore.payload.get("token")).first()
    for _ in range(MOST_TRIES):
        location = _living(chore.key)
        if location is None:
            return
        before = _meant(location)
        with repositories.told_of_the_unexpected(location):
            repositories.sync(location, actor=actor, token=token)
        location = _living(chore.key)
        if location is None or _meant(location) == before:
            return


def carry_out_look(chore: Chore) -> None:
    """See whether a repository has new commits; sync where its team wants that by itself."""
    location = _living(chore.key)
    if location is not None and repositories.look(location) and location.auto_sync:
        repositories.ask(location, actor=None)


def _living(name: str) -> CodeLocation | None:
    rows = CodeLocation.objects.filter(uuid=name, kind=CodeKind.GIT, archived_at=None)
    return rows.select_related("team", "last_snapshot").first()


def _meant(location: CodeLocation) -> tuple[str, ...]:
    """What decides which bytes a sync gives; host keys of a first contact change nothing of it."""
    return tuple(getattr(location, name) for name in repositories.MEANT if name != "known_hosts")


_asked_at = float("-inf")


def ask_to_look() -> None:
    """Have repositories looked at that nobody asked for the time of the setting; 0 leaves them to people."""
    global _asked_at
    every = settings.ORCHESTRATOR["CODE_CHECK_EVERY"]
    now = time.monotonic()
    if every <= 0 or now - _asked_at < min(ASK_EVERY, every):
        return
    _asked_at = now
    with connection.cursor() as cursor:
        cursor.execute(LONG_UNSEEN, [f"^({COMMIT.pattern})$", every])
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        chores.ask(LOOK, name)
