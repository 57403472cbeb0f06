"""What is old goes by whole partitions; logs are read from the store afterwards, as they were."""

from __future__ import annotations

import gzip
import threading
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from rest_framework.test import APIClient

from lineage import retention as bytes_of
from pipelines.models import User
from pipelines.store import configured
from runs import chores, invariants, log_archives, logs, metrics, protocol, queries, retention
from runs.models import Attempt, Chore, DroppedPartition, LogArchive, LogChunk, Run, RunEvent, WorkerLease
from runs.retention import EVENTS, LOGS, SIZE, Done
from tests.runs import making
from tests.runs.factories import Hands, make_run
from tests.runs.interleavings.meeting import Other
from tests.servers import Servers

pytestmark = pytest.mark.django_db(transaction=True)
YEARS = 800  # days


@pytest.fixture(autouse=True)
def old_world(
    transactional_db: None, servers: Servers, settings: LazySettings, tmp_path: Path
) -> Iterator[psycopg.Connection]:
    """A store, and what may be done to the past; afterwards every partition is there again."""
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "STORE": str(tmp_path / "store")}
    with servers.owner() as owner:
        owner.execute("SELECT ensure_run_partitions(0)")
        yield owner
        owner.execute("SELECT ensure_run_partitions(0)")
        owner.execute("SELECT setval('run_id_seq', greatest((SELECT max(id) FROM run) % 100000, 1000))")


def grow_old(owner: psycopg.Connection, days: int = YEARS) -> None:
    """Everything that there is happened so long ago, in a partition that is full."""
    owner.execute("SELECT setval('run_id_seq', 100000)")
    make_run("next")
    owner.execute("SET session_replication_role = replica")
    for sql in (
        "UPDATE run SET finished_at = finished_at - make_interval(days => %s), "
        "created_at = created_at - make_interval(days => %s)",
        "UPDATE worker_lease SET closed_at = closed_at - make_interval(days => %s), "
        "started_at = started_at - make_interval(days => %s)",
    ):
        owner.execute(sql, [days, days])
    owner.execute("SET session_replication_role = origin")


def ended_run(*bodies: bytes, state: str = "succeeded") -> tuple[Run, Attempt]:
    """A run of one task that said this and ended."""
    run = make_run("only")
    hands = Hands()
    assert hands.claim() == "only"
    attempt = Attempt.objects.get(run=run)
    making.say(attempt, *bodies)
    hands.end("only", state)
    run.refresh_from_db()
    attempt.refresh_from_db()
    return run, attempt


def pages(attempt: Attempt, limit: int = 1000) -> list[str]:
    """The log as a page reads it."""
    found: list[str] = []
    while True:
        page = logs.read(attempt, len(found), limit)
        found += page.lines
        if page.next >= page.total:
            assert page.complete
            return found


def downloaded(attempt: Attempt) -> bytes:
    seq, body = 0, b""
    while (part := logs.part(attempt, seq)) is not None:
        seq, more = part
        body += more
    return body


# --- what goes ------------------------------------------------------------------------------------------


def test_events_and_logs_of_old_runs_are_dropped_and_the_run_stays(old_world: psycopg.Connection) -> None:
    run, attempt = ended_run(b"one\n", b"two\n")
    grow_old(old_world)
    assert [(found.table, found.first) for found in retention.due()] == [(LOGS, 0), (EVENTS, 0)]
    assert retention.carry_out() == Done(archived=1, dropped=2)
    assert not RunEvent.objects.filter(run_id=run.pk).exists()
    assert not LogChunk.objects.filter(run_id=run.pk).exists()
    gone = DroppedPartition.objects.order_by("table_name").values_list("table_name", "first_run", "end_run")
    assert list(gone) == [(LOGS, 0, SIZE), (EVENTS, 0, SIZE)]
    assert Run.objects.get(pk=run.pk).state == "succeeded"
    assert pages(attempt) == ["one", "two"]
    assert invariants.check_all() == {}
    assert retention.due() == []
    assert retention.carry_out() == Done()


def test_logs_go_earlier_than_events(old_world: psycopg.Connection) -> None:
    run, attempt = ended_run(b"one\n")
    grow_old(old_world, days=100)
    assert retention.carry_out() == Done(archived=1, dropped=1)
    assert RunEvent.objects.filter(run_id=run.pk).count() == run.last_seq
    assert pages(attempt) == ["one"]


