"""What pages and programs ask about artifacts, records, models and endpoints. Read only.

Each function costs a fixed number of queries, whatever the size of its answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from lineage.documents import moment, record_document, use_document
from lineage.graph import UseEdge
from lineage.models import (
    DIRECTIONS,
    WROTE,
    Artifact,
    Deployment,
    Endpoint,
    Model,
    ModelClosure,
    ModelVersion,
    Record,
    Use,
)
from pipelines import grants
from pipelines.models import Team

# Artifacts that a walk shows at first; more is said to be there, and the walk can begin again further up.
FIRST_ANSWER = 500

# A set of ids and nothing else: it is answered from two indexes alone, nearest first, and stops at the limit.
UPSTREAM = """
    WITH RECURSIVE up (artifact_id) AS (
        SELECT unnest(%s::bigint[])
        UNION
        SELECT r.artifact_id FROM up
        JOIN use w ON w.artifact_id = up.artifact_id AND w.direction = 1
        JOIN use r ON r.record_id = w.record_id AND r.direction = 0
    )
    SELECT artifact_id FROM up LIMIT %s
"""
DOWNSTREAM = """
    WITH RECURSIVE down (artifact_id) AS (
        SELECT unnest(%s::bigint[])
        UNION
        SELECT w.artifact_id FROM down
        JOIN use r ON r.artifact_id = down.artifact_id AND r.direction = 0
        JOIN use w ON w.record_id = r.record_id AND w.direction = 1
    )
    SELECT artifact_id FROM down LIMIT %s
"""
# The edges among a set of artifacts: who wrote each, and what of the set its writer read. Reads are found
# from their record, for an artifact may have been read by hundreds of thousands of others.
USES_AMONG = """
    WITH wrote AS (
        SELECT u.record_id, u.artifact_id, u.direction, u.slot, u.position FROM use u
        WHERE u.artifact_id = ANY (%(artifacts)s) AND u.direction = 1
    )
    SELECT * FROM wrote
    UNION ALL
    SELECT u.record_id, u.artifact_id, u.direction, u.slot, u.position FROM use u
    WHERE u.record_id IN (SELECT record_id FROM wrote UNION SELECT unnest(%(records)s::bigint[]))
      AND u.direction = 0 AND u.artifact_id = ANY (%(artifacts)s)
    ORDER BY record_id, direction, slot, position
