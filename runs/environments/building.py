"""The environments of code locations: built when code is synced, or at the latest when a task needs one.

What machines have built stands in the rows of ``Environment``: state, words, log and path per host.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from pipelines import audit, snapshots
from pipelines.clock import EngineNow
from pipelines.errors import Conflict
from pipelines.models import ApiToken, CodeSnapshot, User
from pipelines.store import Store, configured
from runs import chores, isolation
from runs.environments import guard, interpreters, pruning, venvs
from runs.environments.interpreters import Python
from runs.environments.rows import PYTHON_MISSING, Row, Told
from runs.models import Chore, Environment, Queue, RunCode

ALIVE_FOR = 30.0  # seconds after which a chore without one is somebody else's
USED_EVERY = 3600.0  # seconds between two notes that an environment is used
UNUSED_AFTER = 3600.0  # seconds after which a process lets go of an environment that it has not used

# Environments that this process uses, by (sha256 of the lock, wanted Python).
_held: dict[tuple[str, str], Held] = {}


class Held:
    """An environment that this process has found built. Its use keeps it from being removed."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self.folder = python.parent.parent
        self.use = pruning.Use(self.folder)
        self.used_at = self.noted_at = time.monotonic()

    @property
    def there(self) -> bool:
        return (self.folder / venvs.COMPLETE).is_file()


def cache_folder() -> Path:
    """Where the environments of this machine are."""
    return Path(settings.ORCHESTRATOR["CACHE"])


def checkout(store: Store, tree_sha256: str) -> Path:
    """The folder of a snapshot on this machine, fetched if need be. Raises StoreError, OSError."""
    return snapshots.materialise(store, tree_sha256, Path(settings.ORCHESTRATOR["HOME"]) / "snapshots")


def read_lock(store: Store, tree_sha256: str, lock_file: str) -> bytes:
    """The bytes of a snapshot's lock file. Raises StoreError, OSError."""
    return (checkout(store, tree_sha256) / lock_file).read_bytes()


def interpreter(lock_sha256: str, read: Callable[[], bytes], wanted: str = "") -> str:
    """The interpreter of a lock's environment, built now if it is not there. Raises BuildFailed.

    `wanted`: the versions of Python that will do, as a specifier; without a lock it is a bare interpreter.
    """
    if not lock_sha256:
        return interpreters.choose(wanted).path
    let_go()
    held = _held.get((lock_sha256, wanted))
    if held is None or not held.there:
        held = _held[(lock_sha256, wanted)] = _found(Row(lock_sha256, wanted), read)
    held.used_at = time.monotonic()
    if held.used_at - held.noted_at > USED_EVERY:
        _note_use(Row(lock_sha256, wanted), held)
    return str(held.python)


def let_go() -> None:
    """End the use of what was not used for long: a warm process of it has ended by now."""
    for key, held in list(_held.items()):
        if time.monotonic() - held.used_at > UNUSED_AFTER:
            _held.pop(key).use.end()


def _found(row: Row, read: Callable[[], bytes], watcher: venvs.Watcher | None = None) -> Held:
    """The built environment, after building it where it is missing; its row says how that went."""
    cache = cache_folder()
    try:
        python = interpreters.choose(row.wanted)
        held = _hold(cache, row, python)
        if not held.there or not row.is_ready(held.python):
            _make(row, read, python, watcher)
            row.ready(python, held.folder, venvs.lock_path(cache, row.lock))
    except venvs.BuildFailed as failure:
        row.failed(failure)
        raise
    _note_use(row, held)
    return held


def _hold(cache: Path, row: Row, python: Python) -> Held:
    """Held before it is looked for, so that nobody removes it in between."""
    folder = venvs.environment_path(cache, row.lock, python.version)
    try:
        return Held(folder / "bin" / "python")
    except OSError as error:
        raise venvs.unusable(cache, error) from error


def _make(row: Row, read: Callable[[], bytes], python: Python, watcher: venvs.Watcher | None) -> None:
    cache = cache_folder()
    venvs.interpreter(
        cache,
        row.lock,
        read,
        python=python,
        watcher=watcher or Told(row),
        run_nothing=teams_are_apart(),
        network=guard.Guarded(),
    )


def teams_are_apart() -> bool:
    """Is there a queue that keeps teams from each other? Then building does not run their code either."""
    return Queue.objects.exclude(isolation=isolation.SHARED).exists()


