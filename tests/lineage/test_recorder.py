from __future__ import annotations

import time
from collections.abc import Collection

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from lineage import documents, recorder
from lineage.models import WROTE, Artifact, Content, Record, RecorderMark, Use
from lineage.queries import record_document_of
from pipelines.canonical import digest
from pipelines.clock import EngineNow
from runs.models import Attempt, AttemptInput, CapturedFact, Run
from tests.factories import Cast, make_cast
from tests.lineage.factories import (
    BEGIN,
    PROVENANCE,
    make_attempt,
    make_lease,
    make_run,
    make_trained,
    make_version,
    output_of,
    task,
)
from tests.servers import Servers

pytestmark = pytest.mark.django_db

LINEAGE_TABLES = (
    "record_seal",
    "use",
    "record",
    "artifact",
    "content_location",
    "content",
    "code_ref",
    "environment_snapshot",
    "hardware_profile",
    "parameter_set",
    "recorder_mark",
)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def gaps_of(attempt: Attempt) -> set[str]:
    recorder.record([attempt.id])
    return {gap["code"] for gap in attempt.record.gaps}


def test_each_finished_attempt_gets_one_sealed_record(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    assert recorder.record_pending() == 3
    assert Record.objects.filter(sealed_at=None).count() == 0
    assert {record.attempt_id for record in Record.objects.all()} == {
        made.ingest.id,
        made.train.id,
        made.evaluate.id,
    }


def test_a_record_names_what_was_read_and_written_by_slot(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    uses = Use.objects.filter(record__attempt=made.evaluate).values_list(
        "direction", "slot", "artifact__uuid"
    )
    assert set(uses) == {
        (0, "model", made.model.uuid),
        (0, "table", output_of(made.ingest, "table").uuid),
        (1, "metrics", output_of(made.evaluate, "metrics").uuid),
        (1, "accuracy", output_of(made.evaluate, "accuracy").uuid),
    }


def test_recording_again_changes_nothing(cast: Cast) -> None:
    make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    before = list(Record.objects.order_by("id").values())
    ids = list(Attempt.objects.values_list("id", flat=True))
    assert recorder.record(ids) == 0
    assert recorder.record_pending() == 0
    assert list(Record.objects.order_by("id").values()) == before
    assert Use.objects.count() == 7


def test_an_attempt_that_still_runs_has_no_record(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    running = make_attempt(run, "ingest", "running", finished_at=None)
    assert recorder.record_pending() == 0
    assert recorder.record([running.id]) == 0


@pytest.mark.parametrize("state", ["failed", "cancelled", "lost"])
def test_attempts_that_did_not_succeed_are_recorded_too(cast: Cast, state: str) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    attempt = make_attempt(run, "ingest", state)
    recorder.record_pending()
    assert attempt.record.state == state


def test_a_retry_is_a_record_of_its_own(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    make_attempt(run, "ingest", "failed")
    make_attempt(run, "ingest", outputs={"table": b"x"})
    recorder.record_pending()
    assert list(Record.objects.order_by("attempt_no").values_list("attempt_no", "state")) == [
        (1, "failed"),
        (2, "succeeded"),
    ]


def test_equal_bytes_share_a_content_and_nothing_else(cast: Cast) -> None:
    version = make_version(cast.team)
    for _ in range(2):
        make_attempt(make_run(version, cast.alice), "ingest", outputs={"table": b"the same"})
    recorder.record_pending()
    assert Content.objects.count() == 1
    assert Artifact.objects.count() == 2
    assert Use.objects.filter(direction=WROTE).count() == 2


def test_small_values_are_contents_by_their_canonical_json(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    make_attempt(run, "ingest", outputs={"count": {"b": 1.0, "a": 2**60}})
    recorder.record_pending()
    assert Content.objects.get().inline == '{"a":{"$integer":"1152921504606846976"},"b":1}'


def test_asking_for_one_attempt_records_its_producers_too(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    assert recorder.record([made.evaluate.id]) == 3


def test_the_digest_can_be_computed_again_from_the_stored_rows(cast: Cast) -> None:
    run = make_trained(make_version(cast.team), cast.alice).run
    make_attempt(run, "ingest", "lost")
    recorder.record_pending()
    for record in Record.objects.all():
        assert digest(record_document_of(record)) == record.digest


def test_a_complete_attempt_has_no_gap_and_grade_b(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    assert gaps_of(made.train) == set()
    assert made.train.record.grade == "B"


def test_the_parameters_are_those_the_task_was_given(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    assert made.train.record.parameters.values == {"rate": 0.1, "depth": 3}


def test_secrets_stand_in_the_parameters_by_name_and_version_only(cast: Cast) -> None:
    tasks = [task("fetch") | {"with": {"key": {"ref": "secrets.api-key"}, "pin": {"ref": "secrets.pin"}}}]
    run = make_run(make_version(cast.team, tasks), cast.alice)
    said = PROVENANCE | {"params": {"key": "open sesame"}, "secrets": {"api-key": 3}}
    attempt = make_attempt(run, "fetch", provenance=said)
    recorder.record_pending()
    assert attempt.record.parameters.values == {
        "key": {"$secrets": {"api-key": 3}},
        "pin": {"$secrets": {"pin": None}},
    }


def test_a_secret_whose_version_nobody_knows_is_a_gap(cast: Cast) -> None:
    tasks = [task("fetch") | {"with": {"key": {"ref": "secrets.api-key"}}}]
    run = make_run(make_version(cast.team, tasks), cast.alice)
    attempt = make_attempt(run, "fetch", provenance=PROVENANCE | {"secrets": {"api-key": None}})
    recorder.record_pending()
    assert ("secret-unversioned", "api-key") in {(gap["code"], gap["about"]) for gap in attempt.record.gaps}


def test_a_lost_attempt_names_everything_that_is_not_known(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    lost = make_attempt(run, "ingest", "lost", code_sha256="", environment_sha256="")
    expected = {"environment-not-captured", "hardware-not-captured", "seeds-not-captured", "outcome-unknown"}
    assert gaps_of(lost) == expected
    assert lost.record.grade == "D"


def test_code_without_a_hash_is_a_gap(cast: Cast) -> None:
    tasks = [task("check", "check")]
    run = make_run(make_version(cast.team, tasks), cast.alice)
    assert gaps_of(make_attempt(run, "check", code_sha256="")) == {"code-not-captured"}


def test_other_code_than_the_run_was_started_with_is_a_gap(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    assert gaps_of(make_attempt(run, "ingest", code_sha256="f" * 64)) == {"code-differs"}


def test_packages_known_by_their_lock_alone_are_a_gap(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    said = {key: value for key, value in PROVENANCE.items() if key != "packages"}
    assert gaps_of(make_attempt(run, "ingest", provenance=said)) == {"packages-not-captured"}


def test_an_outside_input_with_a_weak_token_is_two_gaps(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    attempt = make_attempt(run, "ingest")
    AttemptInput.objects.create(attempt=attempt, name="source", token="12:00", strength="weak")
    assert gaps_of(attempt) == {"input-not-catalogued", "weak-input"}


def test_inline_code_is_kept_with_its_hash(cast: Cast) -> None:
    tasks = [task("say", "shell", config={"run": "echo hello"})]
    run = make_run(make_version(cast.team, tasks), cast.alice)
    attempt = make_attempt(run, "say", code_sha256="")
    recorder.record_pending()
    assert attempt.record.code is not None
    assert attempt.record.code.source == "echo hello"
    assert attempt.record.code.bundle_sha256


def test_the_number_of_queries_does_not_grow_with_the_batch(cast: Cast) -> None:
    version = make_version(cast.team)

    def queries(runs: int) -> int:
        for _ in range(runs):
            make_trained(version, cast.alice)
        with CaptureQueriesContext(connection) as captured:
            assert recorder.record_pending() == 3 * runs
        return len(captured)

    queries(1)
    assert queries(2) == queries(12) <= 26


def test_an_attempt_that_cannot_be_recorded_holds_up_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    bad = make_attempt(run, "ingest")
    good = make_attempt(run, "ingest")
    real = documents.sheet

    def failing(found: object, fingerprints: object) -> object:
        if found.id == bad.id:  # type: ignore[attr-defined]
            raise ValueError("unreadable")
        return real(found, fingerprints)  # type: ignore[arg-type]

    monkeypatch.setattr(recorder, "sheet", failing)
    assert recorder.record_pending() == 1
    assert Record.objects.get().attempt_id == good.id
    assert recorder.pending(0, 10) == [bad.id]


def test_the_mark_moves_up_to_the_first_attempt_without_a_record(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    done = make_attempt(run, "ingest", "failed")
    recorder.record_pending()
    running = make_attempt(run, "train", "running", finished_at=None)
    recorder.advance_mark()
    assert RecorderMark.objects.get().attempt_id == running.id - 1 >= done.id
    make_attempt(run, "evaluate")
    assert recorder.record_pending() == 1


@pytest.mark.parametrize("table", ["record", "use", "artifact", "content", "code_ref", "parameter_set"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.django_db(transaction=True)
def test_what_is_recorded_is_refused_any_change_even_to_the_owner(
    cast: Cast, servers: Servers, table: str, change: str
) -> None:
    make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    statement = sql.SQL(change).format(sql.Identifier(table))
    with servers.owner() as owner, pytest.raises(Exception, match="never changed"):
        owner.execute(statement)


def test_a_sealed_record_takes_no_further_use(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    artifact = Artifact.objects.get(uuid=made.model.uuid)
    with pytest.raises(IntegrityError, match="no further uses"), transaction.atomic():
        Use.objects.create(record=made.ingest.record, artifact=artifact, direction=0, slot="late")


def test_an_artifact_has_one_producer(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    use = Use.objects.get(artifact__uuid=made.model.uuid, direction=WROTE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Use.objects.create(record=use.record, artifact=use.artifact, direction=WROTE, slot="again")


@pytest.mark.django_db(transaction=True)
def test_recording_into_an_emptied_catalogue_gives_the_same_digests(cast: Cast, servers: Servers) -> None:
    make_trained(make_version(cast.team), cast.alice)
    make_attempt(make_run(make_version(cast.team), cast.alice), "ingest", "lost")
    recorder.record_pending()
    before = dict(Record.objects.values_list("uuid", "digest"))
    with servers.owner() as owner:
        owner.execute("SET session_replication_role = replica")
        for table in LINEAGE_TABLES:
            owner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    assert Record.objects.count() == 0
    recorder.record_pending()
    assert dict(Record.objects.values_list("uuid", "digest")) == before


def test_a_no_op_attempt_costs_less_than_a_millisecond_of_python(cast: Cast) -> None:
    """In the best of three rounds: what runs beside it takes caches and turbo from the others."""
    version = make_version(cast.team, [task("noop")])
    rounds = []
    for _ in range(3):
        make_many(make_run(version, cast.alice), 400)
        begin = time.process_time()
        assert recorder.record_pending() == 400
        rounds.append((time.process_time() - begin) / 400)
    assert min(rounds) < 0.001, rounds


def make_many(run: Run, number: int) -> None:
    """Attempts that failed one after the other, without inputs or outputs, in one environment."""
    facts, _ = CapturedFact.objects.get_or_create(
        sha256="e" * 64, defaults={"kind": "environment", "body": PROVENANCE}
    )
    said = {"params": {}, "environment": facts.sha256}
    first = make_attempt(run, "noop", "failed", lease=make_lease(), provenance=said)
    same = {
        field.attname: getattr(first, field.attname)
        for field in Attempt._meta.concrete_fields
        if field.attname not in ("id", "uuid", "no")
    }
    Attempt.objects.bulk_create(Attempt(**same, no=no) for no in range(2, number + 1))


def test_captured_facts_that_an_attempt_names_by_digest_are_its_surroundings(cast: Cast) -> None:
    run = make_run(make_version(cast.team, [task("noop")]), cast.alice)
    make_many(run, 2)
    recorder.record_pending()
    for record in Record.objects.select_related("environment", "hardware"):
        assert record.environment is not None
        assert record.environment.packages == PROVENANCE["packages"]
        assert record.hardware is not None
        assert record.hardware.facts == PROVENANCE["hardware"]
        assert record.seeds == PROVENANCE["seeds"]


def test_work_goes_first_but_not_for_ever(cast: Cast) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    make_attempt(run, "ingest", finished_at=BEGIN)
    ready = run.task_runs.filter(key="train")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL orchestrator.clock = '2026-03-01 12:00:10+00'")
        ready.update(state="ready", ready_at=BEGIN)
        assert recorder.lag() == 10
        assert recorder.record_politely() == 0
        cursor.execute("SET LOCAL orchestrator.clock = '2026-03-01 12:00:40+00'")
        assert recorder.record_politely() == 1
        assert recorder.lag() == 0


def test_records_give_way_to_work_that_comes_meanwhile(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    for _ in range(2):
        make_attempt(run, "ingest", finished_at=EngineNow())
    monkeypatch.setattr(recorder, "POLITE_BATCH", 1)
    write = recorder.record

    def work_comes(attempts: Collection[int]) -> int:
        run.task_runs.filter(key="train").update(state="ready", ready_at=EngineNow())
        return write(attempts)

    monkeypatch.setattr(recorder, "record", work_comes)
    assert recorder.record_politely() == 1
    assert recorder.record_politely() == 0


def test_one_that_cannot_be_recorded_is_tried_once_however_small_the_batches_are(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    first, *others = [make_attempt(run, "ingest", finished_at=EngineNow()) for _ in range(4)]
    monkeypatch.setattr(recorder, "POLITE_BATCH", 1)
    write, tried = recorder.record, []

    def refused(attempts: Collection[int]) -> int:
        tried.append(list(attempts))
        if first.pk in attempts:
            raise ValueError("there is something wrong with it")
        return write(attempts)

    monkeypatch.setattr(recorder, "record", refused)
    assert recorder.record_politely() == len(others)
    assert tried == [[attempt.pk] for attempt in (first, *others)]


def test_when_no_task_waits_records_are_written_at_once(cast: Cast) -> None:
    make_attempt(make_run(make_version(cast.team), cast.alice), "ingest")
    assert recorder.record_politely() == 1
