"""Finished attempt -> one sealed record with its uses, once only. A nudge is quick, the sweep is certain.

Recording the same attempts again changes nothing, and recording them into an empty catalogue gives the
same digests. Every statement serves a whole batch, so the number of queries does not grow with it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import structlog
from django.db import connection, transaction
from django.db.models import Model

from lineage import facts as attempt_facts
from lineage import seals
from lineage.documents import AttemptFacts, Fingerprints, Occurrence, Sheet, output_name, sheet
from lineage.models import (
    READ,
    REUSED,
    WROTE,
    Artifact,
    CodeRef,
    Content,
    ContentLocation,
    EnvironmentSnapshot,
    HardwareProfile,
    ParameterSet,
    Record,
    RecorderMark,
    Use,
)
from lineage.naming import job_name
from pipelines.clock import EngineNow

log = structlog.get_logger()
M = TypeVar("M", bound=Model)

BATCH = 500
ONE_AT_A_TIME = 1
POLITE_BATCH = 100  # after so many it is asked again whether work goes first
PATIENCE = 30.0  # seconds that a record may wait for tasks that are ready

# Finished attempts that have no record, oldest first. Up to the mark all have one.
PENDING = """
    SELECT a.id FROM attempt a
    WHERE a.id > greatest(%s, (SELECT coalesce(max(m.attempt_id), 0) FROM recorder_mark m))
      AND a.state <> 'running'
      AND NOT EXISTS (SELECT 1 FROM record r WHERE r.attempt_id = a.id)
    ORDER BY a.id LIMIT %s
"""

# One text of JSON instead of thirty parameters a row: three times quicker for a batch.
INSERT_RECORDS = """
    INSERT INTO record (
        uuid, team_id, source, attempt_id, reused_from_id, run_id, task_run_id, version_id, job, task, kind,
        attempt_no, resume_no, state, reason, started_at, finished_at, partition, code_id, environment_id,
        hardware_id, parameters_id, seeds, metrics, actor, isolation, cache_key, gaps, grade, digest,
        created_at, sealed_at)
    SELECT x.uuid, x.team_id, 'native', x.attempt_id, x.reused_from_id, x.run_id, x.task_run_id, x.version_id,
        x.job, x.task, x.kind, x.attempt_no, x.resume_no, x.state, x.reason, x.started_at, x.finished_at,
        x.partition, x.code_id, x.environment_id, x.hardware_id, x.parameters_id, x.seeds, x.metrics, x.actor,
        x.isolation, x.cache_key, x.gaps, x.grade, x.digest, t.now, CASE WHEN x.whole THEN t.now END
    FROM (SELECT engine_now() AS now) AS t, jsonb_to_recordset(%s::jsonb) AS x (
        uuid uuid, team_id bigint, attempt_id bigint, reused_from_id bigint, run_id bigint,
        task_run_id bigint, version_id bigint, job text, task text, kind text, attempt_no integer,
        resume_no integer, state text, reason text, started_at timestamptz, finished_at timestamptz,
        partition text, code_id bigint, environment_id bigint, hardware_id bigint, parameters_id bigint,
        seeds jsonb, metrics jsonb, actor text, isolation text, cache_key text, gaps jsonb, grade text,
        digest text, whole boolean)
    ORDER BY x.attempt_id, x.uuid
    ON CONFLICT DO NOTHING
    RETURNING uuid, id
"""

# Whether tasks wait for a worker while nothing unrecorded has waited too long.
WORK_GOES_FIRST = """
    SELECT EXISTS (
        SELECT 1 FROM task_run t
        WHERE t.state IN ('ready', 'retry_wait') AND t.ready_at <= engine_now()
    ) AND NOT EXISTS (
        SELECT 1 FROM attempt a
        WHERE a.id > (SELECT coalesce(max(m.attempt_id), 0) FROM recorder_mark m)
          AND a.finished_at < engine_now() - make_interval(secs => %s)
          AND NOT EXISTS (SELECT 1 FROM record r WHERE r.attempt_id = a.id)
    )
