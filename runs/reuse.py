"""Has this very task been done before? What a task is made from, and whose result it may take over.

Asked within transactions that settle a run, for many tasks at once; so nothing here reads the store while it
looks: whether bytes are there is found out before, outside, and remembered for a while.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import random
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from pipelines import secrets
from pipelines.canonical import digest
from pipelines.clock import EngineNow
from pipelines.references import Lookup, secrets_named
from pipelines.store import Damaged, Store, StoreError, configured
from runs import fingerprints, isolation
from runs.fingerprints import REUSABLE_KINDS, Ingredients, Json, NotKnown
from runs.models import (
    Attempt,
    AttemptOutput,
    CapturedFact,
    Environment,
    Queue,
    Run,
    RunCode,
    TaskKey,
    TaskRun,
)
from runs.transitions import call, execute
from runs.worker.capture import facts
from runs.worker.serializers import FOLDER

log = structlog.get_logger()

BUILTIN: Final = Path(__file__).parent / "worker" / "builtin"
# One in so many results that are taken over is hashed again.
REHASH_ONE_IN = 100
# Seconds for which bytes that were there are believed to be there.
BELIEVED_FOR = 600.0
# Seconds after which nothing more is asked of the store while somebody waits.
PATIENCE = 5.0
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
    return _Making(task_run.run, [task_run]).key(task_run)


class _Making:
    """What tasks of one run are made from, all that is asked for them at once: a fixed number of queries."""

    def __init__(self, run: Run, tasks: Sequence[TaskRun]) -> None:
        specs = [task.task.spec for task in tasks]
        self._code = code = code_of_run(run)
        self._lookup = _lookup(run, tasks)
        self._secrets = _secret_versions(run.team_id, specs)
        with_own = code is not None and any(_has_own_environment(spec, code) for spec in specs)
        self._python = python_of(code) if code is not None and with_own else ""
        self._contained = contained(specs)

    def key(self, task: TaskRun) -> Key:
        """Raises :class:`NotKnown`."""
        spec = task.task.spec
        refuse_container(spec, self._contained)
        environment = environment_of(spec, self._code, self._python)
        return _key(spec, self._lookup, self._code, environment, self._secrets)


def _key(spec: Json, lookup: Lookup, code: RunCode | None, environment: Json, versions: Json) -> Key:
    document = fingerprints.document(Ingredients(spec, lookup, code_of(spec, code), environment, versions))
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
    return _told_key(task_run, source, _lookup(task_run.run, [task_run]))


def _told_key(task_run: TaskRun, source: Attempt, lookup: Lookup) -> Key:
    """Raises :class:`NotKnown`."""
    spec, code = task_run.task.spec, code_of_run(task_run.run)
    told = source.provenance or {}
    refuse_container(spec, {spec["queue"]} if told.get("image") else ())
    environment = environment_told(spec, code, told.get("environment") or "")
    return _key(spec, lookup, code, environment, told.get("secrets") or {})


def source_of(task_run: TaskRun) -> Attempt | None:
    """The attempt that did the work of a succeeded task: its own, or the one it took over."""
    if task_run.state != DONE:
        return None
    if task_run.reused_from_id is not None:
        return task_run.reused_from
    return task_run.attempts.filter(state=DONE).first()


def _lookup(run: Run, tasks: Sequence[TaskRun]) -> Lookup:
    """Looks references up in a run's parameters and in what it gave to these tasks, with the digests."""
    params = run.params
    reads = sorted({key for task in tasks for key in task.reads})
    upstream = call("engine_outputs", run.pk, json.dumps(reads)) if reads else {}

    def lookup(ref: Any) -> Any:
        if ref["ref"] == "tasks":
            return upstream[ref["task"]][ref["output"]]
        root, _, name = ref["ref"].partition(".")
        if root == "params":
            return params[name]
        raise KeyError(ref["ref"])

    return lookup


def _secret_versions(team_id: int, specs: Iterable[Json]) -> dict[str, int | None]:
    named = {name for spec in specs for name in secrets_named(spec).values()}
    return secrets.versions_of(team_id, named) if named else {}


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


def contained(specs: Iterable[Json]) -> set[str]:
    """Which of the queues of these tasks carry them out in containers. One query."""
    found = Queue.objects.filter(slug__in={spec["queue"] for spec in specs}, isolation=isolation.CONTAINER)
    return set(found.values_list("slug", flat=True))


def refuse_container(spec: Json, queues: Collection[str]) -> None:
    """What an image brings is not among what a key is made from. Raises :class:`NotKnown`."""
    if spec["queue"] in queues and spec["kind"] != "check":
        raise NotKnown("It runs in a container, whose image no key knows.")


def environment_of(spec: Json, code: RunCode | None, python: str) -> Json:
    """What a task would run with now: the environment of its code with this Python, or the product's own.

    Raises :class:`NotKnown` when its Python is not known because nothing has been built yet.
    """
    if code is None or not _has_own_environment(spec, code):
        return {"packages": _own_packages(), "python": platform.python_version()}
    if not python:
        raise NotKnown("Its environment was not built yet.")
    return {"lock": code.lock_sha256, "python": python}


