"""The audit chain: each row bound to the one before it, and nobody changes one."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from pipelines import audit
from pipelines.models import AuditEvent, AuditPayload, Team, User
from tests.factories import make_team, make_user
from tests.planning import analyze
from tests.servers import Servers

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def write(actor: User, team: Team | None, verb: str = "thing.change", **payload: object) -> AuditEvent:
    with transaction.atomic():
        event = audit.write(actor, verb, team, payload, team=team)
    event.refresh_from_db()
    return event


def chain_of(team: Team) -> str:
    return f"team:{team.uuid}"


@db
def test_rows_of_a_team_follow_each_other() -> None:
    actor, team = make_user(), make_team()
    first, second = write(actor, team, a=1), write(actor, team, a=2)
    assert (first.seq, second.seq) == (1, 2)
    assert first.prev_hash == "0" * 64
    assert second.prev_hash == first.hash
    assert audit.verify(chain_of(team)).valid


@db
def test_each_team_has_its_own_chain_and_so_has_the_site() -> None:
    actor, one, other = make_user(), make_team(), make_team()
    rows = [write(actor, one), write(actor, other), write(actor, None)]
    assert [row.seq for row in rows[:2]] == [1, 1]
    assert rows[2].chain == "site"
    assert set(audit.chains()) >= {chain_of(one), chain_of(other), "site"}


@db
def test_the_hash_can_be_made_again_by_anybody_from_what_the_row_says() -> None:
    actor, team = make_user("alice"), make_team("alpha")
    row = write(actor, team, 'say.“hi”\n\t\\"', a=1)
    said = [
        "audit-1", row.chain, row.seq, row.prev_hash, str(row.uuid), row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        str(team.uuid), "alice", None, row.verb, "team", str(team.uuid), "alpha", row.payload_sha256,
    ]  # fmt: skip
    text = json.dumps(said, ensure_ascii=False, separators=(", ", ": "))
    assert hashlib.sha256(text.encode()).hexdigest() == row.hash


@db
def test_place_time_and_hash_are_the_databases_not_the_writers() -> None:
    team = make_team()
    row = AuditEvent.objects.create(
        team=team, chain="site", seq=99, prev_hash="x", hash="y", actor_name="mallory", verb="v",
        object_kind="team", object_name="", payload_sha256="z",
    )  # fmt: skip
    row.refresh_from_db()
    assert (row.chain, row.seq, row.prev_hash, row.payload_sha256) == (chain_of(team), 1, "0" * 64, "")
    assert audit.verify(chain_of(team)).valid


@db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET verb = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_payload SET sha256 = 'x'",
        "UPDATE audit_payload SET body = '{}'",
        "DELETE FROM audit_payload",
    ],
)
def test_the_application_cannot_change_a_row(statement: str) -> None:
    write(make_user(), make_team(), a=1)
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)


@committed
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET verb = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event CASCADE",
        "UPDATE audit_payload SET body = '{}'",
        "DELETE FROM audit_payload",
        "TRUNCATE audit_payload CASCADE",
    ],
)
def test_not_even_the_owner_of_the_tables_changes_a_row(servers: Servers, statement: str) -> None:
    import psycopg

    write(make_user(), make_team(), a=1)
    with servers.owner() as owner, pytest.raises(psycopg.Error, match="never changed"):
        owner.execute(statement)


@db
def test_a_payload_can_be_erased_and_the_chain_still_holds() -> None:
    team = make_team()
    row = write(make_user(), team, said="something personal")
    assert audit.payload_of(row) == {"said": "something personal"}
    audit.erase(row)
    row = AuditEvent.objects.select_related("payload").get(pk=row.pk)
    assert audit.payload_of(row) is None
    assert row.payload is not None
    assert row.payload.erased_at is not None
    assert audit.verify(chain_of(team)).valid


@db
def test_equal_payloads_have_different_hashes_so_an_erased_one_cannot_be_guessed() -> None:
    actor, team = make_user(), make_team()
    assert write(actor, team, a=1).payload_sha256 != write(actor, team, a=1).payload_sha256


@db
@pytest.mark.parametrize("value", [1.0, 1e22, -0.0, 10**30, "ü\u2028", [1, [2]], {"b": 1, "a": 2}, None])
def test_any_json_is_hashed_as_it_is_stored(value: object) -> None:
    team = make_team()
    write(make_user(), team, value=value)
    assert audit.verify(chain_of(team)).valid


@db
def test_a_payload_holds_times_and_uuids_in_their_written_form() -> None:
    team = make_team()
    row = write(make_user(), team, at=team.created_at or "", id=team.uuid)
    body = audit.payload_of(row)
    assert body is not None
    assert body["id"] == str(team.uuid)


@committed
def test_outside_a_transaction_nothing_is_written() -> None:
    with pytest.raises(TransactionManagementError):
        audit.write(None, "v", None, {}, team=None)
    assert not AuditPayload.objects.exists()


@committed
def test_a_change_that_is_rolled_back_leaves_no_row_and_no_gap() -> None:
    actor, team = make_user(), make_team()
    with transaction.atomic():
        audit.write(actor, "v", team, {}, team=team)
        transaction.set_rollback(True)
    assert write(actor, team).seq == 1


@committed
def test_two_writers_at_once_make_one_chain() -> None:
    actor, team = make_user(), make_team()

    def many() -> None:
        try:
            for _ in range(25):
                write(actor, team)
        finally:
            connection.close()

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = audit.verify(chain_of(team))
    assert verdict.valid
    assert verdict.rows == 100


@committed
def test_an_isolation_level_that_cannot_see_the_last_row_is_refused() -> None:
    team = make_team()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(DatabaseError, match="READ COMMITTED"), transaction.atomic():
            audit.write(None, "v", team, {}, team=team)


@committed
@pytest.mark.parametrize(
    "sabotage, fault",
    [
        ("UPDATE audit_event SET verb = 'forged' WHERE seq = 2", "row 2: its content"),
        ("UPDATE audit_event SET at = at - interval '1 day' WHERE seq = 2", "row 2: its content"),
        ("DELETE FROM audit_event WHERE seq = 2", "row 3: a row before it is missing"),
        ("DELETE FROM audit_event WHERE seq = 1", "row 2: a row before it is missing"),
        ("UPDATE audit_event SET prev_hash = repeat('0', 64) WHERE seq = 2", "row 2: it does not follow"),
        (
            "UPDATE audit_payload p SET body = '{}' FROM audit_event e WHERE payload_id = p.id AND seq = 2",
            "row 2: its payload",
        ),
    ],
)
def test_what_was_forged_past_every_guard_is_found(servers: Servers, sabotage: str, fault: str) -> None:
    actor, team = make_user(), make_team()
    for number in range(3):
        write(actor, team, a=number)
    with servers.owner() as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(sabotage.encode())
    verdict = audit.verify(chain_of(team))
    assert any(found.startswith(fault) for found in verdict.faults), verdict.faults
    with pytest.raises(CommandError, match="does not hold"):
        call_command("audit", "verify", stdout=StringIO())


@db
def test_the_command_says_that_the_chains_hold() -> None:
    team = make_team()
    head = write(make_user(), team).hash
    said = StringIO()
    call_command("audit", "verify", stdout=said)
    assert f"{chain_of(team)}: 1 rows, holds, head {head}" in said.getvalue()
    with pytest.raises(CommandError, match="no chain"):
        call_command("audit", "verify", chain="team:nobody")


@db
def test_writing_stays_quick_in_a_long_transaction() -> None:
    """A row costs the same however many the transaction has written."""

    actor, team = make_user(), make_team()

    def seconds_for(count: int) -> float:
        analyze("audit_event")
        started = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audit_event (uuid, chain, seq, team_id, actor_name, verb, object_kind,"
                " object_name, payload_sha256, prev_hash, hash)"
                " SELECT gen_random_uuid(), '', 0, %s, %s, 'v', 'k', 'n', '', '', ''"
                " FROM generate_series(1, %s)",
                [team.pk, actor.username, count],
            )
        return time.monotonic() - started

    first = seconds_for(500)
    seconds_for(4_000)
    assert seconds_for(500) < max(4 * first, 1.0)  # were it to read what is there, 17 times as much
    assert audit.verify(chain_of(team)).rows == 5_000
