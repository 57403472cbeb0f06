"""What a task is made from: known before it begins, and from what its attempt told of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pipelines import secrets
from pipelines.references import Lookup, secrets_named
from runs import fingerprints, isolation
from runs.fingerprints import Ingredients, Json, NotKnown
from runs.models import Attempt, Queue, Run, RunCode, TaskKey, TaskRun
from runs.reuse import surroundings
from runs.transitions import call

BUILTIN: Final = Path(__file__).parents[1] / "worker" / "builtin"
DONE: Final = "succeeded"


@dataclass(frozen=True, slots=True)
class Key:
    """What a task is made from: the document and its sha256."""

    sha256: str
    document: Json


def key_now(task_run: TaskRun) -> Key:
    """The key of a task that is about to begin: all that it is given is known. Raises :class:`NotKnown`."""
    return Making(task_run.run, [task_run]).key(task_run)


class Making:
    """What tasks of one run are made from, all that is asked for them at once: a fixed number of queries."""

    def __init__(self, run: Run, tasks: Sequence[TaskRun]) -> None:
        specs = [task.task.spec for task in tasks]
        self._code = code = code_of_run(run)
        self._lookup = lookup_of(run, tasks)
        self._secrets = _secret_versions(run.team_id, specs)
        with_own = code is not None and any(surroundings.has_own(spec, code) for spec in specs)
        self._python = surroundings.python_of(code) if code is not None and with_own else ""
        self._contained = contained(specs)
        self._architectures = surroundings.Architectures({spec["queue"] for spec in specs})

    def key(self, task: TaskRun) -> Key:
        """Raises :class:`NotKnown`."""
        spec = task.task.spec
        refuse_container(spec, self._contained)
        architecture = self._architectures.of(spec["queue"])
        environment = surroundings.environment_of(spec, self._code, self._python, architecture)
        return _key(spec, self._lookup, self._code, environment, self._secrets)


def _key(spec: Json, lookup: Lookup, code: RunCode | None, environment: Json, versions: Json) -> Key:
    document = fingerprints.document(Ingredients(spec, lookup, code_of(spec, code), environment, versions))
    return Key(fingerprints.key_of(document), document)


def key_then(task_run: TaskRun) -> Key:
    """The key of a task that has succeeded: what was foreseen of it, put right by what its attempt told.

    Raises :class:`NotKnown` where its surroundings were not captured.
    """
    source = source_of(task_run)
    if source is None:
        raise NotKnown("It did not succeed.")
    if not task_run.cache_key:
        return told_key(task_run, source, lookup_of(task_run.run, [task_run]))
    document = TaskKey.objects.values_list("document", flat=True).get(sha256=task_run.cache_key)
    return put_right(document, fact_of(source))


def put_right(document: Json, fact: str) -> Key:
    """The key of a document with the surroundings that an attempt told of. Raises :class:`NotKnown`."""
    right = {**document, "environment": surroundings.as_told(document["environment"], fact)}
    return Key(fingerprints.key_of(right), right)


def fact_of(attempt: Attempt) -> str:
    """The captured fact about what an attempt ran with; "" for none."""
    return str((attempt.provenance or {}).get("environment") or "")


def told_key(task_run: TaskRun, source: Attempt, lookup: Lookup) -> Key:
    """Raises :class:`NotKnown`."""
    spec, code = task_run.task.spec, code_of_run(task_run.run)
    told = source.provenance or {}
    refuse_container(spec, {spec["queue"]} if told.get("image") else ())
    environment = surroundings.environment_told(spec, code, fact_of(source))
    return _key(spec, lookup, code, environment, told.get("secrets") or {})


def source_of(task_run: TaskRun) -> Attempt | None:
    """The attempt that did the work of a succeeded task: its own, or the one it took over."""
    if task_run.state != DONE:
        return None
    if task_run.reused_from_id is not None:
        return task_run.reused_from
    return task_run.attempts.filter(state=DONE).first()


def lookup_of(run: Run, tasks: Sequence[TaskRun]) -> Lookup:
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