def python_of(code: RunCode) -> str:
    """The Python of the environment of some code; "" when that was not built yet."""
    wanted = code.snapshot.python
    built = Environment.objects.filter(lock_sha256=code.lock_sha256, wanted=wanted).exclude(python="")
    python = built.values_list("python", flat=True).first()
    return python or ("" if wanted else platform.python_version())


def _has_own_environment(spec: Json, code: RunCode) -> bool:
    return spec["kind"] != "check" and bool(code.lock_sha256 or code.snapshot.python)


@cache
def _own_packages() -> str:
    return packages_sha256(facts.packages())


def packages_sha256(packages: Iterable[Json]) -> str:
    """The digest of a list of {"name", "version"}."""
    return digest([[package["name"], package["version"]] for package in packages])


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
class Looked:
    """What is known of tasks that are about to begin, by their ids.

    ``keys``: what they are made from, where that is known; ``sources``: the attempts to take over;
    ``unasked``: those whose bytes may be there or not, which the store must be asked about first.
    """

    keys: dict[int, Key]
    sources: dict[int, int]
    unasked: dict[int, int]

    def ask(self) -> None:
        """Ask the store, for a while, for what is unasked. Never within a transaction of the engine."""
        ask_store({source: self.keys[task].sha256 for task, source in self.unasked.items()}, PATIENCE)


def look(run: Run, tasks: Sequence[TaskRun]) -> Looked:
    """The equal results for pending tasks of a run that may take one over; remembers their keys.

    First those of the run it repeats, then, with `cache: true`, the newest of the team. A fixed number of
    queries, none for no tasks.
    """
    keys = _keys_now(run, tasks)
    barred = _keep({key.sha256: key.document for key in keys.values()})
    free = [task for task in tasks if task.pk in keys and keys[task.pk].sha256 not in barred]
    wanted = {task.key: keys[task.pk].sha256 for task in free}
    old = _of_old_run(run.rerun_of, wanted)
    rest = [task for task in free if task.key not in old and cached(task.task.spec)]
    newest = of_team(run.team_id, {wanted[task.key] for task in rest})
    sources = {task.pk: old[task.key] for task in free if task.key in old}
    sources |= {task.pk: newest[wanted[task.key]] for task in rest if wanted[task.key] in newest}
    there, unasked = _at_hand(set(sources.values()))
    return Looked(
        keys,
        {task: source for task, source in sources.items() if source in there},
        {task: source for task, source in sources.items() if source in unasked},
    )


def _keys_now(run: Run, tasks: Sequence[TaskRun]) -> dict[int, Key]:
    """The keys of the tasks of which all is known."""
    keys: dict[int, Key] = {}
    if not tasks:
        return keys
    making = _Making(run, tasks)
    for task in tasks:
        with suppress(NotKnown):
            keys[task.pk] = making.key(task)
    return keys


# The rows that were written just now are not seen by their own statement: they are not in quarantine.
_KEEP = """
    WITH kept AS (
        INSERT INTO task_key (sha256, document)
        SELECT g.sha256, g.document::jsonb FROM unnest(%s::text[], %s::text[]) AS g (sha256, document)
        ON CONFLICT DO NOTHING
    )
    SELECT sha256 FROM task_key WHERE sha256 = ANY (%s) AND quarantined_at IS NOT NULL
"""


def _keep(documents: Mapping[str, Json]) -> set[str]:
    """Store the documents of keys; returns those of the keys that are in quarantine."""
    if not documents:
        return set()
    keys = sorted(documents)  # two that keep the same wait for one another in one order
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [keys, [json.dumps(documents[key]) for key in keys], keys])
        return {sha256 for (sha256,) in cursor.fetchall()}


def _of_old_run(old: Run | None, wanted: Mapping[str, str]) -> dict[str, int]:
    """The attempts of the same tasks in the run that is repeated, where they were made from the same.

    ``wanted``: path of a task -> its key now.
    """
    if old is None or not wanted:
        return {}
    done = _done_in(old.uuid)
    if unread := wanted.keys() - done.keys():
        done |= _read_done(old, TaskRun.objects.filter(key__in=unread))
    return {
        key: done[key].source for key, sha256 in wanted.items() if key in done and done[key].key == sha256
    }


class _Done(NamedTuple):
    """What a succeeded task was made from, and the attempt that did the work."""

    key: str
    source: int


@lru_cache(maxsize=16)
def _done_in(run: UUID) -> dict[str, _Done]:
    """Path -> what is known of a succeeded task of a run; that never changes, so it is read once."""
    return {}


def recall(old: Run) -> None:
    """Read at once what all tasks of a run were made from, for a rerun of it."""
    _done_in(old.uuid).update(_read_done(old, TaskRun.objects.filter(kind__in=REUSABLE_KINDS)))


