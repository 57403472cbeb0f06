"""Rerun and reuse by the API: the plan, the start, what is refused, and why a result was taken over."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from pipelines import drafts, versions
from pipelines.models import AuditEvent, Pipeline
from runs.models import Queue, Run, TaskRun
from tests import factories
from tests.factories import Cast, client
from tests.runs.test_api_runs import post, refused
from tests.runs.test_reuse import work_off

pytestmark = pytest.mark.django_db

DOCUMENT = """\
schema: orchestrator/v1
name: chain
parameters:
  rate: {type: number, default: 1, minimum: 0}
tasks:
  load:
    kind: shell
    run: echo 7 > "$OUT/result"
    outputs: {result: number}
  train:
    kind: shell
    run: echo "$IN_ROWS" > "$OUT/result"
    with: {rows: "${{ tasks.load.outputs.result }}", rate: "${{ params.rate }}"}
    outputs: {result: number}
  report:
    kind: shell
    run: cat "$IN_MODEL" > "$OUT/result"
    with: {model: "${{ tasks.train.outputs.result }}"}
    outputs: {result: number}
"""


@pytest.fixture
def people() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return factories.make_cast()


@pytest.fixture
def alice(people: Cast) -> APIClient:
    return client(people.alice)


@pytest.fixture
def old(people: Cast, alice: APIClient) -> Run:
    """A run of ``load > train > report`` that has succeeded."""
    factories.make_published(DOCUMENT, team=people.team, owner=people.alice)
    answer = post(alice, "/api/v1/pipelines/chain/runs/")
    assert answer.status_code == 201, answer.json()
    work_off()
    return Run.objects.get(uuid=answer.json()["id"])


def at(run: Run, rest: str) -> str:
    return f"/api/v1/runs/{run.uuid}/{rest}/"


def plan(who: APIClient, run: Run, **body: Any) -> dict[str, tuple[str, str]]:
    answer = post(who, at(run, "rerun-plan"), body)
    assert answer.status_code == 200, answer.json()
    return {task["key"]: (task["action"], task["code"]) for task in answer.json()["tasks"]}


def test_a_plan_of_the_same_takes_everything_over(alice: APIClient, old: Run) -> None:
    body = post(alice, at(old, "rerun-plan")).json()
    assert (body["version"], body["parameters"], body["counts"]) == (1, {"rate": 1}, {"reuse": 3})


def test_a_plan_with_another_parameter_says_what_differs(alice: APIClient, old: Run) -> None:
    body = post(alice, at(old, "rerun-plan"), {"parameters": {"rate": 2}}).json()
    train = next(task for task in body["tasks"] if task["key"] == "train")
    assert (train["action"], train["details"]) == ("run", ["Parameter rate: 1 → 2"])
    assert body["counts"] == {"reuse": 1, "run": 1, "decide": 1}


def test_from_a_task_runs_it_and_all_after_it(alice: APIClient, old: Run) -> None:
    assert plan(alice, old, **{"from": "train"}) == {
        "load": ("reuse", "equal"),
        "train": ("run", "afresh"),
        "report": ("run", "after"),
    }


def test_a_selection_runs_and_what_it_needs_is_taken_over(alice: APIClient, old: Run) -> None:
    assert plan(alice, old, only=["train"]) == {"load": ("reuse", "equal"), "train": ("run", "afresh")}


def test_a_rerun_starts_a_new_run_that_names_the_old_one(alice: APIClient, old: Run) -> None:
    answer = post(alice, at(old, "rerun"), {"parameters": {"rate": 2}, "from": "report"})
    body = answer.json()
    assert answer.status_code == 201
    assert body["rerun_of"] == {"id": str(old.uuid), "number": 1, "from": "report", "reuse": True}
    assert (body["number"], body["parameters"]) == (2, {"rate": 2})
    assert AuditEvent.objects.filter(verb="run.rerun").count() == 1


def test_a_task_that_was_taken_over_names_its_maker_and_shows_its_outputs(alice: APIClient, old: Run) -> None:
    again = post(alice, at(old, "rerun")).json()
    rows = alice.get(f"/api/v1/runs/{again['id']}/tasks/").json()["results"]
    train = next(row for row in rows if row["key"] == "train")
    assert (train["state"], train["reason"], train["attempt"]) == ("succeeded", "reused", None)
    assert (train["reused_from"]["number"], train["reused_from"]["run"]) == (1, str(old.uuid))
    detail = alice.get(f"/api/v1/task-runs/{train['id']}/").json()
    assert [output["value"] for output in detail["outputs"]] == [7]
    assert detail["attempts"] == []


def test_an_older_or_newer_version_may_be_chosen(people: Cast, alice: APIClient, old: Run) -> None:
    pipeline = Pipeline.objects.get(name="chain")
    drafts.save_draft(pipeline, DOCUMENT.replace("echo 7", "echo 8"), actor=people.alice)
    versions.publish(pipeline, actor=people.alice, message="eight", activate=True)
    assert plan(alice, old, version=2)["load"] == ("run", "differs")
    assert plan(alice, old)["load"] == ("reuse", "equal")


def test_the_same_key_gives_the_same_run(alice: APIClient, old: Run) -> None:
    first, second = (post(alice, at(old, "rerun"), **{"Idempotency-Key": "k"}).json()["id"] for _ in "12")
    assert first == second
    other = post(alice, at(old, "rerun"), {"reuse": False}, **{"Idempotency-Key": "k"})
    refused(other, 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    "body, code",
    [
        ({"from": "nowhere"}, "task-unknown"),
        ({"only": ["nowhere"]}, "task-unknown"),
        ({"from": "load", "only": ["load"]}, "from-and-only"),
        ({"version": 99}, "version-unknown"),
        ({"parameters": {"rate": -1}}, "parameters-invalid"),
        ({"parameters": {"unknown": 1}}, "parameters-invalid"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_in_plan_and_start(
    alice: APIClient, old: Run, body: dict[str, Any], code: str
) -> None:
    for address in ("rerun-plan", "rerun"):
        assert refused(post(alice, at(old, address), body), 422, code)


def test_nothing_of_an_archived_pipeline_is_run_again(alice: APIClient, old: Run) -> None:
    Pipeline.objects.update(archived_at=timezone.now())
    refused(post(alice, at(old, "rerun")), 409, "archived")


def test_a_viewer_may_neither_plan_nor_start_and_a_stranger_sees_nothing(people: Cast, old: Run) -> None:
    for address in ("rerun-plan", "rerun"):
        assert post(client(people.bob), at(old, address)).status_code == 403
        assert post(client(people.charlie), at(old, address)).status_code == 404


def test_a_plan_costs_the_same_however_many_tasks_there_are(people: Cast, alice: APIClient) -> None:
    def run_of(count: int) -> Run:
        tasks = "".join(
            f'  t{i}: {{kind: shell, run: "true", with: {{rate: "${{{{ params.rate }}}}"}}}}\n'
            for i in range(count)
        )
        head = DOCUMENT.split("tasks:")[0].replace("name: chain", f"name: wide-{count}")
        factories.make_published(f"{head}tasks:\n{tasks}", team=people.team, owner=people.alice)
        answer = post(alice, f"/api/v1/pipelines/wide-{count}/runs/")
        work_off()
        return Run.objects.get(uuid=answer.json()["id"])

    few, many = (queries_of(alice, run_of(count)) for count in (2, 12))
    assert few == many <= 20


def queries_of(who: APIClient, run: Run) -> int:
    plan(who, run)  # what the store was asked is remembered
    with CaptureQueriesContext(connection) as seen:
        assert {action for action, _ in plan(who, run).values()} == {"reuse"}
    return len(seen)


# --- why was this reused, or not --------------------------------------------------------------------


def why(who: APIClient, run: str, key: str) -> dict[str, Any]:
    task_run = TaskRun.objects.get(run__uuid=run, key=key)
    body: dict[str, Any] = who.get(f"/api/v1/task-runs/{task_run.uuid}/reuse/").json()
    return body


def test_what_was_taken_over_says_from_where(alice: APIClient, old: Run) -> None:
    again = post(alice, at(old, "rerun")).json()["id"]
    body = why(alice, again, "train")
    assert (body["considered"], body["reused"], body["taken_from"]["number"]) == (True, True, 1)
    assert body["sentence"] == "Its result is that of run 1: it was given the same, by the same code."


def test_what_was_not_taken_over_says_what_differs(alice: APIClient, old: Run) -> None:
    again = post(alice, at(old, "rerun"), {"parameters": {"rate": 2}}).json()["id"]
    work_off(value=9)
    body = why(alice, again, "train")
    assert body["sentence"] == "Not reused: it differs from run 1 in one part."
    assert [one["words"] for one in body["differences"]] == ["Parameter rate: 1 → 2"]
    assert body["nearest"]["run"] == str(old.uuid)
    report = why(alice, again, "report")
    assert [one["words"] for one in report["differences"]] == ["Input model: 7 → 9"]


def test_the_run_that_is_named_is_the_one_that_did_the_work(alice: APIClient, old: Run) -> None:
    taken_over = Run.objects.get(uuid=post(alice, at(old, "rerun")).json()["id"])
    work_off(value=7)
    again = post(alice, at(taken_over, "rerun"), {"parameters": {"rate": 2}}).json()["id"]
    work_off(value=9)
    body = why(alice, again, "train")
    assert body["nearest"]["number"] == old.number
    assert body["sentence"] == f"Not reused: it differs from run {old.number} in one part."


def test_a_task_that_was_not_looked_at_says_why(alice: APIClient, old: Run) -> None:
    assert "cache: true" in why(alice, str(old.uuid), "load")["sentence"]
    again = post(alice, at(old, "rerun"), {"reuse": False}).json()["id"]
    body = why(alice, again, "load")
    assert (body["considered"], body["sentence"]) == (
        False,
        "This run was started without reusing anything.",
    )


def test_a_task_that_runs_because_of_a_choice_says_which(alice: APIClient, old: Run) -> None:
    again = post(alice, at(old, "rerun"), {"from": "train"}).json()["id"]
    assert why(alice, again, "report")["sentence"] == "This run was started anew from train."
    selected = post(alice, at(old, "rerun"), {"only": ["train"]}).json()["id"]
    assert why(alice, selected, "train")["sentence"] == "It was chosen to run."
    part = Run.objects.get(uuid=post(alice, at(old, "rerun"), {"only": ["load"]}).json()["id"])
    work_off()
    whole = post(alice, at(part, "rerun"), {"only": ["load", "train"]}).json()["id"]
    assert why(alice, whole, "train")["sentence"] == "Run 4, which is repeated, has no result of it."


def test_a_cached_task_is_compared_with_the_nearest_of_earlier_runs(people: Cast, alice: APIClient) -> None:
    text = (
        DOCUMENT.replace("name: chain", "name: cached")
        .replace(
            'kind: shell\n    run: echo 7 > "$OUT/result"\n    outputs: {result: number}',
            'kind: python\n    cache: true\n    with: {rate: "${{ params.rate }}"}\n'
            "    source: |\n      def load(rate: float) -> float:\n          return 7.0\n",
        )
        .replace('rows: "${{ tasks.load.outputs.result }}", ', "")
    )
    factories.make_published(text, team=people.team, owner=people.alice)
    runs = []
    for rate in (1, 5, 6):
        runs.append(
            post(alice, "/api/v1/pipelines/cached/runs/", {"parameters": {"rate": rate}}).json()["id"]
        )
        work_off()
    first, _, last = (why(alice, run, "load") for run in runs)
    assert first["sentence"].startswith("Nothing like it was done before")
    assert (last["nearest"]["number"], last["differences"][0]["words"]) == (2, "Parameter rate: 5 → 6")
