"""What the rows of ``runs`` say about finished attempts, in a fixed number of queries however many."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from lineage.documents import AttemptFacts, Occurrence, Slot
from pipelines.canonical import canonical, portable, sha256_of
from pipelines.models import Task
from runs.models import Attempt, AttemptInput, AttemptOutput, CapturedFact

# column of the query -> field of AttemptFacts
COLUMNS = {
    "id": "id",
    "uuid": "uuid",
    "team_id": "team_id",
    "team__slug": "team",
    "run_id": "run_id",
    "run__uuid": "run",
    "run__number": "run_number",
    "task_run_id": "task_run_id",
    "run__version_id": "version_id",
    "run__version__number": "version_number",
    "run__version__spec_sha256": "spec_sha256",
    "run__pipeline__name": "pipeline",
    "task_run__key": "task",
    "task_run__kind": "kind",
    "run__params": "params",
    "no": "no",
    "resume_no": "resume_no",
    "state": "state",
    "reason": "reason",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "run__partition_key": "partition",
    "run__requested_by__username": "actor",
    "isolation": "isolation",
    "cache_key": "cache_key",
    "code_sha256": "code_sha256",
    "environment_sha256": "environment_sha256",
    "provenance": "provenance",
    "run__code__location__name": "location",
    "run__code__snapshot__tree_sha256": "snapshot",
    "run__code__lock_sha256": "lock_sha256",
}
OPTIONAL_TEXTS = ("actor", "location", "snapshot", "lock_sha256")

OUTPUT_COLUMNS = ("uuid", "type", "value", "sha256", "address", "size", "media_type", "meta")


def load(attempt_ids: Collection[int]) -> list[AttemptFacts]:
    """The facts of these attempts, by ascending id. Attempts that still run are left out."""
    rows = list(
        Attempt.objects.filter(id__in=attempt_ids)
        .exclude(state="running")
        .order_by("id")
        .values("task_run__task_id", *COLUMNS)
    )
    specs = dict(
        Task.objects.filter(id__in={row["task_run__task_id"] for row in rows}).values_list("id", "spec")
    )
    known = captured(row["provenance"] for row in rows)
    found = [_facts(row, specs[row["task_run__task_id"]], known) for row in rows]
    _add_slots({facts.id: facts for facts in found})
    return found


def _facts(row: dict[str, Any], spec: dict[str, Any], known: dict[str, Any]) -> AttemptFacts:
    values = {name: row[column] for column, name in COLUMNS.items()}
    for name in OPTIONAL_TEXTS:
        values[name] = values[name] or ""
    values["provenance"] = unfolded(values["provenance"], known)
    return AttemptFacts(spec=spec, **values)


def captured(provenances: Iterable[dict[str, Any] | None]) -> dict[str, Any]:
    """The bodies of the captured facts that these provenances name by digest."""
    wanted = {
        value
        for provenance in provenances
        for value in (provenance or {}).values()
        if isinstance(value, str) and len(value) == 64
    }
    if not wanted:
        return {}
    return dict(CapturedFact.objects.filter(sha256__in=wanted).values_list("sha256", "body"))


def unfolded(provenance: dict[str, Any] | None, known: dict[str, Any]) -> dict[str, Any] | None:
    """A provenance with the facts it names by digest put in: those of an environment at the top level."""
    if not provenance:
        return None
    whole: dict[str, Any] = {}
    for key, value in provenance.items():
        body = known.get(value) if isinstance(value, str) else None
        if key == "environment" and isinstance(body or value, dict):
            whole.update(body or value)
        else:
            whole[key] = value if body is None else body
    return whole


def _add_slots(by_id: dict[int, AttemptFacts]) -> None:
    read = (
        AttemptInput.objects.filter(attempt_id__in=by_id)
        .order_by("attempt_id", "name", "position")
        .values(
            "attempt_id",
            "name",
            "position",
            "strength",
            "source_id",
            *(f"source__{name}" for name in OUTPUT_COLUMNS),
        )
    )
    for row in read:
        source = {name: row[f"source__{name}"] for name in OUTPUT_COLUMNS}
        occurrence = occurrence_of(source) if row["source_id"] else None
        slot = Slot(row["name"], row["position"], occurrence, row["strength"])
        by_id[row["attempt_id"]].inputs.append(slot)
    written = (
        AttemptOutput.objects.filter(attempt_id__in=by_id)
        .order_by("attempt_id", "name", "position")
        .values("attempt_id", "name", "position", *OUTPUT_COLUMNS)
    )
    for row in written:
        by_id[row["attempt_id"]].outputs.append(Slot(row["name"], row["position"], occurrence_of(row)))


def occurrence_of(output: dict[str, Any]) -> Occurrence:
    """An output row as an occurrence; a small value becomes the canonical bytes of its JSON."""
    metadata = output["meta"] or {}
    if output["sha256"]:
        return Occurrence(
            output["uuid"],
            output["type"],
            output["sha256"],
            output["size"],
            output["media_type"],
            output["address"],
            None,
            metadata,
        )
    text = canonical(portable(output["value"]))
    size = len(text.encode())
    media_type = "application/json"
    return Occurrence(output["uuid"], output["type"], sha256_of(text), size, media_type, "", text, metadata)