@pytest.mark.parametrize(
    "keeps",
    [
        "UPDATE run SET finished_at = engine_now() WHERE id < 100000",
        "UPDATE run SET finished_at = NULL WHERE id < 100000",
        "UPDATE run SET created_at = engine_now() WHERE id >= 100000",
    ],
    ids=["a run that ended lately", "a run that has not ended", "a partition that was filled lately"],
)
def test_one_run_keeps_its_whole_partition(old_world: psycopg.Connection, keeps: str) -> None:
    run, _ = ended_run(b"one\n")
    grow_old(old_world)
    old_world.execute("SET session_replication_role = replica")
    old_world.execute(keeps)
    assert retention.due() == []
    # The owner's function looks for itself, whoever asks it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT drop_run_partition('run_event', 0, engine_now())")
        assert cursor.fetchone()[0] in ("open", "filling")
    assert RunEvent.objects.filter(run_id=run.pk).exists()


def test_zero_days_keep_everything(old_world: psycopg.Connection, settings: LazySettings) -> None:
    ended_run(b"one\n")
    grow_old(old_world)
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "EVENT_DAYS": 0, "LOG_DAYS": 0, "LEASE_DAYS": 0}
    assert retention.carry_out() == Done()


def test_the_application_cannot_drop_what_is_younger_than_a_day(old_world: psycopg.Connection) -> None:
    ended_run(b"one\n")
    grow_old(old_world, days=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT drop_run_partition('run_event', 0, engine_now() + interval '1 year')")
        assert cursor.fetchone() == ("filling",)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE run_event_0",
        "DELETE FROM run_event",
        "DELETE FROM worker_lease",
        "DELETE FROM log_archive",
    ],
)
def test_the_application_removes_nothing_by_itself(statement: str) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_log_that_was_not_copied_keeps_its_partition(old_world: psycopg.Connection) -> None:
    ended_run(b"one\n")
    grow_old(old_world)
    with connection.cursor() as cursor:
        cursor.execute("SELECT drop_run_partition('log_chunk', 0, engine_now() - interval '2 days')")
        assert cursor.fetchone() == ("unarchived",)


def test_logs_are_read_and_written_while_a_partition_is_looked_through(
    old_world: psycopg.Connection, servers: Servers
) -> None:
    ended_run(b"one\n")
    grow_old(old_world)
    with servers.owner() as holder:
        holder.autocommit = False
        holder.execute("LOCK TABLE log_archive IN ACCESS EXCLUSIVE MODE")
        looking = Other(lambda: retention._drop(retention.Partition(LOGS, 0, 0), Done()))
        looking.start()
        assert looking.waits()
        old_world.execute("SET lock_timeout = '100ms'")
        assert old_world.execute("SELECT count(*) FROM log_chunk").fetchone() == (1,)
        with old_world.transaction():
            old_world.execute("LOCK TABLE log_chunk_0 IN ROW EXCLUSIVE MODE")
        holder.rollback()
        looking.answer()


def test_a_partition_that_somebody_reads_is_left_for_later(
    old_world: psycopg.Connection, servers: Servers
) -> None:
    run, _ = ended_run(b"one\n")
    grow_old(old_world)
    with servers.owner() as reader:
        reader.autocommit = False
        reader.execute("SELECT count(*) FROM run_event")
        done = retention.carry_out()
        reader.rollback()
    assert (done.dropped, done.unfinished) == (1, True)
    assert RunEvent.objects.filter(run_id=run.pk).exists()
    assert retention.carry_out() == Done(dropped=1)


