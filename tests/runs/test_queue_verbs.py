"""What site admins do with queues: each verb, what it refuses, and what the engine makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.errors import Conflict, Invalid
from pipelines.models import AuditEvent, User
from runs import protocol, queues
from runs.models import Queue
from tests.factories import Cast, make_cast, make_published, make_user
from tests.runs.factories import Hands

pytestmark = pytest.mark.django_db
SOON = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def root() -> User:
    return make_user("root", is_superuser=True)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def cpu() -> Queue:
    return Queue.objects.get_or_create(slug="cpu")[0]


def verbs() -> list[str]:
    rows = AuditEvent.objects.filter(chain="site", object_kind="queue").order_by("seq")
    return list(rows.values_list("verb", flat=True))


def test_a_queue_is_made_renamed_archived_and_restored_and_each_is_told_once(root: User) -> None:
    queue = queues.make("big", "Large memory", actor=root)
    for act in (
        lambda: queues.rename(queue, "Larger", actor=root),
        lambda: queues.archive(queue, actor=root),
        lambda: queues.restore(queue, actor=root),
    ):
        assert act() is True
        assert act() is False
    assert verbs() == ["queue.create", "queue.rename", "queue.archive", "queue.restore"]
    with pytest.raises(Conflict, match="choose another name"):
        queues.make("big", actor=root)
    with pytest.raises(Invalid):
        queues.make("Big queue", actor=root)


def test_a_paused_queue_hands_out_nothing_until_it_goes_on(cast: Cast, cpu: Queue, root: User) -> None:
    version = make_published(team=cast.team, owner=cast.alice)
    protocol.start_run(version, parameters={}, trigger="manual", requested_by=cast.alice)
    assert queues.pause(cpu, reason="New disks", until=SOON, actor=root)
    assert not queues.pause(cpu, reason="New disks", until=SOON, actor=root)
    hands = Hands()
    assert hands.claim() is None
    assert queues.unpause(cpu, actor=root)
    assert not queues.unpause(cpu, actor=root)
    assert hands.claim() is not None
    assert verbs() == ["queue.pause", "queue.unpause"]


def test_a_pause_that_has_ended_already_is_refused(cpu: Queue, root: User) -> None:
    with pytest.raises(Invalid, match="has passed"):
        queues.pause(cpu, until=datetime(2020, 1, 1, tzinfo=UTC), actor=root)
    cpu.refresh_from_db()
    assert cpu.paused_at is None


def test_a_queue_that_is_needed_is_not_archived(cast: Cast, cpu: Queue, root: User) -> None:
    version = make_published(team=cast.team, owner=cast.alice)
    with pytest.raises(Conflict, match="Tasks of alpha:small wait in cpu"):
        queues.archive(cpu, actor=root)
    protocol.start_run(version, parameters={}, trigger="manual", requested_by=cast.alice)
    type(version.pipeline).objects.update(active_version=None)
    with pytest.raises(Conflict, match="unfinished runs"):
        queues.archive(cpu, actor=root)
    Hands().work_off()
    assert queues.archive(cpu, actor=root)
