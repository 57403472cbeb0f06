"""Whether two tasks are equal: what one is made of as a JSON document, its key, how two differ. Pure.

The key is the sha256 of the canonical document. Two tasks with one key are given the same things and do the
same with them; what is not part of the document (names, memory, time-outs, retries) does not change results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipelines.canonical import canonical, digest, portable, sha256_of
from pipelines.references import Lookup, ResolveError, describe, references, resolve, secret_named

Json = dict[str, Any]

SCHEMA = "orchestrator/key/1"
# Characters of canonical JSON that a value may have within a document; a longer one stands as its digest.
LONGEST_VALUE = 1000

# Kinds whose work can be told from what they are given. A check is a function of ours; all it does is look.
REUSABLE_KINDS = ("python", "shell", "check")
# Part of a document -> how it is called.
PARTS = {
    "kind": "Kind",
    "entry": "Entry point",
    "code": "Code",
    "environment": "Environment",
    "parameters": "Parameter",
    "inputs": "Input",
    "outputs": "Declared outputs",
    "secrets": "Secret",
    "hardware": "Hardware",
}


class NotKnown(Exception):
    """The document of a task cannot be made; the text says what is not known."""


@dataclass(frozen=True, slots=True)
class Ingredients:
    """All that decides what a task makes.

    ``spec`` is its entry in the version; ``lookup`` gives the values of its references, for outputs of tasks
    {"value", "sha256", "type", "media_type", "meta"}; ``secrets``: name -> version, None where nobody counts;
    ``code``: hashes of what runs; ``environment``: what it runs with.
    """

    spec: Json
    lookup: Lookup
    code: Json
    environment: Json
    secrets: Mapping[str, int | None] = field(default_factory=dict)


def document(made: Ingredients) -> Json:
    """The document of a task. Raises :class:`NotKnown`."""
    spec = made.spec
    parameters, inputs = _given(spec, made.lookup)
    return {
        "schema": SCHEMA,
        "kind": spec["kind"],
        **own_parts(spec, made.code, made.environment),
        "parameters": {**parameters, **_settings(spec)},
        "inputs": inputs,
        "secrets": _secrets(spec, made.secrets),
    }


def outline(made: Ingredients) -> Json:
    """The document of a task before its run: what other tasks give stands as the reference to it.

    Two tasks of one outline are equal as soon as they are given the same. Raises :class:`NotKnown`.
    """
    spec = made.spec
    wired = {name: expr for name, expr in spec["with"].items() if reads_tasks(expr)}
    given = {name: expr for name, expr in spec["with"].items() if name not in wired}
    parameters, _ = _given({**spec, "with": given}, made.lookup)
    return {
        "schema": SCHEMA,
        "kind": spec["kind"],
        **own_parts(spec, made.code, made.environment),
        "parameters": {**parameters, **_settings(spec)},
        "inputs": wired,
        "secrets": _secrets(spec, made.secrets),
    }


def tasks_read(spec: Json) -> frozenset[str]:
    """The paths of the tasks whose outputs a task is given."""
    found = (ref for expr in spec["with"].values() for ref in references(expr))
    return frozenset(ref["task"] for ref in found if ref["ref"] == "tasks")


def own_parts(spec: Json, code: Json, environment: Json) -> Json:
    """The parts that do not depend on a run: entry, code, environment, outputs, hardware."""
    return {
        "entry": _entry(spec),
        "code": code,
        "environment": environment,
        "outputs": {port["name"]: port["type"] for port in spec["outputs"]},
        "hardware": _hardware(spec),
    }


def key_of(made: Json) -> str:
    """The sha256, in hex, of a document."""
    return digest(made)


def _entry(spec: Json) -> str:
    """module:function; inline code and scripts have none, for the code says it all."""
    run = spec["config"].get("run")
    return str(run) if spec["kind"] == "python" and run else ""


def code_text(spec: Json) -> str | None:
    """The code that stands in the document itself: inline source or a script."""
    config = spec["config"]
    text = config.get("run") if spec["kind"] == "shell" else config.get("source")
    return None if text is None else str(text)


def _settings(spec: Json) -> Json:
    """What a built-in kind takes from its own keys, as if they were parameters."""
    if spec["kind"] != "check":
        return {}
    return {name: brief(spec["config"].get(name)) for name in ("checks", "on_failure")}


def _hardware(spec: Json) -> Json:
    """Results may differ from one device to the next, so a task that takes some names its queue."""
    gpus = spec["resources"].get("gpu") or 0
    return {"gpu": gpus, "queue": spec["queue"]} if gpus else {}


def _given(spec: Json, lookup: Lookup) -> tuple[Json, Json]:
    """What the task is given by its document and the run's parameters, and what by other tasks."""
    parameters: Json = {}
    inputs: Json = {}
    for name, expr in spec["with"].items():
        if secret_named(expr):
            continue
        try:
            if expr.get("ref") == "tasks":
                inputs[name] = content_of(lookup(expr))
            elif reads_tasks(expr):
                inputs[name] = {"value": brief(resolve(expr, _values(lookup)))}
            else:
                parameters[name] = brief(resolve(expr, lookup))
        except (KeyError, ResolveError) as error:
            raise NotKnown(f"The value of {name} ({describe(expr)}) is not known.") from error
    return parameters, inputs