def test_two_rounds_at_once_do_what_one_does(old_world: psycopg.Connection) -> None:
    attempts = [ended_run(b"one\n")[1] for _ in range(5)]
    grow_old(old_world)
    found: list[Done] = []

    def one_round() -> None:
        try:
            found.append(retention.carry_out())
        finally:
            connection.close()

    threads = [threading.Thread(target=one_round) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(done.dropped for done in found) == 2
    assert LogArchive.objects.count() == 5
    assert [pages(attempt) for attempt in attempts] == [["one"]] * 5


# --- logs in the store ----------------------------------------------------------------------------------


def test_a_long_log_is_the_same_before_and_after(old_world: psycopg.Connection) -> None:
    """Lines that end with a chunk, go on in the next, are longer than one, and a last one without an end."""
    bodies = [b"x" * 65_535 + b"\n", b"y" * 65_536, b"y" * 10 + b"\nshort\n"]
    bodies += [(f"line {n} " + "z" * 500 + "\n").encode() * 120 for n in range(40)]
    bodies += [b"\xff\xfe no text\nthe end"]
    _, attempt = ended_run(*bodies)
    before = pages(attempt), downloaded(attempt), logs.tail(attempt, 3), logs.read(attempt, 2000, 5)
    counted = queries.log_lines([attempt.pk], attempt.run_id)
    grow_old(old_world)
    retention.carry_out()
    assert (pages(attempt), downloaded(attempt), logs.tail(attempt, 3), logs.read(attempt, 2000, 5)) == before
    assert len(LogArchive.objects.get().members) > 2
    assert (
        queries.log_lines([attempt.pk], attempt.run_id)[attempt.pk] - counted[attempt.pk] == 1
    )  # the open one


def test_what_lies_in_the_store_is_one_gzip_named_by_the_attempt(old_world: psycopg.Connection) -> None:
    _, attempt = ended_run(*[b"word\n" * 10_000] * 20)
    grow_old(old_world)
    retention.carry_out()
    kept = LogArchive.objects.get(attempt=attempt)
    with configured.store() as store:
        stored = store.read(kept.sha256)
        assert bytes.fromhex(kept.sha256) in bytes_of.referenced(store)
    assert gzip.decompress(stored) == b"word\n" * 200_000
    assert f"{attempt.uuid}.log".encode() in stored[:100]


def test_an_attempt_that_said_nothing_needs_no_copy(old_world: psycopg.Connection) -> None:
    _, attempt = ended_run()
    grow_old(old_world)
    assert retention.carry_out() == Done(dropped=2)
    assert (pages(attempt), downloaded(attempt)) == ([], b"")


def test_a_round_that_was_interrupted_goes_on_where_it_was(
    old_world: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = [ended_run(b"one\n")[1] for _ in range(3)]
    grow_old(old_world)
    archive = log_archives.archive
    count = 0

    def failing(*given: Any) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError("no space left")
        archive(*given)

    monkeypatch.setattr(log_archives, "archive", failing)
    with pytest.raises(OSError, match="no space left"):
        retention.carry_out()
    assert LogChunk.objects.count() == 3
    monkeypatch.undo()
    retention.carry_out()
    assert LogArchive.objects.count() == 3
    assert [pages(attempt) for attempt in attempts] == [["one"]] * 3


def test_a_log_in_a_store_that_is_away_says_so(
    old_world: psycopg.Connection, settings: LazySettings, tmp_path: Path
) -> None:
    _, attempt = ended_run(b"one\n")
    grow_old(old_world)
    retention.carry_out()
    away = {"STORE": "s3://bucket/x?endpoint=http://127.0.0.1:1", "STORE_CACHE": tmp_path / "copies"}
    keys = {"STORE_ACCESS_KEY": "a", "STORE_SECRET_KEY": "b"}
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, **away, **keys}
    with pytest.raises(logs.LogAway, match="This log lies in the store, which cannot be used now"):
        logs.read(attempt, 0, 10)


async def _joined(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


def test_the_api_shows_the_log_and_says_that_the_events_are_gone(old_world: psycopg.Connection) -> None:
    run, attempt = ended_run(b"one\n", b"two")
    grow_old(old_world)
    retention.carry_out()
    assert run.requested_by is not None
    User.objects.filter(pk=run.requested_by.pk).update(is_superuser=True)
    client = APIClient()
    client.force_login(run.requested_by)
    log = client.get(f"/api/v1/attempts/{attempt.uuid}/log/").json()
    assert (log["lines"], log["total"], log["complete"]) == (["one", "two"], 2, True)
    whole: Any = client.get(f"/api/v1/attempts/{attempt.uuid}/log/download")
    assert async_to_sync(_joined)(whole.streaming_content) == b"one\ntwo"
    events = client.get(f"/api/v1/runs/{run.uuid}/events/")
    assert (events.status_code, events.json()["code"]) == (404, "events-removed")
    assert "The events of this run were removed on " in events.json()["detail"]
    plan = client.get(f"/api/v1/runs/{run.uuid}/resume-plan/").json()
    assert plan["allowed"] is False


# --- what it means for runs ------------------------------------------------------------------------------


def test_a_run_without_its_events_cannot_be_resumed_and_is_told_what_to_do(
    old_world: psycopg.Connection,
) -> None:
    run, _ = ended_run(b"one\n", state="failed")
    assert run.requested_by is not None
    assert queries.why_not_resumable(run) is None
    grow_old(old_world)
    retention.carry_out()
    assert queries.why_not_resumable(run) == retention.TOO_OLD
    with pytest.raises(protocol.Refused, match="Start a rerun"):
        protocol.resume_run(run.pk, actor=run.requested_by)
    assert Run.objects.get(pk=run.pk).state == "failed"


def test_a_resume_under_way_keeps_the_partition(old_world: psycopg.Connection) -> None:
    run, _ = ended_run(b"one\n", state="failed")
    assert run.requested_by is not None
    grow_old(old_world)
    found: list[Done] = []

    def one_round() -> None:
        try:
            found.append(retention.carry_out())
        finally:
            connection.close()

    with transaction.atomic():
        protocol.resume_run(run.pk, actor=run.requested_by)
        thread = threading.Thread(target=one_round)
        thread.start()
        thread.join(6)
    thread.join(30)
    assert found[0].dropped == 0
    assert Run.objects.get(pk=run.pk).state == "running"
    assert "only" in Hands().work_off()
    assert invariants.check_all() == {}


# --- leases ---------------------------------------------------------------------------------------------


def test_old_leases_without_attempts_go_in_batches(
    old_world: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_run(b"one\n")  # its worker stays: the attempt names it
    (used,) = WorkerLease.objects.all()
    protocol.move_lease(used.uuid, ("live",), "closed")
    for _ in range(5):
        protocol.move_lease(making.make_lease().uuid, ("live",), "lost")
    grow_old(old_world, days=40)
    young, live = making.make_lease(), making.make_lease()
    protocol.move_lease(young.uuid, ("live",), "closed")
    monkeypatch.setattr(retention, "LEASES", 2)
    assert retention.old_leases() == 5
    assert retention.carry_out().leases == 5
    assert set(WorkerLease.objects.values_list("pk", flat=True)) == {used.pk, young.pk, live.pk}


def test_a_lease_that_has_not_ended_is_deleted_by_nobody(old_world: psycopg.Connection) -> None:
    lease = making.make_lease()
    with pytest.raises(psycopg.errors.IntegrityError, match="has not ended"):
        old_world.execute("DELETE FROM worker_lease WHERE id = %s", [lease.pk])


# --- by hand, by itself, and seen ------------------------------------------------------------------------


def said(*words: str) -> str:
    out = StringIO()
    call_command("retention", *words, stdout=out)
    return out.getvalue()


def test_the_command_lists_and_changes_nothing_until_told(old_world: psycopg.Connection) -> None:
    ended_run(b"one\n")
    grow_old(old_world)
    dry = said()
    assert "Logs of the runs 0 to 99,999 (" in dry
    assert "1 of them to be copied into the store first, would go." in dry
    assert "Nothing was changed: --remove does it." in dry
    assert not DroppedPartition.objects.exists()
    assert "1 logs copied into the store, 2 partitions dropped" in said("--remove")
    assert "Nothing was changed" not in said()


def test_the_command_says_when_something_is_left(old_world: psycopg.Connection, servers: Servers) -> None:
    ended_run(b"one\n")
    grow_old(old_world)
    with servers.owner() as reader:
        reader.autocommit = False
        reader.execute("SELECT count(*) FROM run_event")
        with pytest.raises(CommandError, match="run it again"):
            said("--remove")


def test_the_sweep_asks_for_a_round_only_when_something_is_due(
    old_world: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_run(b"one\n")
    monkeypatch.setattr(retention, "_next_round", 0.0)
    retention.ask()
    assert not Chore.objects.filter(kind=retention.CHORE).exists()
    grow_old(old_world)
    retention.ask()
    assert not Chore.objects.filter(kind=retention.CHORE).exists(), "it asks every ten minutes"
    monkeypatch.setattr(retention, "_next_round", 0.0)
    retention.ask()
    chores.carry_out(Chore.objects.get(kind=retention.CHORE).pk)
    assert Chore.objects.get(kind=retention.CHORE).state == "done"
    assert DroppedPartition.objects.count() == 2


def test_metrics_say_what_there_is_and_what_is_overdue(old_world: psycopg.Connection) -> None:
    ended_run(b"one\n")
    grow_old(old_world)
    text = metrics.text().decode()
    assert "orchestrator_retention_due 2.0" in text
    assert "orchestrator_event_bytes " in text
    assert "orchestrator_log_bytes " in text
