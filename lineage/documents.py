"""What a record says, as one JSON document of contents and names: no row id, no clock, no database. Pure.

The same functions serve the recorder and whoever computes a digest again from stored rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lineage.naming import artifact_name, job_name
from pipelines.canonical import digest, portable, sha256_of
from pipelines.references import ResolveError, references, resolve, secret_named

SCHEMA = "orchestrator/record/1"

# Kinds whose code is the product's own.
BUILT_IN = ("check", "register", "deploy")

ENVIRONMENT_KEYS = ("python", "implementation", "platform", "packages")

GAPS = {
    "code-not-captured": "The hash of the code that ran is not known.",
    "code-differs": "The code that ran is not the snapshot that the run was started with.",
    "environment-not-captured": "The interpreter and packages that it ran with are not known.",
    "packages-not-captured": "The packages that it ran with are not known beyond their lock file.",
    "hardware-not-captured": "The machine that it ran on is not described.",
    "surroundings-incomplete": "Part of the description of its surroundings could not be read.",
    "seeds-not-captured": "Whether a random seed was set is not known.",
    "parameters-not-captured": "Some of the values that it was given are not known.",
    "secret-unversioned": "It was given a secret whose version is not known.",
    "input-not-catalogued": "It read something outside the store that has no entry here.",
    "weak-input": "An outside input is known by a weak token only.",
    "outcome-unknown": "Its worker was lost: what it did after its last sign of life is not known.",
}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One output as the store or its row holds it. ``inline`` is the canonical text of a small value."""

    uuid: UUID
    kind: str
    sha256: str
    size: int
    media_type: str = ""
    address: str = ""
    inline: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an occurrence was read or written; ``occurrence`` is None for something outside our store."""

    name: str
    position: int
    occurrence: Occurrence | None
    strength: str = ""


@dataclass(slots=True)
class AttemptFacts:
    """Everything known about one finished attempt; nothing here is looked up again."""

    id: int
    uuid: UUID
    team_id: int
    team: str
    run_id: int
    run: UUID
    run_number: int
    task_run_id: int
    version_id: int
    version_number: int
    spec_sha256: str
    pipeline: str
    task: str
    kind: str
    spec: dict[str, Any]
    params: dict[str, Any]
    no: int
    resume_no: int
    state: str
    reason: str
    started_at: datetime
    finished_at: datetime | None
    partition: str
    actor: str
    isolation: str
    cache_key: str
    code_sha256: str
    environment_sha256: str
    provenance: dict[str, Any] | None
    location: str = ""
    snapshot: str = ""
    lock_sha256: str = ""
    inputs: list[Slot] = field(default_factory=list)
    outputs: list[Slot] = field(default_factory=list)
    # Of a task that took over a result: the attempt that had made it, and what it took over.
    reused_from_id: int | None = None
    reused_from: UUID | None = None
    taken: list[Slot] = field(default_factory=list)


@dataclass(slots=True)
class Sheet:
    """All that is to be written for one attempt: the ingredients, the gaps and the digest over everything."""

    facts: AttemptFacts
    code: dict[str, Any] | None
    environment: dict[str, Any] | None
    hardware: dict[str, Any] | None
    parameters: dict[str, Any]
    seeds: dict[str, Any] | None
    metrics: dict[str, Any] | None
    gaps: list[dict[str, Any]]
    code_fingerprint: str | None = None
    environment_fingerprint: str | None = None
    hardware_fingerprint: str | None = None
    parameters_sha256: str = ""
    digest: str = ""

    @property
    def grade(self) -> str:
        return grade(self.gaps)


class Fingerprints:
    """Ingredients and their digests, each made once in a batch: no-op attempts share nearly all of theirs."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._environments: dict[tuple[Any, ...], tuple[dict[str, Any] | None, str | None]] = {}

    def environment(self, facts: AttemptFacts) -> tuple[dict[str, Any] | None, str | None]:
        """The environment of an attempt and its digest.

        Captured facts are one object for all attempts that name them, and it lives as long as the batch.
        """
        provenance = facts.provenance or {}
        packages, image = provenance.get("packages"), repr(provenance.get("image"))
        key = (id(packages), provenance.get("python"), facts.environment_sha256, image)
        if key[0] == id(None) or key not in self._environments:
            made = environment_of(facts)
            self._environments[key] = (made, self.of(made))
        return self._environments[key]

    def of(self, value: Any) -> str | None:
        if value is None:
            return None
        key = repr(value)
        if key not in self._known:
            self._known[key] = digest(value)
        return self._known[key]


def sheet(facts: AttemptFacts, fingerprints: Fingerprints) -> Sheet:
    """The facts of one finished attempt as they will be recorded."""
    provenance = facts.provenance or {}
    parameters, complete = parameters_of(facts)
    environment, environment_fingerprint = fingerprints.environment(facts)
    made = Sheet(
        facts=facts,
        code=code_of(facts),
        environment=environment,
        hardware=_mapping(provenance.get("hardware")),
        parameters=parameters,
        seeds=_reported(provenance, "seeds"),
        metrics=_reported(provenance, "metrics"),
        gaps=[],
    )
    made.gaps = gaps_of(made, complete)
    made.code_fingerprint = fingerprints.of(made.code)
    made.environment_fingerprint = environment_fingerprint
    made.hardware_fingerprint = fingerprints.of(made.hardware)
    made.parameters_sha256 = fingerprints.of(made.parameters) or ""
    made.digest = digest(record_document(fields_of(made), uses_of(facts)))
    return made


