from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from runs import slots
from runs.models import Queue
from tests import factories
from tests.factories import Cast, client
from tests.runs import making
from tests.runs.making import task

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


def metrics(who: APIClient) -> dict[str, float]:
    """``name{labels}`` -> value, as a monitoring system reads them."""
    response = who.get("/metrics", headers={"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"})
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_metrics_count_runs_tasks_and_workers(people: Cast) -> None:
    for slug in ("cpu", "gpu"):
        Queue.objects.get_or_create(slug=slug)
    who = client(token=factories.make_token(people.bob))
    before = metrics(who)
    assert (before["orchestrator_runs[running]"], before["orchestrator_workers[cpu]"]) == (0, 0)
    tasks = [task("a"), task("b"), task("g", queue="gpu"), task("ask", "approval")]
    making.start(making.make_version(people.team, people.alice, tasks), people.alice)
    making.claim(making.make_lease())
    after = metrics(who)
    assert after["orchestrator_runs[running]"] == 1
    assert after["orchestrator_runs[queued]"] == 0
    assert after["orchestrator_tasks_runnable[cpu]"] == 1
    assert after["orchestrator_tasks_runnable[gpu]"] == 1
    assert after["orchestrator_tasks_oldest_seconds[gpu]"] > 0
    assert (after["orchestrator_workers[cpu]"], after["orchestrator_workers_busy[cpu]"]) == (1, 1)
    assert after["orchestrator_approvals_waiting"] == 1
    assert after["orchestrator_chores[dead]"] == 0


def test_metrics_count_the_slots_of_each_kind(people: Cast) -> None:
    slots.set_pool("licence", 3, actor=people.alice)
    slots.set_pool("licence", 2, actor=people.alice)
    wanting = {"memory": None, "gpu": 0, "slots": {"licence": 1}}
    version = making.make_version(people.team, people.alice, [task("a", resources=wanting)])
    making.start(version, people.alice)
    making.claim(making.make_lease())
    found = metrics(client(token=factories.make_token(people.bob)))
    counted = [found[f"orchestrator_slots_{state}[licence]"] for state in ("free", "held", "withdrawn")]
    assert counted == [1, 1, 1]


def test_the_room_above_adds_how_far_its_records_lag(people: Cast) -> None:
    found = metrics(client(token=factories.make_token(people.bob)))
    assert any("record" in name and "lag" in name for name in found), sorted(found)


def test_metrics_are_for_tokens_and_site_admins(people: Cast) -> None:
    assert client().get("/metrics").status_code == 401
    assert client(people.alice).get("/metrics").status_code == 403
    assert client(factories.make_user("root", is_superuser=True)).get("/metrics").status_code == 200
    narrow = factories.make_token(people.alice, scopes=["run"])
    response = client(token=narrow).get("/metrics")
    assert (response.status_code, response.json()["code"]) == (403, "scope-missing")
