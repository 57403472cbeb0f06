"""The recorder beside itself and beside the engine, on connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from lineage import recorder
from lineage.models import Artifact, Content, Record, Use
from runs.models import Run
from tests.factories import make_cast
from tests.lineage.factories import make_attempt, make_run, make_trained, make_version, output_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give, each in a thread with a connection of its own; raises what one of them raises."""
    results: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def test_recorders_at_the_same_time_write_each_record_once() -> None:
    cast = make_cast()
    version = make_version(cast.team)
    for _ in range(6):
        make_trained(version, cast.alice)
    done = at_once(*[recorder.record_pending] * 4)
    assert sum(done) == Record.objects.count() == 18
    assert not Record.objects.filter(sealed_at=None).exists()
    assert Use.objects.count() == 6 * 7
    assert Artifact.objects.count() == 6 * 4


def test_a_reader_waits_for_the_record_of_its_producer_that_somebody_else_writes() -> None:
    cast = make_cast()
    made = make_trained(make_version(cast.team), cast.alice)
    began, go_on = threading.Event(), threading.Event()

    def first() -> int:
        with transaction.atomic():
            count = recorder.record([made.ingest.id])
            began.set()
            go_on.wait(10)
            return count

    def second() -> int:
        began.wait(10)
        threading.Timer(0.3, go_on.set).start()
        return recorder.record([made.train.id])

    assert at_once(first, second) == [1, 1]
    table = output_of(made.ingest, "table")
    assert Use.objects.filter(artifact__uuid=table.uuid).count() == 2


def test_recording_does_not_wait_for_a_run_that_the_engine_holds() -> None:
    cast = make_cast()
    run = make_run(make_version(cast.team), cast.alice)
    make_attempt(run, "ingest", outputs={"table": b"x"})
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)

        def impatient() -> int:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
            return recorder.record_pending()

        assert at_once(impatient) == [1]
    assert Content.objects.count() == 1


def test_the_command_catches_up(capsys: pytest.CaptureFixture[str]) -> None:
    cast = make_cast()
    make_trained(make_version(cast.team), cast.alice)
    call_command("record")
    assert capsys.readouterr().out == "3 recorded; 0 could not be.\n"
