from __future__ import annotations

import pytest
from psycopg import sql

from lineage import queries, recorder, seals
from lineage.models import Record, RecordSeal
from pipelines import audit
from pipelines.canonical import digest
from pipelines.models import AuditEvent
from tests.factories import Cast, make_cast
from tests.lineage.factories import make_attempt, make_run, make_trained, make_version
from tests.servers import Servers


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def test_a_batch_is_one_row_on_the_chain_of_its_team(cast: Cast) -> None:
    make_trained(make_version(cast.team), cast.alice)
    make_attempt(make_run(make_version(cast.others), cast.charlie), "ingest")
    recorder.record_pending()
    rows = AuditEvent.objects.filter(verb="record.seal")
    assert {(row.team, row.object_name, row.actor_name) for row in rows} == {
        (cast.team, "3 records", "system"),
        (cast.others, "1 record", "system"),
    }
    assert RecordSeal.objects.count() == Record.objects.count() == 4


def test_every_record_leads_to_the_root_on_its_chain(cast: Cast) -> None:
    make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    assert [seals.faults(record) for record in Record.objects.all()] == [[], [], []]
    assert all(audit.verify(chain).valid for chain in audit.chains())


@pytest.mark.django_db(transaction=True)
def test_a_record_that_somebody_changed_behind_all_locks_is_noticed(servers: Servers) -> None:
    cast = make_cast()
    made = make_trained(make_version(cast.team), cast.alice)
    recorder.record_pending()
    record = made.train.record
    with servers.owner() as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(sql.SQL("UPDATE record SET actor = 'mallory' WHERE id = {}").format(record.pk))
    assert seals.faults(Record.objects.get(pk=record.pk)) == ["its facts do not have its digest"]
    forged = digest(queries.record_document_of(Record.objects.get(pk=record.pk)))
    with servers.owner() as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(sql.SQL("UPDATE record SET digest = {} WHERE id = {}").format(forged, record.pk))
    assert seals.faults(Record.objects.get(pk=record.pk)) == [
        "its digest does not lead to the root on the audit chain"
    ]