"""


@dataclass(frozen=True)
class Walk:
    """Part of the graph: ids of artifacts, nearest first, and the uses among them.

    ``truncated``: there is more than was asked for.
    """

    artifacts: list[int]
    uses: list[UseEdge]
    truncated: bool

    @property
    def records(self) -> set[int]:
        return {use.record for use in self.uses}


def walk_up(artifacts: Collection[int], records: Collection[int] = (), limit: int = FIRST_ANSWER) -> Walk:
    """Everything upstream of these artifacts, and the edges of these ``records`` to it. Two queries."""
    return _walk(UPSTREAM, artifacts, records, limit)


def walk_down(artifacts: Collection[int], limit: int = FIRST_ANSWER) -> Walk:
    """Everything downstream of these artifacts. Two queries."""
    return _walk(DOWNSTREAM, artifacts, (), limit)


def _walk(statement: str, starts: Collection[int], records: Collection[int], limit: int) -> Walk:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(starts), limit + 1])
        found = [row[0] for row in cursor.fetchall()]
        artifacts = found[:limit]
        cursor.execute(USES_AMONG, {"artifacts": artifacts, "records": list(records)})
        uses = [
            UseEdge(record, artifact, direction == WROTE, slot, position)
            for record, artifact, direction, slot, position in cursor.fetchall()
        ]
    return Walk(artifacts, uses, len(found) > limit)


# --- Artifacts and records ----------------------------------------------------------------


def artifacts(visible: QuerySet[Artifact]) -> QuerySet[Artifact]:
    """Artifacts with what a list shows of them."""
    return visible.select_related("content", "team").defer("content__inline")


def records(ids: Collection[int]) -> list[Record]:
    """Records with their ingredients, oldest first. One query."""
    return list(full_records(Record.objects.filter(id__in=ids)).order_by("id"))


def full_records(visible: QuerySet[Record]) -> QuerySet[Record]:
    """Records with code, environment, hardware, parameters and where they stand."""
    return visible.select_related(
        "code", "environment", "hardware", "parameters", "team", "run__code__snapshot", "version"
    ).defer("version__text", "version__spec", "version__layout", "run__params", "run__code__snapshot__blocks")


def uses_of(artifact: Artifact, direction: int) -> QuerySet[Use]:
    """How an artifact was read (0) or written (1), with the records that did. In the order of one index."""
    uses = Use.objects.filter(artifact=artifact, direction=direction)
    return uses.select_related("record__run").defer("record__run__params", "record__run__only")


def producer_of(artifact: Artifact) -> Use | None:
    """The one use that wrote an artifact, with its record, run and pipeline."""
    rows = Use.objects.filter(artifact=artifact, direction=WROTE)
    return (
        rows.select_related("record__run__pipeline__team", "record__run__requested_by", "record__version")
        .defer(*HEAVY)
        .first()
    )


HEAVY = (
    "record__run__params",
    "record__run__pipeline__draft_text",
    "record__version__text",
    "record__version__spec",
    "record__version__layout",
)


def uses_by_record(record_ids: Collection[int], direction: int) -> dict[int, list[Use]]:
    """What each record read (0) or wrote (1), in the order of its slots. One query."""
    found: dict[int, list[Use]] = {record: [] for record in record_ids}
    rows = Use.objects.filter(record_id__in=record_ids, direction=direction)
    rows = rows.select_related("artifact__content", "artifact__team").defer("artifact__content__inline")
    for use in rows.order_by("record_id", "slot", "position"):
        found[use.record_id].append(use)
    return found


def record_document_of(record: Record) -> dict[str, Any]:
    """The document behind a record's digest, made again from its rows."""
    return record_document(_fields_of(record), [_use_of(use) for use in _uses_of(record)])


def _uses_of(record: Record) -> Iterable[Use]:
    return record.uses.select_related("artifact__content").order_by("direction", "slot", "position")


def _fields_of(record: Record) -> dict[str, Any]:
    reused = {"reused_from": str(record.reused_from.uuid)} if record.reused_from else {}
    return {
        **reused,
        "uuid": str(record.uuid),
        "team": record.team.slug,
        "source": record.source,
        "run": str(record.run.uuid),
        "run_number": record.run.number,
        "version": record.version.number,
        "spec_sha256": record.version.spec_sha256,
        "job": record.job,
        "task": record.task,
        "kind": record.kind,
        "attempt_no": record.attempt_no,
        "resume_no": record.resume_no,
        "state": record.state,
        "reason": record.reason,
        "started_at": moment(record.started_at),
        "finished_at": moment(record.finished_at),
        "partition": record.partition,
        "code": record.code.fingerprint if record.code else None,
        "environment": record.environment.fingerprint if record.environment else None,
        "hardware": record.hardware.fingerprint if record.hardware else None,
        "parameters": record.parameters.sha256,
        "seeds": record.seeds,
        "metrics": record.metrics,
        "actor": record.actor,
        "isolation": record.isolation,
        "cache_key": record.cache_key,
        "gaps": record.gaps,
    }


def _use_of(use: Use) -> dict[str, Any]:
    artifact, content = use.artifact, use.artifact.content
    said: dict[str, Any] = {
        "uuid": str(artifact.uuid),
        "kind": artifact.kind,
        "sha256": content.sha256,
        "size": content.size,
    }
    if use.direction == WROTE:
        said |= {"name": artifact.name, "metadata": artifact.metadata}
    return use_document(DIRECTIONS[use.direction], use.slot, use.position, said)


# --- Models -------------------------------------------------------------------------------


