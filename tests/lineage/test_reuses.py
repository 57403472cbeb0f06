"""The record of a task that took over a result: written once, sealed, and out of the way of every walk."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from lineage import queries, recorder, reuses, seals, sweeps
from lineage.models import READ, REUSED, WROTE, Artifact, Record, RecorderMark, Use
from pipelines.canonical import digest
from runs.models import Attempt, Reuse, Run
from runs.protocol import Rerun
from runs.worker.requests import keep_inputs
from tests.runs.factories import Hands
from tests.runs.test_reuse import chain_version, done, start, work_off

pytestmark = pytest.mark.django_db


def rerun(**params: int) -> tuple[Run, Run]:
    version = chain_version()
    old = done(version)
    again = start(version, Rerun(old), **params)
    work_off(value=9)
    recorder.record_pending()
    reuses.record_pending()
    return old, again


def reuse_records(run: Run) -> list[Record]:
    return list(Record.objects.filter(run=run, attempt=None).order_by("task_run"))


def test_each_reuse_has_its_own_sealed_record_that_names_the_maker() -> None:
    old, again = rerun()
    records = reuse_records(again)
    assert [record.task for record in records] == ["load", "train", "report"]
    train = records[1]
    assert train.reused_from == Attempt.objects.get(run=old, task_run__key="train")
    assert (train.state, train.reason, train.attempt_no) == ("succeeded", "reused", 0)
    assert all(record.sealed_at for record in records)


def test_its_digest_can_be_made_again_and_leads_to_the_audit_chain() -> None:
    _, again = rerun()
    for record in reuse_records(again):
        assert digest(queries.record_document_of(record)) == record.digest
        assert seals.faults(record) == []


def test_what_it_took_over_is_the_artifact_of_the_maker_which_stays_the_only_producer() -> None:
    old, again = rerun()
    artifact = Artifact.objects.get(uses__record__run=old, uses__record__task="train", uses__direction=WROTE)
    (use,) = Use.objects.filter(record__run=again, record__task="train")
    assert (use.artifact, use.direction) == (artifact, REUSED)
    producer = queries.producer_of(artifact)
    assert producer is not None
    assert producer.record.run == old


def test_what_reads_a_result_that_was_taken_over_leads_to_its_maker() -> None:
    version = chain_version()
    old = done(version)
    again, hands = start(version, Rerun(old), rate=2), Hands()
    assert hands.claim() == "train"
    work = hands.held["train"]
    keep_inputs(work.attempt["id"], {"rows": work.upstream["load"]["result"]["id"]})
    hands.end("train", outputs=[{"name": "result", "type": "number", "value": 9}])
    recorder.record_pending()
    reuses.record_pending()
    read = Use.objects.get(record__run=again, record__task="train", direction=READ)
    producer = queries.producer_of(read.artifact)
    assert producer is not None
    assert (producer.record.run, producer.record.task) == (old, "load")
    walk = queries.walk_up([read.artifact_id])
    assert not walk.records & {record.pk for record in reuse_records(again)}


def test_recording_again_changes_nothing() -> None:
    _, again = rerun()
    before = {record.uuid: record.digest for record in reuse_records(again)}
    assert reuses.record_pending() == 0
    assert reuses.record(Reuse.objects.values_list("id", flat=True)) == 0
    assert {record.uuid: record.digest for record in reuse_records(again)} == before


def test_the_sweep_records_what_was_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "_marked_at", float("-inf"))  # an earlier test may have swept just now
    version = chain_version()
    again = start(version, Rerun(done(version)))
    sweeps.sweep()
    assert len(reuse_records(again)) == 3
    assert RecorderMark.objects.get().reuse_id >= 0


def test_a_record_is_of_an_attempt_or_of_a_reuse_and_never_of_both() -> None:
    _, again = rerun()
    record = reuse_records(again)[0]
    record.pk, record.sealed_at = None, None
    record.attempt = Attempt.objects.order_by("-id")[0]
    with pytest.raises(IntegrityError):
        record.save(force_insert=True)