def reads_tasks(expr: Mapping[str, Any]) -> bool:
    return any(ref["ref"] == "tasks" for ref in references(expr))


def _values(lookup: Lookup) -> Lookup:
    """The same look-up, outputs of tasks as plain values."""

    def plain(ref: Mapping[str, Any]) -> Any:
        found = lookup(ref)
        return found["value"] if ref["ref"] == "tasks" else found

    return plain


def content_of(output: Mapping[str, Any]) -> Json:
    """An output by what a task is given of it, whoever made it: of a file also how it is called and read."""
    if output["sha256"]:
        told = {
            "media_type": output.get("media_type"),
            "filename": (output.get("meta") or {}).get("filename"),
        }
        known = {name: text for name, text in told.items() if text}
        return {"type": output["type"], "sha256": output["sha256"], **known}
    return {"type": output["type"], "value": brief(output["value"])}


def brief(value: Any) -> Any:
    """A value as a document holds it: itself, or its digest when it is long."""
    exact = portable(_with_whole_floats(value))
    text = canonical(exact)
    return exact if len(text) <= LONGEST_VALUE else {"$sha256": sha256_of(text)}


def _with_whole_floats(value: Any) -> Any:
    """The same value with 2.0 as {"$float": "2.0"}: canonical JSON writes it as 2, but range(2.0) fails."""
    if isinstance(value, dict):
        return {key: _with_whole_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_whole_floats(item) for item in value]
    return {"$float": str(value)} if isinstance(value, float) and value.is_integer() else value


def _secrets(spec: Json, versions: Mapping[str, int | None]) -> Json:
    found: Json = {}
    for name, expr in spec["with"].items():
        secret = secret_named(expr)
        if secret is None:
            continue
        version = versions.get(secret)
        if version is None:
            raise NotKnown(f"The version of the secret {secret} is not known: its value stands outside.")
        found[name] = {"name": secret, "version": version}
    return found


# --- differences ----------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """One part in which two documents differ. ``before`` or ``after`` is None where it was not there."""

    part: str
    name: str
    before: Any
    after: Any

    @property
    def words(self) -> str:
        """``Parameter rate: 0.1 → 0.2``; contents are not shown, only that they differ."""
        title = f"{PARTS[self.part]} {self.name}".rstrip()
        if self.before is None:
            return f"{title}: not there before, now {shown(self.after)}"
        if self.after is None:
            return f"{title}: was {shown(self.before)}, now gone"
        if (before := _digest_in(self.before)) and (after := _digest_in(self.after)):
            if before == after:
                return f"{title}: the same content under another name, type or media type"
            return f"{title}: the content differs ({shown(self.before)} → {shown(self.after)})"
        return f"{title}: {shown(self.before)} → {shown(self.after)}"


# Parts that hold one thing for each name.
_NAMED = ("parameters", "inputs", "secrets", "environment", "code", "hardware")


def differences(before: Json, after: Json) -> list[Difference]:
    """Where two documents differ, part by part in the order of :data:`PARTS`; empty for equal ones."""
    return [found for part in PARTS for found in _differences_in(part, before.get(part), after.get(part))]


def _differences_in(part: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if part not in _NAMED:
        yield Difference(part, "", before, after)
        return
    before, after = before or {}, after or {}
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Difference(part, name, before.get(name), after.get(name))


def _digest_in(value: Any) -> str:
    """The digest by which a document holds something; "" for what it holds itself."""
    return str(value.get("sha256") or value.get("$sha256") or "") if isinstance(value, dict) else ""


def shown(value: Any) -> str:
    """A value of a document in a few characters."""
    if digest_ := _digest_in(value):
        return digest_[:12]
    if isinstance(value, dict):
        if "$float" in value:
            return str(value["$float"])
        if "value" in value:
            return shown(value["value"])
        if "version" in value:
            return f"{value['name']} version {value['version']}"
    if isinstance(value, str):
        return value[:12] if len(value) == 64 else _cut(value or "nothing")
    return _cut(canonical(value))


def _cut(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