def models(visible: QuerySet[Model]) -> QuerySet[Model]:
    return visible.select_related("team")


def latest_versions(model_ids: Collection[int]) -> dict[int, ModelVersion]:
    """Model -> its newest version. One query."""
    rows = ModelVersion.objects.filter(model_id__in=model_ids).select_related(
        "model", "artifact", "registered_by", "run"
    )
    newest = rows.defer("run__params").order_by("model_id", "-number").distinct("model_id")
    return {version.model_id: version for version in newest}


def model_versions(visible: QuerySet[ModelVersion]) -> QuerySet[ModelVersion]:
    """Versions with all that is shown of them."""
    return visible.select_related(
        "model__team", "artifact__content", "record__run", "registered_by", "run__pipeline"
    ).defer("run__params", "artifact__content__inline", "run__pipeline__draft_text")


def versions_of(artifact: Artifact) -> list[ModelVersion]:
    """As what models an artifact was registered, oldest first. One query."""
    return list(model_versions(ModelVersion.objects.filter(artifact=artifact)).order_by("id"))


def endpoints_of(version_ids: Collection[int]) -> dict[int, list[Endpoint]]:
    """Model version -> where it serves now. One query, none without versions."""
    found: dict[int, list[Endpoint]] = {version: [] for version in version_ids}
    if found:
        live = Deployment.objects.filter(
            model_version__in=found, during__upper_inf=True, during__isempty=False
        )
        for row in live.select_related("endpoint__team").order_by("endpoint__name"):
            found[row.model_version_id].append(row.endpoint)
    return found


def made_from(version: ModelVersion, limit: int = FIRST_ANSWER) -> list[Artifact]:
    """Everything that a model version was made from, its own artifact left out, newest first. One query."""
    above = ModelClosure.objects.filter(version=version).exclude(artifact=version.artifact_id)
    rows = Artifact.objects.filter(id__in=above.values("artifact_id"))
    return list(artifacts(rows).order_by("-id")[:limit])


def live_deployments(version: ModelVersion) -> QuerySet[Deployment]:
    """Where a model version serves now."""
    found = Deployment.objects.filter(model_version=version, during__upper_inf=True, during__isempty=False)
    return found.select_related("endpoint")


# --- Endpoints ----------------------------------------------------------------------------


def endpoints_for(team: Team) -> dict[str, str]:
    """Name -> stage of the endpoints a team may deploy to: its own, and ``owner:name`` those lent to it."""
    rows = grants.usable(Endpoint.objects.filter(archived_at=None), team.pk).select_related("team")
    return {grants.named_in(row, team.pk): row.stage for row in rows}


def endpoints(visible: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    return visible.filter(archived_at=None).select_related("team")


def _shown(found: QuerySet[Deployment]) -> QuerySet[Deployment]:
    return found.select_related(
        "endpoint__team",
        "model_version__model",
        "model_version__artifact__content",
        "move__moved_by",
        "move__approval__person",
        "move__run__pipeline",
    ).defer("move__run__pipeline__draft_text", "model_version__artifact__content__inline")


def current(endpoint_ids: Collection[int]) -> dict[int, Deployment]:
    """Endpoint -> what is live there now. One query."""
    found = Deployment.objects.filter(endpoint_id__in=endpoint_ids, during__upper_inf=True)
    return {row.endpoint_id: row for row in _shown(found.filter(during__isempty=False))}


def live_at(endpoint: Endpoint, at: datetime | None) -> Deployment | None:
    """What was live on an endpoint at a time; now, when no time is given."""
    when = Q(during__upper_inf=True, during__isempty=False) if at is None else Q(during__contains=at)
    return _shown(Deployment.objects.filter(when, endpoint=endpoint)).first()


def history(endpoint: Endpoint, limit: int = 200) -> list[Deployment]:
    """What was live on an endpoint, newest first."""
    return list(_shown(Deployment.objects.filter(endpoint=endpoint)).order_by("-move_id")[:limit])
