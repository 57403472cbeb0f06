"""The limits of a queue: as people write them, which of them holds, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import Invalid
from pipelines.models import AuditEvent
from runs import limits, queues
from runs.models import Queue
from tests.factories import make_user

GIB = 1024**3


def test_where_nothing_is_said_the_defaults_hold() -> None:
    found = limits.of_task({})
    assert (found.processes, found.open_files, found.timeout) == (1_000, 4_096, 7 * 86_400.0)
    assert found.disk == 50 * GIB
    assert found.memory == limits.default_memory() <= 2 * GIB


def test_the_queue_goes_before_the_defaults_and_the_task_before_its_queue() -> None:
    of_queue = {"memory": "4Gi", "disk": "1Gi", "processes": "7", "open_files": 64, "timeout": "1.5h"}
    assert limits.of_task(of_queue) == limits.Limits(4 * GIB, GIB, 7, 64, 5400.0)
    assert limits.of_task(of_queue, memory=GIB).memory == GIB


@pytest.mark.parametrize(
    "name, value",
    [
        ("memory", "4 GB"),
        ("memory", "1Ki"),
        ("disk", -1),
        ("processes", "many"),
        ("processes", 0),
        ("processes", True),
        ("open_files", 3),
        ("timeout", "soon"),
        ("timeout", "1ms"),
        ("cores", 3),
        ("memory", ["4Gi"]),
        ("memory", {"4Gi": 1}),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(Invalid, match=name) as refused:
        limits.check({name: value, "disk": "1Gi"} | {name: value})
    assert refused.value.errors[0][0] == name


def test_limits_are_told_in_words() -> None:
    words = limits.in_words({"disk": "20Gi"})
    assert "disk 20 GiB" in words
    assert "open files 4,096 (default)" in words
    assert "timeout 7d (default)" in words


@pytest.mark.django_db
def test_the_limits_of_a_queue_are_set_once_and_audited() -> None:
    root = make_user("root", is_superuser=True)
    queue = queues.make("big", actor=root)
    assert queues.set_limits(queue, {"disk": "20Gi", "processes": "", "timeout": None}, actor=root)
    assert not queues.set_limits(queue, {"disk": "20Gi"}, actor=root)
    assert Queue.objects.get(slug="big").limits == {"disk": "20Gi"}
    row = AuditEvent.objects.get(verb="queue.limits")
    assert row.payload is not None
    assert row.payload.body is not None
    assert (row.payload.body["before"], row.payload.body["limits"]) == ({}, {"disk": "20Gi"})
    with pytest.raises(Invalid, match="disk"):
        queues.set_limits(queue, {"disk": "plenty"}, actor=root)