def grade(gaps: list[dict[str, Any]]) -> str:
    """B: everything by strong facts; C: an input known by a weak token; D: something is missing."""
    codes = {gap["code"] for gap in gaps}
    if not codes:
        return "B"
    return "C" if codes == {"weak-input"} else "D"


# --- Ingredients --------------------------------------------------------------------------


def code_of(facts: AttemptFacts) -> dict[str, Any] | None:
    """{"kind", "location", "bundle_sha256", "entry", "source"}, or None when nothing of the code is known."""
    config = facts.spec.get("config") or {}
    source = config.get("source") or (config.get("run") if facts.kind == "shell" else None)
    if facts.kind in BUILT_IN:
        return _code("builtin", "", facts.code_sha256, facts.kind)
    if source is not None:
        return _code("inline", "", facts.code_sha256 or sha256_of(source), facts.task, source)
    entry = config.get("run") or ""
    bundle = facts.code_sha256 or facts.snapshot
    return _code("snapshot", facts.location, bundle, entry) if bundle or entry else None


def _code(kind: str, location: str, bundle: str, entry: str, source: str = "") -> dict[str, Any]:
    return {
        "kind": kind,
        "location": location,
        "bundle_sha256": bundle,
        "entry": entry,
        "source": source,
    }


def environment_of(facts: AttemptFacts) -> dict[str, Any] | None:
    """{"python", "platform", "lock_sha256", "packages"}, or None when nothing of it is known.

    Of a task in a container also "image": {"name", "digest"}.
    """
    provenance = facts.provenance or {}
    lock = facts.environment_sha256
    if not lock and not any(provenance.get(key) for key in ENVIRONMENT_KEYS):
        return None
    return portable(
        {
            "python": _python(provenance),
            "platform": _platform(provenance.get("platform")),
            "lock_sha256": lock,
            "packages": provenance.get("packages"),
            **({"image": provenance["image"]} if provenance.get("image") else {}),
        }
    )


def _python(provenance: Mapping[str, Any]) -> str:
    implementation = provenance.get("implementation") or ""
    version = str(provenance.get("python") or "")
    return f"{version} ({implementation})" if implementation not in ("", "cpython") else version


