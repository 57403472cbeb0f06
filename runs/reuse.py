"""Has this very task been done before? What a task is made from, and whose result it may take over.

Asked within the transaction that settles a run, so nothing here reads the store while it decides: whether
bytes are there is found out before, outside (:class:`FindOut`), and remembered for a while.
"""

from __future__ import annotations

import hashlib
import json
import platform
import random
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Q

from pipelines import secrets
from pipelines.canonical import digest
from pipelines.clock import EngineNow
from pipelines.references import Lookup, secrets_named
from pipelines.store import Damaged, Store, StoreError, configured
from runs import fingerprints
from runs.fingerprints import REUSABLE_KINDS, Ingredients, Json, NotKnown
from runs.models import Attempt, AttemptOutput, CapturedFact, Environment, Run, RunCode, TaskKey, TaskRun
from runs.transitions import FindOut, call
from runs.worker.capture import facts
from runs.worker.serializers import FOLDER

log = structlog.get_logger()

BUILTIN: Final = Path(__file__).parent / "worker" / "builtin"
# One in so many results that are taken over is hashed again.
REHASH_ONE_IN = 100
# Seconds for which bytes that were there are believed to be there.
BELIEVED_FOR = 600.0
# Attempts from which on those are forgotten that are not believed any more.
REMEMBERED = 10_000

DONE = "succeeded"


# --- what may be reused -----------------------------------------------------------------------------------


def cached(spec: Json) -> bool:
    """Does the task ask for equal results of any run (`cache: true`)?"""
    return bool(spec["config"].get("cache"))


def reusable(spec: Json) -> bool:
    """Is the task of a kind whose result can be told from what it is given?"""
    return spec["kind"] in REUSABLE_KINDS


def candidates(spec: Json, old_keys: Collection[str] = (), fresh: Collection[str] = ()) -> list[str]:
    """The tasks of a version that may take over a result.

    Those with `cache: true` and those that the old run had; none that is to be done afresh.
    """
    return [
        task["key"]
        for task in spec["tasks"]
        if (task["key"] in old_keys or cached(task)) and task["key"] not in fresh and reusable(task)
    ]


# --- what a task is made from -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """What a task is made from: the document and its sha256."""

    sha256: str
    document: Json


def key_now(task_run: TaskRun) -> Key:
    """The key of a task that is about to begin: all that it is given is known. Raises :class:`NotKnown`."""
    spec = task_run.task.spec
    code = code_of_run(task_run.run)
    made = Ingredients(
        spec=spec,
        lookup=_lookup(task_run),
        code=code_of(spec, code),
        environment=environment_now(spec, code),
        secrets=_secret_versions(task_run.run.team_id, spec),
    )
    document = fingerprints.document(made)
    return Key(fingerprints.key_of(document), document)


def key_then(task_run: TaskRun) -> Key:
    """The key of a task that has succeeded: as it was stored, or from what its attempt told of itself.

    Raises :class:`NotKnown` where its surroundings were not captured.
    """
    if task_run.cache_key:
        document = TaskKey.objects.values_list("document", flat=True).get(sha256=task_run.cache_key)
        return Key(task_run.cache_key, document)
    source = source_of(task_run)
    if source is None:
        raise NotKnown("It did not succeed.")
    spec, code = task_run.task.spec, code_of_run(task_run.run)
    made = Ingredients(
        spec=spec,
        lookup=_lookup(task_run),
        code=code_of(spec, code),
        environment=_environment_then(spec, code, source),
        secrets=(source.provenance or {}).get("secrets") or {},
    )
    document = fingerprints.document(made)
    return Key(fingerprints.key_of(document), document)


def source_of(task_run: TaskRun) -> Attempt | None:
    """The attempt that did the work of a succeeded task: its own, or the one it took over."""
    if task_run.state != DONE:
        return None
    if task_run.reused_from_id is not None:
        return task_run.reused_from
    return task_run.attempts.filter(state=DONE).first()


def _lookup(task_run: TaskRun) -> Lookup:
    """Looks references up in a run's parameters and in what its tasks gave, with their digests."""
    params = task_run.run.params
    reads = task_run.reads
    upstream = call("engine_outputs", task_run.run_id, json.dumps(reads)) if reads else {}

    def lookup(ref: Any) -> Any:
        if ref["ref"] == "tasks":
            return upstream[ref["task"]][ref["output"]]
        root, _, name = ref["ref"].partition(".")
        if root == "params":
            return params[name]
        raise KeyError(ref["ref"])

    return lookup


def _secret_versions(team_id: int, spec: Json) -> dict[str, int | None]:
    named = secrets_named(spec)
    return secrets.versions_of(team_id, set(named.values())) if named else {}


def code_of_run(run: Run) -> RunCode | None:
    """The code of a run, fixed at its start."""
    return _code_of(run.uuid)