"""

# The given attempts and, as far as they have no record, all whose outputs they read, directly or not.
WITH_PRODUCERS = """
    WITH RECURSIVE wanted (id) AS (
        SELECT a.id FROM attempt a WHERE a.id = ANY(%s)
        UNION
        SELECT o.attempt_id FROM wanted w
        JOIN attempt_input i ON i.attempt_id = w.id
        JOIN attempt_output o ON o.id = i.source_id
        WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.attempt_id = o.attempt_id)
    )
    SELECT id FROM wanted
"""

# Sessions may not idle in a transaction for longer than a minute, so an attempt that began two minutes ago
# has been seen by everybody: none can turn up below the mark.
ADVANCE_MARK = """
    UPDATE recorder_mark SET attempt_id = found.last FROM (
        SELECT coalesce(min(a.id) - 1, (SELECT coalesce(max(id), 0) FROM attempt)) AS last
        FROM attempt a
        WHERE a.id > (SELECT max(m.attempt_id) FROM recorder_mark m)
          AND (a.state = 'running' OR a.started_at > engine_now() - interval '2 minutes'
               OR NOT EXISTS (SELECT 1 FROM record r WHERE r.attempt_id = a.id))
    ) AS found
    WHERE found.last > attempt_id
"""


def record_politely(limit: int = 2000) -> int:
    """As :func:`record_pending`, but later while tasks wait for a worker: work goes first.

    Asked before each batch. What ended :data:`PATIENCE` seconds ago is recorded all the same, so the lag
    stays below a minute.
    """
    return record_pending(limit, size=POLITE_BATCH, go_on=lambda: not _work_goes_first())


def _work_goes_first() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WORK_GOES_FIRST, [PATIENCE])
        return bool(cursor.fetchone()[0])


def lag() -> float:
    """Seconds since the oldest finished attempt without a record ended; 0 when there is none."""
    oldest = pending(0, 1)
    if not oldest:
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM engine_now() - finished_at) FROM attempt WHERE id = %s", oldest
        )
        return max(0.0, float(cursor.fetchone()[0] or 0))


def record_pending(
    limit: int = 2000, *, size: int | None = None, go_on: Callable[[], bool] = lambda: True
) -> int:
    """Record finished attempts that have no record yet, oldest first; how many now have one.

    In batches of ``size``, before each of which ``go_on`` is asked. An attempt that cannot be recorded is
    logged and left for the next call, and holds up no other.
    """
    done, after = 0, 0
    while done < limit and go_on():
        ids = pending(after, min(size or BATCH, limit - done))
        if not ids:
            break
        done += _record_patiently(ids)
        after = ids[-1]
    return done


def pending(after: int, limit: int) -> list[int]:
    """Ids of finished attempts above ``after`` without a record, ascending."""
    return _ids(PENDING, [after, limit])


def advance_mark() -> None:
    """Remember up to which attempt all have their record."""
    RecorderMark.objects.get_or_create(id=1)
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE_MARK)


def _record_patiently(ids: list[int]) -> int:
    try:
        return record(ids)
    except Exception as error:
        if len(ids) == ONE_AT_A_TIME:
            log.exception("an attempt could not be recorded; the sweep will try again", attempt=ids[0])
            return 0
        log.warning("a batch could not be recorded; trying one by one", size=len(ids), error=str(error))
    return sum(_record_patiently([one]) for one in ids)


def record(attempt_ids: Collection[int]) -> int:
    """Record these finished attempts and the unrecorded producers of what they read, in one transaction.

    Returns how many records were written; those that exist already, or are being written by somebody else,
    are left as they are. Attempts that still run are left out.
    """
    with transaction.atomic():
        wanted = _ids(WITH_PRODUCERS, [list(attempt_ids)])
        wanted = sorted(set(wanted) - _recorded(wanted))
        fingerprints = Fingerprints()
        sheets = [sheet(found, fingerprints) for found in attempt_facts.load(wanted)]
        return write(sheets) if sheets else 0


def _recorded(attempt_ids: Collection[int]) -> set[int]:
    return set(Record.objects.filter(attempt_id__in=attempt_ids).values_list("attempt_id", flat=True))


def write(sheets: list[Sheet]) -> int:
    """Write the records of these sheets, with uses and seals; how many were new. Within a transaction.

    Recorders write the tables in one order, each in the order of its key: none waits in a circle.
    """
    ingredients = Ingredients(sheets)
    ours = _write_records(sheets, ingredients)
    won = [made for made in sheets if made.facts.id in ours]
    with_uses = _write_uses(won, ours, ingredients)
    if with_uses:
        Record.objects.filter(id__in=with_uses).update(sealed_at=EngineNow())
    if won:
        seals.chain(won, ours)
    return len(ours)


def _write_records(sheets: list[Sheet], ingredients: Ingredients) -> dict[int, int]:
    """Id of the facts -> record, for those written here; of the others somebody else has written theirs.

    A record without uses is sealed as it is written, the others once they have theirs.
    """
    rows = json.dumps([_record_row(made, ingredients) for made in sheets], default=str)
    with connection.cursor() as cursor:
        cursor.execute(INSERT_RECORDS, [rows])
        written = dict(cursor.fetchall())
    return {made.facts.id: written[made.facts.uuid] for made in sheets if made.facts.uuid in written}


class Ingredients:
    """The shared rows that a batch of records points at, written where missing; ids by their digest."""

    def __init__(self, sheets: list[Sheet]) -> None:
        self.contents = _write_contents(sheets)
        self.codes = _ensure(CodeRef, _codes(sheets), "fingerprint")
        self.environments = _ensure(EnvironmentSnapshot, _environments(sheets), "fingerprint")
        self.hardware = _ensure(HardwareProfile, _hardware(sheets), "fingerprint")
        self.parameters = _ensure(ParameterSet, _parameters(sheets), "sha256")


def _codes(sheets: list[Sheet]) -> Iterable[CodeRef]:
    for made in sheets:
        if made.code is not None and made.code_fingerprint is not None:
            yield CodeRef(fingerprint=made.code_fingerprint, **made.code)


def _environments(sheets: list[Sheet]) -> Iterable[EnvironmentSnapshot]:
    for made in sheets:
        if made.environment is not None and made.environment_fingerprint is not None:
            yield EnvironmentSnapshot(fingerprint=made.environment_fingerprint, **made.environment)


def _hardware(sheets: list[Sheet]) -> Iterable[HardwareProfile]:
    for made in sheets:
        if made.hardware is not None and made.hardware_fingerprint is not None:
            yield HardwareProfile(fingerprint=made.hardware_fingerprint, facts=made.hardware)


def _parameters(sheets: list[Sheet]) -> Iterable[ParameterSet]:
    return (ParameterSet(sha256=made.parameters_sha256, values=made.parameters) for made in sheets)


def _ensure(model: type[M], rows: Iterable[M], key: str) -> dict[str, int]:
    """Write those of the rows whose key is new; key -> id for all of them."""
    wanted = {getattr(row, key): row for row in rows}
    if not wanted:
        return {}
    known = _known(model, wanted, key)
    missing = sorted(set(wanted) - set(known))
    if missing:
        model._default_manager.bulk_create([wanted[name] for name in missing], ignore_conflicts=True)
        known |= _known(model, missing, key)
    return known


def _known(model: type[Model], keys: Iterable[str], key: str) -> dict[str, int]:
    rows = model._default_manager.filter(**{f"{key}__in": list(keys)})
    return dict(rows.order_by().values_list(key, "id"))


def _written(sheets: Iterable[Sheet]) -> Iterable[Occurrence]:
    for made in sheets:
        for slot in made.facts.outputs:
            if slot.occurrence is not None:
                yield slot.occurrence


def _write_contents(sheets: list[Sheet]) -> dict[str, int]:
    rows = (
        Content(sha256=found.sha256, size=found.size, media_type=found.media_type, inline=found.inline)
        for found in _written(sheets)
    )
    contents = _ensure(Content, rows, "sha256")
    places = {(contents[found.sha256], found.address) for found in _written(sheets) if found.address}
    if places:
        ContentLocation.objects.bulk_create(
            [ContentLocation(content_id=content, address=address) for content, address in sorted(places)],
            ignore_conflicts=True,
        )
    return contents


def _record_row(made: Sheet, ingredients: Ingredients) -> dict[str, Any]:
    found = made.facts
    return {
        "uuid": found.uuid,
        "team_id": found.team_id,
        "attempt_id": None if found.reused_from_id else found.id,
        "reused_from_id": found.reused_from_id,
        "run_id": found.run_id,
        "task_run_id": found.task_run_id,
        "version_id": found.version_id,
        "job": job_name(found.pipeline, found.task),
        "task": found.task,
        "kind": found.kind,
        "attempt_no": found.no,
        "resume_no": found.resume_no,
        "state": found.state,
        "reason": found.reason,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "partition": found.partition,
        "code_id": ingredients.codes.get(made.code_fingerprint or ""),
        "environment_id": ingredients.environments.get(made.environment_fingerprint or ""),
        "hardware_id": ingredients.hardware.get(made.hardware_fingerprint or ""),
        "parameters_id": ingredients.parameters[made.parameters_sha256],
        "seeds": made.seeds,
        "metrics": made.metrics,
        "actor": found.actor,
        "isolation": found.isolation,
        "cache_key": found.cache_key,
        "gaps": made.gaps,
        "grade": made.grade,
        "digest": made.digest,
        "whole": not _has_uses(found),
    }


def _write_uses(sheets: list[Sheet], records: dict[int, int], ingredients: Ingredients) -> set[int]:
    """Write the uses of these records; the records that have any slot and are not sealed yet."""
    artifacts = _write_artifacts(sheets, ingredients)
    known = (slot for made in sheets for slot in (*made.facts.inputs, *made.facts.taken))
    read = {slot.occurrence.uuid for slot in known if slot.occurrence}
    artifacts |= _artifact_ids(read - set(artifacts))
    uses = [use for made in sheets for use in _use_rows(made.facts, records[made.facts.id], artifacts)]
    if uses:
        Use.objects.bulk_create(uses, batch_size=5000)
    return {records[made.facts.id] for made in sheets if _has_uses(made.facts)}


def _has_uses(found: AttemptFacts) -> bool:
    return bool(found.inputs or found.outputs or found.taken)


def _write_artifacts(sheets: list[Sheet], ingredients: Ingredients) -> dict[uuid.UUID, int]:
    rows = [
        Artifact(
            uuid=slot.occurrence.uuid,
            team_id=made.facts.team_id,
            kind=slot.occurrence.kind,
            name=output_name(made.facts, slot),
            content_id=ingredients.contents[slot.occurrence.sha256],
            metadata=slot.occurrence.metadata,
        )
        for made in sheets
        for slot in made.facts.outputs
        if slot.occurrence is not None
    ]
    return {row.uuid: row.pk for row in Artifact.objects.bulk_create(rows)} if rows else {}


def _artifact_ids(uuids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    if not uuids:
        return {}
    return dict(Artifact.objects.filter(uuid__in=uuids).order_by().values_list("uuid", "id"))


def _use_rows(found: AttemptFacts, record: int, artifacts: dict[uuid.UUID, int]) -> Iterable[Use]:
    for direction, slots in ((READ, found.inputs), (WROTE, found.outputs), (REUSED, found.taken)):
        for slot in slots:
            if slot.occurrence is not None:
                yield Use(
                    record_id=record,
                    artifact_id=artifacts[slot.occurrence.uuid],
                    direction=direction,
                    slot=slot.name,
                    position=slot.position,
                )


def _ids(sql: str, parameters: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]