def _read_done(old: Run, tasks: QuerySet[TaskRun]) -> dict[str, _Done]:
    rows = list(tasks.filter(run=old, state=DONE).select_related("task"))
    own = [row for row in rows if row.reused_from_id is None]
    made = {made.task_run_id: made for made in Attempt.objects.filter(task_run__in=own, state=DONE)}
    then = _keys_then(old, [row for row in own if not row.cache_key], made)
    found = {}
    for row in rows:
        if key := row.cache_key or then.get(row.pk):
            found[row.key] = _Done(key, row.reused_from_id or made[row.pk].pk)
    return found


def _keys_then(old: Run, rows: Sequence[TaskRun], made: Mapping[int, Attempt]) -> dict[int, str]:
    """The keys of succeeded tasks from what their attempts told, where that was enough."""
    told_by({(made[row.pk].provenance or {}).get("environment") or "" for row in rows})  # all at once
    lookup = _lookup(old, rows)
    keys: dict[int, str] = {}
    for row in rows:
        row.run = old
        with suppress(NotKnown):
            keys[row.pk] = _told_key(row, made[row.pk], lookup).sha256
    return keys


_NEWEST = """
    SELECT k.key, a.id FROM unnest(%s::text[]) AS k (key) CROSS JOIN LATERAL (
        SELECT a.id, a.finished_at FROM attempt a
        WHERE a.team_id = %s AND a.cache_key = k.key AND a.cache_key <> '' AND a.state = 'succeeded'
        ORDER BY a.id DESC LIMIT 1
    ) a WHERE a.finished_at > engine_now() - make_interval(secs => %s)
"""


def of_team(team_id: int, keys: Collection[str]) -> dict[str, int]:
    """Key -> the newest attempt of a team with it, if it is young enough. One look into an index for each."""
    if not keys:
        return {}
    oldest = float(settings.ORCHESTRATOR["REUSE_MAX_DAYS"]) * 86400
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [list(keys), team_id, oldest])
        return dict(cursor.fetchall())


_MARK = """
    UPDATE task_run t SET cache_key = g.key FROM unnest(%s::bigint[], %s::text[]) AS g (task, key)
    WHERE t.id = g.task AND t.state = 'pending'
"""


def mark(tasks: Sequence[TaskRun], keys: Mapping[int, Key]) -> None:
    """Tasks begin although they might have taken a result over: remember what they are made from."""
    if tasks:
        known = [keys[task.pk].sha256 if task.pk in keys else "" for task in tasks]
        execute(_MARK, ([task.pk for task in tasks], known))


# --- are the bytes there? ---------------------------------------------------------------------------------

# Attempt -> monotonic time until which its bytes are believed to be there, or not to be.
_there: dict[int, tuple[float, bool]] = {}


def _at_hand(attempts: Collection[int]) -> tuple[set[int], set[int]]:
    """Those of the attempts whose outputs are whole, and those for which the store was not asked lately."""
    now = time.monotonic()
    known = {attempt: _there.get(attempt, (0.0, False)) for attempt in attempts}
    there = {attempt for attempt, (until, found) in known.items() if found and now < until}
    unsure = {attempt for attempt, (until, _) in known.items() if now >= until}
    if not unsure:
        return there, unsure
    stored = AttemptOutput.objects.filter(attempt_id__in=unsure).exclude(sha256="")
    unasked = set(stored.values_list("attempt_id", flat=True))
    return there | (unsure - unasked), unasked


def ask_store(keys: dict[int, str], patience: float = math.inf) -> None:
    """Ask the store for the bytes of these attempts (attempt -> key) and remember the answers.

    After ``patience`` seconds nothing more is asked, but one answer there is always. Never within a
    transaction of the engine. One attempt in a hundred has its bytes hashed again; damaged ones put the key
    in quarantine.
    """
    _forget()
    store = configured.store()
    of_attempt: dict[int, list[AttemptOutput]] = {attempt: [] for attempt in keys}
    for output in AttemptOutput.objects.filter(attempt_id__in=keys).exclude(sha256=""):
        of_attempt[output.attempt_id].append(output)
    until = time.monotonic() + patience
    for attempt, outputs in of_attempt.items():
        rehash = random.randrange(REHASH_ONE_IN) == 0  # noqa: S311
        there = all(_is_there(store, output, keys[attempt], rehash) for output in outputs)
        _there[attempt] = (time.monotonic() + BELIEVED_FOR, there)
        if time.monotonic() > until:
            return


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
        return all(store.has(sha256) or store.restore(sha256) for sha256 in digests)
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


def ask_store_ahead(run: Run, patience: float = math.inf) -> None:
    """Are the bytes of all that a rerun of ``run`` may take over there? Saves asking one by one.

    ``patience``: as of :func:`ask_store`.
    """
    rows = TaskRun.objects.filter(run=run, state=DONE).values_list("reused_from_id", "pk", "cache_key")
    taken = {source: key for source, _, key in rows if source is not None}
    own = {pk: key for source, pk, key in rows if source is None}
    made = Attempt.objects.filter(task_run_id__in=own, state=DONE).values_list("pk", "task_run_id")
    keys = {**taken, **{attempt: own[task_run] for attempt, task_run in made}}
    now = time.monotonic()
    unsure = {attempt: key for attempt, key in keys.items() if now >= _there.get(attempt, (0.0, True))[0]}
    ask_store(unsure, patience)