def _platform(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(str(value[key]) for key in sorted(value) if value[key])
    return str(value or "")


def parameters_of(facts: AttemptFacts) -> tuple[dict[str, Any], bool]:
    """The values the attempt was given, secrets by name and version, and whether all of them are known.

    What an attempt read from another task is a use, so it stands here only if its engine said its value.
    """
    said = _mapping((facts.provenance or {}).get("params")) or {}
    given = _mapping((facts.provenance or {}).get("secrets")) or {}
    read = {slot.name for slot in facts.inputs}
    values: dict[str, Any] = {}
    complete = True
    for name, expression in sorted((facts.spec.get("with") or {}).items()):
        kinds = {reference["ref"].partition(".")[0] for reference in references(expression)}
        if "secrets" in kinds:
            values[name] = secret_versions(expression, given)
        elif name in said:
            values[name] = said[name]
        elif "tasks" in kinds:
            complete = complete and name in read
        else:
            complete = _resolved(expression, facts.params, values, name) and complete
    return portable(values), complete


def _resolved(
    expression: Mapping[str, Any], params: Mapping[str, Any], values: dict[str, Any], name: str
) -> bool:
    try:
        values[name] = resolve(expression, lambda ref: params[ref["ref"].removeprefix("params.")])
    except (KeyError, ResolveError):
        return False
    return True


def secret_versions(expression: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A value that holds secrets, as their names and versions: ``{"$secrets": {"token": 3}}``.

    null where none was given, or where the value stands outside and has no version.
    """
    names = {secret_named(reference) for reference in references(expression)}
    return {"$secrets": {name: given.get(name) for name in sorted(filter(None, names))}}


def _reported(provenance: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What a runner said; one that described its surroundings and said nothing of this had nothing to say."""
    said = _mapping(provenance.get(name))
    return {} if said is None and provenance.get("python") else said


def _mapping(value: Any) -> dict[str, Any] | None:
    return portable(value) if isinstance(value, dict) else None


# --- Gaps ---------------------------------------------------------------------------------


def gaps_of(made: Sheet, parameters_complete: bool) -> list[dict[str, Any]]:
    """Every fact that is missing, in the order of :data:`GAPS`: ``[{"code", "message", "about"}]``."""
    found = [*_gaps_of_code(made), *_gaps_of_surroundings(made), *_gaps_of_inputs(made.facts)]
    if not parameters_complete:
        found.append(gap("parameters-not-captured"))
    if made.facts.state == "lost":
        found.append(gap("outcome-unknown"))
    found += [gap("secret-unversioned", name) for name in _unversioned(made.facts)]
    order = list(GAPS)
    return sorted(found, key=lambda item: (order.index(item["code"]), item["about"]))


def _unversioned(facts: AttemptFacts) -> list[str]:
    given = _mapping((facts.provenance or {}).get("secrets")) or {}
    return [name for name, version in given.items() if version is None]


def gap(code: str, about: str = "") -> dict[str, Any]:
    """One missing fact; ``about`` names the slot or thing it concerns."""
    return {"code": code, "message": GAPS[code], "about": about}


def _gaps_of_code(made: Sheet) -> Iterable[dict[str, Any]]:
    facts = made.facts
    if made.code is None or not made.code["bundle_sha256"]:
        yield gap("code-not-captured")
    elif made.code["kind"] == "snapshot" and facts.snapshot not in ("", made.code["bundle_sha256"]):
        yield gap("code-differs")


def _gaps_of_surroundings(made: Sheet) -> Iterable[dict[str, Any]]:
    if made.environment is None:
        yield gap("environment-not-captured")
    elif made.environment["packages"] is None:
        yield gap("packages-not-captured")
    if made.hardware is None:
        yield gap("hardware-not-captured")
    if made.seeds is None:
        yield gap("seeds-not-captured")
    for words in (made.facts.provenance or {}).get("gaps") or ():
        yield gap("surroundings-incomplete", str(words))


def _gaps_of_inputs(facts: AttemptFacts) -> Iterable[dict[str, Any]]:
    for slot in facts.inputs:
        if slot.occurrence is None:
            yield gap("input-not-catalogued", slot.name)
        if slot.strength in ("weak", "none"):
            yield gap("weak-input", slot.name)


# --- The document -------------------------------------------------------------------------


def fields_of(made: Sheet) -> dict[str, Any]:
    """Everything a record says but its uses."""
    facts = made.facts
    reused = {"reused_from": str(facts.reused_from)} if facts.reused_from else {}
    return {
        **reused,
        "uuid": str(facts.uuid),
        "team": facts.team,
        "source": "native",
        "run": str(facts.run),
        "run_number": facts.run_number,
        "version": facts.version_number,
        "spec_sha256": facts.spec_sha256,
        "job": job_name(facts.pipeline, facts.task),
        "task": facts.task,
        "kind": facts.kind,
        "attempt_no": facts.no,
        "resume_no": facts.resume_no,
        "state": facts.state,
        "reason": facts.reason,
        "started_at": moment(facts.started_at),
        "finished_at": moment(facts.finished_at),
        "partition": facts.partition,
        "code": made.code_fingerprint,
        "environment": made.environment_fingerprint,
        "hardware": made.hardware_fingerprint,
        "parameters": made.parameters_sha256,
        "seeds": made.seeds,
        "metrics": made.metrics,
        "actor": facts.actor,
        "isolation": facts.isolation,
        "cache_key": facts.cache_key,
        "gaps": made.gaps,
    }


def uses_of(facts: AttemptFacts) -> list[dict[str, Any]]:
    """What the attempt read and wrote, as its record's document lists it."""
    found = []
    for slot in facts.inputs:
        if slot.occurrence:
            found.append(use_document("read", slot.name, slot.position, content_document(slot.occurrence)))
    for slot in facts.outputs:
        if slot.occurrence:
            artifact = artifact_document(slot.occurrence, output_name(facts, slot))
            found.append(use_document("wrote", slot.name, slot.position, artifact))
    for slot in facts.taken:
        if slot.occurrence:
            content = content_document(slot.occurrence)
            found.append(use_document("reused", slot.name, slot.position, content))
    return found


def output_name(facts: AttemptFacts, slot: Slot) -> str:
    """The name of the artifact that the attempt wrote in this slot."""
    return artifact_name(facts.pipeline, facts.task, slot.name, slot.position)


def content_document(occurrence: Occurrence) -> dict[str, Any]:
    """An artifact as a record that read it speaks of it: by content."""
    return {
        "uuid": str(occurrence.uuid),
        "kind": occurrence.kind,
        "sha256": occurrence.sha256,
        "size": occurrence.size,
    }


def artifact_document(occurrence: Occurrence, name: str) -> dict[str, Any]:
    """An artifact as the record that wrote it speaks of it: with its name and what is known of it."""
    return {**content_document(occurrence), "name": name, "metadata": portable(occurrence.metadata)}


def use_document(direction: str, slot: str, position: int, artifact: Mapping[str, Any]) -> dict[str, Any]:
    """One use: direction read, wrote or reused."""
    return {
        "direction": direction,
        "slot": slot,
        "position": position,
        "binding": "explicit",
        "torn": False,
        "artifact": artifact,
    }


def record_document(fields: Mapping[str, Any], uses: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The document whose canonical sha256 is the digest of a record."""
    ordered = sorted(uses, key=lambda use: (use["direction"], use["slot"], use["position"]))
    return {"schema": SCHEMA, **fields, "uses": ordered}


def moment(value: datetime | None) -> str | None:
    """A time as records write it: UTC with microseconds and Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value else None
