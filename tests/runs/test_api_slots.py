"""Slots and drained workers over the API: what everybody sees, and what is a site admin's to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from pipelines.models import AuditEvent
from runs import slots
from runs.models import Slot, TaskRun, WorkerLease
from tests import factories
from tests.factories import Cast
from tests.runs import making
from tests.runs.making import task
from tests.runs.test_slots import devices

pytestmark = pytest.mark.django_db
SLOTS = "/api/v1/slots/"


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


@pytest.fixture
def admin(people: Cast) -> APIClient:
    person = factories.make_user("root")
    person.is_superuser = True
    person.save()
    return factories.client(person)


def hold(people: Cast, count: int, free: int = 0, host: str = "h1") -> None:
    """A host on which ``count`` tasks hold a GPU each, and some are free."""
    wanting: dict[str, Any] = {"queue": "gpu", "resources": {"memory": None, "gpu": 1}}
    tasks = [task(f"t{number}", **wanting) for number in range(count)]
    making.start(making.make_version(people.team, people.alice, tasks), people.alice)
    for _ in range(count):
        lease = making.make_lease("gpu")
        WorkerLease.objects.filter(pk=lease.pk).update(host=host)
        slots.register(lease.uuid, devices(host, count + free))
        making.claim(lease)


def results(who: APIClient, path: str = SLOTS) -> list[dict[str, Any]]:
    answer = who.get(path)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_a_slot_says_which_it_is_and_who_holds_it(people: Cast) -> None:
    hold(people, 1, free=1)
    first, second = results(factories.client(people.alice))
    assert (first["kind"], first["host"], first["device"]) == ("gpu", "h1", "GPU-h1-0")
    assert (first["name"], first["memory_mib"], first["state"]) == ("NVIDIA H100 80GB HBM3", 81559, "held")
    assert (first["holder"]["task"], first["holder"]["number"]) == ("t0", 1)
    assert (second["state"], second["holder"]) == ("free", None)


def test_who_may_not_see_the_run_sees_only_that_the_slot_is_held(people: Cast) -> None:
    hold(people, 1)
    (row,) = results(factories.client(factories.make_user("stranger")))
    assert (row["state"], row["holder"]) == ("held", None)


def test_what_a_slot_is_reserved_for_and_that_it_is_withdrawn_is_said(people: Cast) -> None:
    hold(people, 1, free=2)
    Slot.objects.filter(position=1).update(reserved_for=TaskRun.objects.get())
    Slot.objects.filter(position=2).update(withdrawn_at="2026-01-01T00:00:00Z")
    _, reserved, withdrawn = results(factories.client(people.alice))
    assert (reserved["state"], reserved["reserved_for"]["task"]) == ("reserved", "t0")
    assert (withdrawn["state"], withdrawn["withdrawn_at"]) == ("withdrawn", "2026-01-01T00:00:00Z")


def test_a_kind_or_a_host_can_be_asked_for(people: Cast, admin: APIClient) -> None:
    hold(people, 1)
    assert admin.put(f"{SLOTS}pools/licence/", {"units": 2}, format="json").json() == {
        "kind": "licence",
        "units": 2,
    }
    assert [row["device"] for row in results(admin, f"{SLOTS}?kind=licence")] == ["1", "2"]
    assert [row["device"] for row in results(admin, f"{SLOTS}?host=h1")] == ["GPU-h1-0"]


def test_a_pool_with_a_bad_name_or_size_is_refused_in_words(admin: APIClient) -> None:
    answer = admin.put(f"{SLOTS}pools/gpu/", {"units": 2}, format="json")
    assert (answer.status_code, "registered by the workers" in answer.json()["detail"]) == (422, True)
    assert admin.put(f"{SLOTS}pools/seat/", {"units": -1}, format="json").status_code == 422


def test_slots_cost_the_same_however_many_are_held(people: Cast) -> None:
    who = factories.client(people.alice)

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            results(who)
        return len(seen)

    hold(people, 2)
    few = count()
    hold(people, 8, host="h2")
    assert count() == few <= 6


def test_the_page_of_a_task_says_what_each_attempt_held(people: Cast) -> None:
    hold(people, 1)
    answer = factories.client(people.alice).get(f"/api/v1/task-runs/{TaskRun.objects.get().uuid}/")
    (attempt,) = answer.json()["attempts"]
    assert [row["device"] for row in attempt["slots"]] == ["GPU-h1-0"]


def test_a_worker_is_drained_once_and_the_audit_trail_says_by_whom(admin: APIClient) -> None:
    lease = making.make_lease()
    where = f"/api/v1/workers/{lease.uuid}/drain/"
    assert [admin.post(where).json()["state"] for _ in range(2)] == ["draining", "draining"]
    (event,) = AuditEvent.objects.filter(verb="worker.drain")
    assert (event.actor_name, event.object_name) == ("root", lease.worker)


def test_a_worker_that_has_gone_cannot_be_drained(admin: APIClient) -> None:
    lease = making.make_lease()
    WorkerLease.objects.filter(pk=lease.pk).update(state="closed", closed_at="2026-01-01T00:00:00Z")
    assert admin.post(f"/api/v1/workers/{lease.uuid}/drain/").status_code == 404
