"""Seals on the audit chain: one row for each batch of records, and for each record its way to that row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lineage import queries
from lineage.documents import Sheet
from lineage.merkle import root_and_paths, root_of
from lineage.models import Record, RecordSeal
from pipelines import audit
from pipelines.canonical import digest
from pipelines.models import Team


def chain(sheets: Sequence[Sheet], records: Mapping[int, int]) -> None:
    """Put the digests of a batch on the chain of each team, as the last thing in its transaction."""
    by_team: dict[int, list[Sheet]] = defaultdict(list)
    for made in sheets:
        by_team[made.facts.team_id].append(made)
    for team in Team.objects.filter(id__in=by_team).order_by("id"):
        _chain_of_team(team, by_team[team.pk], records)


def _chain_of_team(team: Team, sheets: Sequence[Sheet], records: Mapping[int, int]) -> None:
    root, paths = root_and_paths([made.digest for made in sheets])
    count = len(sheets)
    name = f"{count} {'record' if count == 1 else 'records'}"
    event = audit.write(None, "record.seal", team, {"root": root, "records": count}, team=team, name=name)
    RecordSeal.objects.bulk_create(
        RecordSeal(record_id=records[made.facts.id], event=event, path=path)
        for made, path in zip(sheets, paths, strict=True)
    )


def faults(record: Record) -> list[str]:
    """What does not hold about a record: its digest, its way to the chain. Empty when all does."""
    found = []
    if digest(queries.record_document_of(record)) != record.digest:
        found.append("its facts do not have its digest")
    seal = RecordSeal.objects.select_related("event__payload").filter(record=record).first()
    if seal is None:
        return [*found, "it is on no audit chain"]
    said = audit.payload_of(seal.event) or {}
    if root_of(record.digest, seal.path) != said.get("root"):
        found.append("its digest does not lead to the root on the audit chain")
    return found
