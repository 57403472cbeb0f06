"""From claimed work to the request for a runner: inputs resolved, code and interpreter found.

What cannot be found ends the attempt: :class:`CannotRun` says in words why, with the attempt's reason.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection

from pipelines import references
from pipelines.errors import Refusal
from pipelines.references import secret_named, secrets_named
from pipelines.store import StoreError, configured
from runs import isolation, judging, kinds
from runs.environments import building, venvs
from runs.limits import Limits, of_task
from runs.models import Queue, RunCode
from runs.protocol import Json, Work
from runs.reuse import keys
from runs.worker import folders
from runs.worker.serializers import FOLDER

# Kinds whose work is a function of ours, run in the product's own interpreter.
BUILTIN_KINDS = ("check", "register", "deploy")
OF_THE_IMAGE = "python3"  # the interpreter in a container; lock files are not for it
REMEMBERED = 2048
LIMITS_FOR = 10.0  # seconds for which the limits of a queue are not read anew


Patiently = Callable[[Callable[[], str]], str]


def at_once(take: Callable[[], str]) -> str:
    """However long it takes, in this thread."""
    return take()


class CannotRun(Exception):
    """The attempt cannot be carried out; ``reason`` is one of ``runs.states.Reason``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Code:
    """The snapshot and lock of a run.

    ``preload``: modules that its zygote imports once. ``python``: versions that will do, as a specifier.
    """

    tree_sha256: str
    lock_sha256: str
    lock_file: str
    preload: tuple[str, ...]
    python: str


@dataclass
class Prepared:
    """A request with the interpreter it is for, and what its record needs later.

    ``secrets``: inputs whose values come last, by the name of their secret; they are not in the request yet.
    """

    request: Json
    interpreter: str
    preload: tuple[str, ...]
    cold: bool
    values: Json
    sources: dict[str, int]
    provenance: Json
    secrets: dict[str, str]
    limits: Limits


class Requests:
    """Makes requests for one worker, remembering what does not change: the code of runs."""

    def __init__(self) -> None:
        self.store = configured.store()
        self._codes: OrderedDict[int, Code | None] = OrderedDict()
        self._of_queues: dict[str, tuple[float, Json]] = {}

    def prepare(self, work: Work, folder: Path, patiently: Patiently = at_once) -> Prepared:
        """The request for ``work`` in ``folder``. Raises :class:`CannotRun`.

        ``patiently`` is handed what may take minutes: the environment's first use.
        """
        spec = work.spec
        values, sources = self._values(work, spec)
        values |= _prepared(work, values)
        code = self._code(work.run["id"])
        contained = work.attempt["isolation"] == isolation.CONTAINER
        own = work.kind in BUILTIN_KINDS or code is None
        limits = self._limits(work)
        request: Json = {
            "attempt": work.token,
            "task": work.task["key"],
            "work": str(folder),
            "inputs": {name: self._input(value, name) for name, value in values.items()},
            "outputs": spec["outputs"],
            "env": {"ORCHESTRATOR_EFFECT_KEY": work.effect_key},
            "temporary": str(folders.temporary(folder)),
            "memory": limits.memory,
            "disk": limits.disk,
            "processes": limits.processes,
            "open_files": limits.open_files,
        }
        provenance: Json = {
            "params": _inline(values),
            "lock": "" if own or contained or code is None else code.lock_sha256,
        }
        self._add_work(request, provenance, work, spec, code)
        return Prepared(
            request=request,
            interpreter=self._interpreter_for(code if not own else None, contained, patiently),
            preload=() if own or code is None else code.preload,
            cold=spec.get("start") == "cold",
            values=values,
            sources=sources,
            provenance=provenance,
            secrets=secrets_named(spec),
            limits=limits,
        )

    def _limits(self, work: Work) -> Limits:
        """What the task may use; the limits of its queue are read anew every 10 s."""
        queue, now = work.task["queue"], time.monotonic()
        read_at, found = self._of_queues.get(queue, (-LIMITS_FOR, {}))
        if now - read_at >= LIMITS_FOR:
            found = Queue.objects.filter(slug=queue).values_list("limits", flat=True).first() or {}
            self._of_queues[queue] = (now, found)
        try:
            return of_task(found, memory=work.spec["resources"].get("memory"))
        except Refusal as problem:
            raise CannotRun("validation", f"the limits of the queue {queue}: {problem}") from None

    def _add_work(self, request: Json, provenance: Json, work: Work, spec: Json, code: Code | None) -> None:
        """What is to be done: a function of the snapshot, inline source, a script or a function of ours."""
        config = spec["config"]
        if work.kind in BUILTIN_KINDS:
            request |= {"kind": "python", "entry": f"{work.kind}:run", "code_path": str(keys.BUILTIN)}
            request["inputs"] |= _config_inputs(work.kind, config, request["inputs"])
            provenance["code"] = keys.builtin_sha256(work.kind)
            return
        if code is not None:
            request["code_path"] = str(self._checkout(code.tree_sha256))
            provenance["code"] = code.tree_sha256
        request["kind"] = work.kind
        if work.kind == "shell":
            request["shell"] = config["run"]
        elif config.get("source") is not None:
            request["source"] = config["source"]
        else:
            request["entry"] = config["run"]
        text = request.get("shell") or request.get("source")
        if text is not None:
            provenance["code"] = hashlib.sha256(text.encode()).hexdigest()

    def _checkout(self, tree_sha256: str) -> Path:
        try:
            return building.checkout(self.store, tree_sha256)
        except (StoreError, OSError) as error:
            raise CannotRun(
                "infrastructure", f"the code {tree_sha256[:12]} could not be fetched: {error}"
            ) from error

    def _interpreter_for(self, code: Code | None, contained: bool, patiently: Patiently) -> str:
        if contained:
            return OF_THE_IMAGE
        if code is None or not (code.lock_sha256 or code.python):
            return sys.executable
        return patiently(lambda: self._interpreter(code))

    def _interpreter(self, code: Code) -> str:
        """The interpreter of the code's environment, built now if it is not there."""
        read = partial(building.read_lock, self.store, code.tree_sha256, code.lock_file)
        try:
            return building.interpreter(code.lock_sha256, read, code.python)
        except venvs.BuildFailed as error:
            reason = "validation" if error.final else "infrastructure"
            raise CannotRun(reason, f"the environment of this code could not be built: {error}") from error

    def _values(self, work: Work, spec: Json) -> tuple[Json, dict[str, int]]:
        """Inputs by name, and for those that are outputs of other tasks the id of the AttemptOutput."""
        values: Json = {}
        sources: dict[str, int] = {}
        lookup = judging.value_lookup(work.run["params"], work.upstream)
        for name, expr in spec["with"].items():
            try:
                if expr.get("ref") == "tasks":
                    values[name], sources[name] = _output(work.upstream, expr)
                elif secret_named(expr):
                    continue
                else:
                    values[name] = references.resolve(expr, lookup)
            except KeyError:
                raise CannotRun("validation", _missing(name, expr)) from None
            except references.ResolveError as error:
                raise CannotRun("validation", f"the input {name} cannot be made: {error}") from None
        return values, sources

    def _input(self, value: Any, name: str) -> Json:
        """One input as the runner takes it: a value, or a path into the store."""
        if not isinstance(value, dict) or "attempt_output_id" not in value:
            return {"type": "any", "value": value}
        try:
            folder = value["media_type"] == FOLDER
            path = (self.store.local_folder if folder else self.store.local_path)(value["sha256"])
        except (StoreError, OSError) as error:
            raise CannotRun(
                "infrastructure", f"the bytes of input {name} could not be fetched: {error}"
            ) from error
        return {
            "type": value["type"],
            "path": str(path),
            "media_type": value["media_type"],
            "meta": value["meta"],
        }

    def _code(self, run_id: int) -> Code | None:
        if run_id not in self._codes:
            self._codes[run_id] = _code_of(run_id)
            if len(self._codes) > REMEMBERED:
                self._codes.popitem(last=False)
        return self._codes[run_id]