def _note_use(row: Row, held: Held) -> None:
    held.noted_at = time.monotonic()
    pruning.touch(held.folder)
    row.update(used_at=EngineNow())


def note_preload(run_id: int, problems: dict[str, str]) -> None:
    """Keep which modules could not be imported ahead of a run's tasks, for the page of its environment."""
    code = RunCode.objects.select_related("snapshot").get(run_id=run_id)
    Row(code.lock_sha256, code.snapshot.python).update(preload_problems=problems)


def why_hopeless(snapshot: CodeSnapshot) -> str:
    """Why no task of this code can run anywhere, as a sentence; "" when nothing is known against it."""
    row = Row(snapshot.lock_sha256, snapshot.python).rows.filter(state="failed", problem_code=PYTHON_MISSING)
    found = row.values_list("problem", flat=True).first()
    return f"The code cannot run: {found}." if found else ""


# --- chores ---------------------------------------------------------------------------------------------


def key_of(lock_sha256: str, wanted: str) -> str:
    """The key of the chore that builds an environment."""
    return f"{lock_sha256} {wanted}".strip()


def when_synced(snapshot: CodeSnapshot, **_: Any) -> None:
    """A new snapshot: have its environment built before the first task asks for it."""
    if snapshot.lock_sha256 or snapshot.python:
        ask(snapshot)


def ask(snapshot: CodeSnapshot) -> None:
    """Have the environment of a snapshot built, now if an earlier try is waiting for its turn."""
    key = key_of(snapshot.lock_sha256, snapshot.python)
    row = Row(snapshot.lock_sha256, snapshot.python)
    row.make()
    row.rows.filter(state__in=("missing", "failed")).update(
        state="missing", progress="Waiting for its turn", problem="", problem_code=""
    )
    chores.ask("build", key, {"snapshot": snapshot.id})
    Chore.objects.filter(kind="build", key=key, state="waiting").update(due_at=EngineNow())


@transaction.atomic
def build_again(
    environment: Environment, snapshot: CodeSnapshot, *, actor: User, token: ApiToken | None = None
) -> None:
    """What could not be built is tried anew, for a person. Conflict when it is there or being built."""
    if environment.state == "ready":
        raise Conflict("The environment is ready: there is nothing to build.", code="environment-ready")
    running = Chore.objects.filter(
        kind="build", key=key_of(snapshot.lock_sha256, snapshot.python), state="running"
    )
    if running.filter(taken_until__gt=EngineNow()).exists():
        raise Conflict("The environment is being built.", code="environment-building")
    ask(snapshot)
    changed = {"lock_sha256": environment.lock_sha256, "python": environment.wanted}
    audit.write(actor, "environment.build", environment, changed, team=snapshot.location.team, token=token)


def carry_out(chore: Chore) -> None:
    """Build what a chore names. Raises BuildFailed, StoreError, OSError: tried again later.

    What can never be built is written into its row, and that is all there is to do.
    """
    snapshot = CodeSnapshot.objects.select_related("location").get(id=chore.payload["snapshot"])
    row = Row(snapshot.lock_sha256, snapshot.python)
    alive = partial(_sign_of_life, chore)
    alive()
    if snapshot.python and not interpreters.fits(snapshot.python, interpreters.own().version):
        # Somebody may have installed one since this process last looked.
        interpreters.present(fresh=True)
    store = configured.store()
    if not snapshot.lock_sha256:
        _bare(row)
        return
    read = partial(read_lock, store, snapshot.tree_sha256, snapshot.location.lock_file)
    try:
        _found(row, read, Told(row, alive)).use.end()
    except venvs.BuildFailed as failure:
        if not failure.final:
            raise


def _bare(row: Row) -> None:
    """Without a lock file there is nothing to build, but the Python that is wanted must be there."""
    try:
        python = interpreters.choose(row.wanted)
    except venvs.BuildFailed as failure:
        row.failed(failure)
        raise
    row.update(
        state="ready", python=python.version, problem="", problem_code="", progress="", built_at=EngineNow()
    )


def _sign_of_life(chore: Chore) -> None:
    """A chore that builds is taken for half a minute at a time: if its worker dies, another goes on soon."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE chore SET taken_until = engine_now() + make_interval(secs => %s) "
            "WHERE id = %s AND state = 'running' AND attempts = %s",
            [ALIVE_FOR, chore.id, chore.attempts],
        )