@lru_cache(maxsize=256)
def _code_of(run: UUID) -> RunCode | None:
    return RunCode.objects.select_related("snapshot").filter(run__uuid=run).first()


def code_of(spec: Json, code: RunCode | None) -> Json:
    """What runs, by its hashes: the snapshot, the text in the document, or a function of ours."""
    return code_parts(spec, code.snapshot.tree_sha256 if code else "")


def code_parts(spec: Json, snapshot: str) -> Json:
    """As :func:`code_of`, from the hash of the snapshot; "" for none."""
    if spec["kind"] == "check":
        return {"built in": builtin_sha256("check")}
    text = fingerprints.code_text(spec)
    inline = {} if text is None else {"source": hashlib.sha256(text.encode()).hexdigest()}
    return {**inline, **({"snapshot": snapshot} if snapshot else {})}


@cache
def builtin_sha256(kind: str) -> str:
    """The hash of the code of a built-in kind."""
    return hashlib.sha256((BUILTIN / f"{kind}.py").read_bytes()).hexdigest()


def environment_now(spec: Json, code: RunCode | None) -> Json:
    """What a task would run with now: the environment of its code, or the product's own.

    Raises :class:`NotKnown` when its Python is not known because nothing has been built yet.
    """
    if code is None or not _has_own_environment(spec, code):
        return {"packages": _own_packages(), "python": platform.python_version()}
    wanted = code.snapshot.python
    built = Environment.objects.filter(lock_sha256=code.lock_sha256, wanted=wanted).exclude(python="")
    python = built.values_list("python", flat=True).first() or ("" if wanted else platform.python_version())
    if not python:
        raise NotKnown("Its environment was not built yet.")
    return {"lock": code.lock_sha256, "python": python}


def _has_own_environment(spec: Json, code: RunCode) -> bool:
    return spec["kind"] != "check" and bool(code.lock_sha256 or code.snapshot.python)


@cache
def _own_packages() -> str:
    return packages_sha256(facts.packages())


def packages_sha256(packages: Iterable[Json]) -> str:
    """The digest of a list of {"name", "version"}."""
    return digest([[package["name"], package["version"]] for package in packages])


def _environment_then(spec: Json, code: RunCode | None, source: Attempt) -> Json:
    return environment_told(spec, code, (source.provenance or {}).get("environment") or "")


def environment_told(spec: Json, code: RunCode | None, fact: str) -> Json:
    """What a task ran with, by the fact that its interpreter told. Raises NotKnown when none was captured."""
    found = told_by([fact]).get(fact)
    if found is None:
        raise NotKnown("What it ran with was not captured.")
    if code is not None and _has_own_environment(spec, code):
        return {"lock": code.lock_sha256, "python": found["python"]}
    return found


# Captured fact -> {"packages", "python"} of it. A fact never changes, and reading one costs milliseconds.
_told: dict[str, Json] = {}


def told_by(facts_told: Collection[str]) -> dict[str, Json]:
    """Fact -> the digest of its packages and its Python, for those that are kept. At most one query."""
    unread = set(facts_told) - _told.keys() - {""}
    if unread:
        rows = CapturedFact.objects.filter(sha256__in=unread).values_list("sha256", "body")
        for sha256, body in rows:
            _told[sha256] = {"packages": packages_sha256(body["packages"]), "python": body["python"]}
    return {fact: _told[fact] for fact in facts_told if fact in _told}


# --- whose result is taken over ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a task that is about to begin: its key, and the attempt to take over if any."""

    key: Key | None = None
    source: Attempt | None = None


def look(task_run: TaskRun) -> Found:
    """The equal result for a pending task that may take one over.

    First that of the run it repeats, then, with `cache: true`, the newest of the team. Remembers the key.
    Raises :class:`~runs.transitions.FindOut` when the store must be asked first.
    """
    try:
        key = key_now(task_run)
    except NotKnown:
        return Found()
    if _keep(key):
        return Found(key)
    source = _of_old_run(task_run, key)
    if source is None and cached(task_run.task.spec):
        source = of_team(task_run.run.team_id, key.sha256)
    if source is None or not _at_hand(key.sha256, source):
        return Found(key)
    return Found(key, source)


# The row that was written just now is not seen by its own statement: it is not in quarantine.
_KEEP = """
    WITH kept AS (
        INSERT INTO task_key (sha256, document) VALUES (%s, %s::jsonb) ON CONFLICT DO NOTHING
    )
    SELECT quarantined_at IS NOT NULL FROM task_key WHERE sha256 = %s
"""