def _output(upstream: Json, expr: Json) -> tuple[Any, int]:
    out = upstream[expr["task"]][expr["output"]]
    if not out["sha256"]:
        return out["value"], out["id"]
    kept = ("type", "sha256", "size", "address", "media_type", "meta")
    return {**{key: out[key] for key in kept}, "attempt_output_id": out["id"]}, out["id"]


def _missing(name: str, expr: Json) -> str:
    return f"the input {name} has no value: {references.describe(expr)} was not produced in this run"


def _inline(values: Json) -> Json:
    return {
        name: value
        for name, value in values.items()
        if not (isinstance(value, dict) and "attempt_output_id" in value)
    }


def _config_inputs(kind: str, config: Json, inputs: Json) -> Json:
    """What a built-in kind's function takes beside its inputs."""
    if kind == "check":
        return {name: {"type": "any", "value": config[name]} for name in ("checks", "on_failure")}
    if kind == "deploy":
        return {"media_type": {"type": "string", "value": inputs["model"].get("media_type", "")}}
    return {}


def _code_of(run_id: int) -> Code | None:
    found = (
        RunCode.objects.filter(run_id=run_id)
        .values_list(
            "snapshot__tree_sha256",
            "lock_sha256",
            "location__lock_file",
            "location__preload",
            "snapshot__python",
        )
        .first()
    )
    if found is None:
        return None
    tree, lock, lock_file, preload, python = found
    return Code(tree, lock, lock_file, tuple(preload), python)


def _prepared(work: Work, values: Json) -> Json:
    """What the kind adds to the inputs."""
    preparing = kinds.Preparing(work.run["id"], work.run["team_id"], work.kind, work.effect_key, values)
    try:
        return kinds.prepare(preparing)
    except Refusal as problem:
        raise CannotRun("validation", str(problem)) from problem


def keep_inputs(attempt_id: int, sources: dict[str, int]) -> None:
    """Write which outputs of other tasks this attempt reads."""
    if not sources:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO attempt_input (attempt_id, name, position, source_id, token, strength) "
            "VALUES (%s, %s, 0, %s, '', 'sha256') ON CONFLICT DO NOTHING",
            [(attempt_id, name, source) for name, source in sources.items()],
        )
