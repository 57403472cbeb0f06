"""Decisions of people as the catalogue keeps them, and which of them a task rests on."""

from __future__ import annotations

from django.db import connection

from lineage.models import CataloguedApproval
from runs.models import Approval

# Everything a task waited for: its upstreams, those of the scopes around it, and what upstream scopes hold.
RESTS_ON = """
    WITH RECURSIVE up (id, inside) AS (
        SELECT %s::bigint, false
        UNION
        SELECT x.id, x.inside FROM up CROSS JOIN LATERAL (
            SELECT e.up_id AS id, true AS inside FROM task_edge e WHERE e.down_id = up.id
            UNION ALL
            SELECT t.parent_id, false FROM task_run t
            WHERE t.id = up.id AND t.parent_id IS NOT NULL AND NOT up.inside
            UNION ALL
            SELECT c.id, true FROM task_run c WHERE up.inside AND c.parent_id = up.id
        ) x
    )
    SELECT DISTINCT ON (a.task_run_id) a.id FROM approval a
    WHERE a.task_run_id IN (SELECT id FROM up)
    ORDER BY a.task_run_id, a.resume_no DESC
"""

WITHOUT_ENTRY = """
    SELECT a.id FROM approval a
    WHERE NOT EXISTS (SELECT 1 FROM catalogued_approval c WHERE c.approval_id = a.id)
    ORDER BY a.id LIMIT %s
"""


def behind(task_run_id: int) -> list[Approval]:
    """The approvals that a task rests on, the latest last: of each task upstream its last decision."""
    ids = _ids(RESTS_ON, task_run_id)
    rows = Approval.objects.filter(id__in=ids, decision="approved")
    return list(rows.select_related("decided_by", "task_run__run").order_by("decided_at", "id"))


def catalogue(approvals: list[Approval]) -> list[CataloguedApproval]:
    """Enter decisions into the catalogue, once each; the entries in the order of the decisions."""
    CataloguedApproval.objects.bulk_create([_entry(one) for one in approvals], ignore_conflicts=True)
    found = {
        entry.approval_id: entry
        for entry in CataloguedApproval.objects.filter(approval__in=approvals).select_related("person")
    }
    return [found[one.pk] for one in approvals]


def catalogue_pending(limit: int = 500) -> int:
    """Enter decisions that have no entry yet; how many were found."""
    ids = _ids(WITHOUT_ENTRY, limit)
    if ids:
        rows = Approval.objects.filter(id__in=ids).select_related("task_run__run").order_by("id")
        catalogue(list(rows))
    return len(ids)


def _entry(approval: Approval) -> CataloguedApproval:
    task_run = approval.task_run
    return CataloguedApproval(
        uuid=approval.uuid,
        approval=approval,
        team_id=task_run.run.team_id,
        run_id=task_run.run_id,
        task=task_run.key,
        decision=approval.decision,
        digest=approval.digest,
        person_id=approval.decided_by_id,
        role=approval.role,
        was_requester=approval.was_requester,
        comment=approval.comment,
        decided_at=approval.decided_at,
    )


def _ids(statement: str, argument: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [argument])
        return [row[0] for row in cursor.fetchall()]