def _keep(key: Key) -> bool:
    """Store the document of a key; True when the key is in quarantine."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [key.sha256, json.dumps(key.document), key.sha256])
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def _of_old_run(task_run: TaskRun, key: Key) -> Attempt | None:
    """The attempt of the same task in the run that is repeated, when it was made from the same."""
    old_run = task_run.run.rerun_of_id
    if old_run is None:
        return None
    rows = TaskRun.objects.select_related("task", "run", "reused_from")
    old = rows.filter(run_id=old_run, key=task_run.key, state=DONE).first()
    if old is None:
        return None
    try:
        then = key_then(old)
    except NotKnown:
        return None
    return source_of(old) if then.sha256 == key.sha256 else None


def of_team(team_id: int, key: str) -> Attempt | None:
    """The newest attempt of a team with this key, if it is young enough. One look into an index."""
    oldest = EngineNow() - timedelta(days=settings.ORCHESTRATOR["REUSE_MAX_DAYS"])
    rows = Attempt.objects.filter(team_id=team_id, cache_key=key, state=DONE)
    found = rows.annotate(young=Q(finished_at__gt=oldest)).defer("provenance").order_by("-id").first()
    return found if found is not None and found.young else None


def mark(task_run: TaskRun, key: Key | None) -> None:
    """A task begins although it might have taken a result over: remember what it is made from."""
    sha256 = key.sha256 if key else ""
    TaskRun.objects.filter(pk=task_run.pk, state="pending").update(cache_key=sha256)


# --- are the bytes there? ---------------------------------------------------------------------------------

# Attempt -> monotonic time until which its bytes are believed to be there, or not to be.
_there: dict[int, tuple[float, bool]] = {}


def _at_hand(key: str, source: Attempt) -> bool:
    """Are the bytes of an attempt's outputs in the store? Raises FindOut when that is not known yet."""
    until, there = _there.get(source.pk, (0.0, False))
    if time.monotonic() < until:
        return there
    outputs = list(source.outputs.exclude(sha256=""))
    if not outputs:
        return True
    raise FindOut(lambda: ask_store({source.pk: key}))


def ask_store(keys: dict[int, str]) -> None:
    """Ask the store for the bytes of these attempts (attempt -> key) and remember the answers.

    Never within a transaction of the engine. One attempt in a hundred has its bytes hashed again; damaged
    ones put the key in quarantine.
    """
    _forget()
    store = configured.store()
    of_attempt: dict[int, list[AttemptOutput]] = {attempt: [] for attempt in keys}
    for output in AttemptOutput.objects.filter(attempt_id__in=keys).exclude(sha256=""):
        of_attempt[output.attempt_id].append(output)
    for attempt, outputs in of_attempt.items():
        rehash = random.randrange(REHASH_ONE_IN) == 0  # noqa: S311
        there = all(_is_there(store, output, keys[attempt], rehash) for output in outputs)
        _there[attempt] = (time.monotonic() + BELIEVED_FOR, there)


def _forget() -> None:
    if len(_there) > REMEMBERED:
        now = time.monotonic()
        for attempt in [attempt for attempt, (until, _) in list(_there.items()) if until < now]:
            _there.pop(attempt, None)


def _is_there(store: Store, output: AttemptOutput, key: str, rehash: bool) -> bool:
    digests = [output.sha256]
    try:
        if output.media_type == FOLDER:
            # Links have no bytes of their own.
            digests += [entry.sha256 for entry in store.manifest(output.sha256) if entry.link is None]
        if rehash:
            for sha256 in digests:
                store.verify(sha256)
        return all(store.has(sha256) for sha256 in digests)
    except Damaged as error:
        quarantine(key, str(error))
    except StoreError as error:
        log.warning("a result is not reused: its bytes are not to be had", output=output.pk, error=str(error))
    return False


def quarantine(key: str, reason: str) -> None:
    """Take nothing over by this key any more."""
    log.error("stored bytes are damaged; results with this key are not reused", key=key, reason=reason)
    TaskKey.objects.filter(sha256=key, quarantined_at=None).update(
        quarantined_at=EngineNow(), quarantine_reason=reason
    )


def gone(attempts: Collection[int]) -> set[int]:
    """Those of the attempts whose bytes were not there when the store was asked."""
    return {attempt for attempt in attempts if not _there.get(attempt, (0.0, True))[1]}


def ask_store_ahead(run: Run) -> None:
    """Before a rerun begins: are the bytes of all that it may take over there? Saves asking one by one."""
    rows = TaskRun.objects.filter(run=run, state=DONE).values_list("reused_from_id", "pk", "cache_key")
    taken = {source: key for source, _, key in rows if source is not None}
    own = {pk: key for source, pk, key in rows if source is None}
    made = Attempt.objects.filter(task_run_id__in=own, state=DONE).values_list("pk", "task_run_id")
    keys = {**taken, **{attempt: own[task_run] for attempt, task_run in made}}
    now = time.monotonic()
    ask_store({attempt: key for attempt, key in keys.items() if now >= _there.get(attempt, (0.0, True))[0]})
