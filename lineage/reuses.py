"""A task that took over a result -> one sealed record that names the attempt which had made it, once only."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace

import structlog
from django.db import connection, transaction

from lineage import facts as attempt_facts
from lineage import recorder
from lineage.documents import AttemptFacts, Fingerprints, sheet
from lineage.models import RecorderMark
from runs.models import Reuse
from runs.queries import HEAVY

log = structlog.get_logger()

BATCH = 200
# Of the uuids of records without an attempt: made from task run and resume, so that they can be made again.
NAMES = uuid.UUID("6f0f8a52-4f0b-5c1e-9d53-2a1e9d3b7c60")

PENDING = """
    SELECT u.id FROM task_reuse u
    WHERE u.id > (SELECT coalesce(max(m.reuse_id), 0) FROM recorder_mark m)
      AND NOT EXISTS (
        SELECT 1 FROM record r
        WHERE r.task_run_id = u.task_run_id AND r.resume_no = u.resume_no AND r.attempt_id IS NULL)
    ORDER BY u.id LIMIT %s
"""

# What was written two minutes ago has been seen by everybody: none can turn up below the mark.
ADVANCE_MARK = """
    UPDATE recorder_mark SET reuse_id = found.last FROM (
        SELECT coalesce(min(u.id) - 1, (SELECT coalesce(max(id), 0) FROM task_reuse)) AS last
        FROM task_reuse u
        WHERE u.id > (SELECT max(m.reuse_id) FROM recorder_mark m)
          AND (u.at > engine_now() - interval '2 minutes' OR NOT EXISTS (
            SELECT 1 FROM record r
            WHERE r.task_run_id = u.task_run_id AND r.resume_no = u.resume_no AND r.attempt_id IS NULL))
    ) AS found
    WHERE found.last > reuse_id
"""


def record_pending(limit: int = 2000) -> int:
    """Record reuses that have no record yet, oldest first; how many now have one."""
    done = 0
    while done < limit:
        with connection.cursor() as cursor:
            cursor.execute(PENDING, [BATCH])
            ids = [row[0] for row in cursor.fetchall()]
        written = record(ids) if ids else 0  # none when others are just writing them
        if not written:
            break
        done += written
    return done


def record(ids: Collection[int]) -> int:
    """Record these reuses, and first the attempts whose results were taken over; how many were written."""
    with transaction.atomic():
        rows = list(
            Reuse.objects.filter(id__in=ids)
            .select_related(
                "source",
                "task_run__task",
                "task_run__run__version",
                "task_run__run__pipeline",
                "task_run__run__requested_by",
            )
            .defer(
                "source__provenance",
                *(f"task_run__run__{name}" for name in HEAVY if not name.startswith("rerun_of")),
            )
            .order_by("id")
        )
        recorder.record({row.source_id for row in rows})
        makers = {found.id: found for found in attempt_facts.load({row.source_id for row in rows})}
        fingerprints = Fingerprints()
        return recorder.write([sheet(_facts(row, makers[row.source_id]), fingerprints) for row in rows])


def advance_mark() -> None:
    """Remember up to which reuse all have their record."""
    RecorderMark.objects.get_or_create(id=1)
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE_MARK)


def _facts(row: Reuse, maker: AttemptFacts) -> AttemptFacts:
    """What is known of a reuse: what its maker was made of, in the place of the task that took it over."""
    task_run, run = row.task_run, row.task_run.run
    return replace(
        maker,
        id=-row.pk,  # of no attempt
        uuid=uuid.uuid5(NAMES, f"{task_run.uuid}:{row.resume_no}"),
        run_id=run.pk,
        run=run.uuid,
        run_number=run.number,
        task_run_id=task_run.pk,
        version_id=run.version_id,
        version_number=run.version.number,
        spec_sha256=run.version.spec_sha256,
        pipeline=run.pipeline.name,
        task=task_run.key,
        spec=task_run.task.spec,
        params=run.params,
        no=0,
        resume_no=row.resume_no,
        state="succeeded",
        reason="reused",
        started_at=row.at,
        finished_at=row.at,
        partition=run.partition_key,
        actor=run.requested_by.username if run.requested_by else "",
        cache_key=row.cache_key,
        inputs=[],
        outputs=[],
        reused_from_id=maker.id,
        reused_from=maker.uuid,
        taken=maker.outputs,
    )
