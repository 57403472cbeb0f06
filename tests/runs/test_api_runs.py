"""The API of runs: what is answered, to whom, and what is refused in which words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.test import APIClient

from pipelines.models import AuditEvent, Role
from runs import queues
from runs.api import serializers as shapes
from runs.models import Approval, Attempt, Queue, Run, TaskRun
from tests import factories
from tests.factories import Cast, client, make_secret
from tests.runs import making
from tests.runs.making import task

pytestmark = pytest.mark.django_db

PARAMETERS = {
    "rate": {"type": "number", "default": 0.1, "minimum": 0},
    "name": {"type": "string"},
}


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


@pytest.fixture
def alice(people: Cast) -> APIClient:
    return client(people.alice)


def address(run: Run, rest: str = "") -> str:
    return f"/api/v1/runs/{run.uuid}/{rest}"


def start_address(version: Any) -> str:
    return f"/api/v1/pipelines/{version.pipeline.name}/runs/"


def post(who: APIClient, where: str, body: Any = None, **headers: str) -> Any:
    return who.post(where, body or {}, format="json", headers=headers)


def refused(response: Any, status: int, code: str) -> str:
    """The sentence of a problem, after a look at its status and code."""
    body = response.json()
    assert (response.status_code, body.get("code")) == (status, code), body
    return str(body["detail"])


def assert_fits(body: Any, shape: Any) -> None:
    """The answer has just the fields that the schema promises, at every depth."""
    if body is None:
        assert shape.allow_null, f"{shape.field_name} is null"
    elif isinstance(shape, serializers.ListSerializer):
        for item in body:
            assert_fits(item, shape.child)
    elif isinstance(shape, serializers.Serializer):
        assert set(body) == set(shape.fields), set(body) ^ set(shape.fields)
        for name, field in shape.fields.items():
            assert_fits(body[name], field)


# --- starting -----------------------------------------------------------------------------------


def test_a_run_starts_with_its_parameters_and_the_defaults(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")], parameters=PARAMETERS)
    response = post(alice, start_address(version), {"parameters": {"name": "x"}})
    assert response.status_code == 201
    body = response.json()
    assert body["parameters"] == {"rate": 0.1, "name": "x"}
    assert (body["state"], body["trigger"], body["number"]) == ("running", "manual", 1)
    assert body["requested_by"] == {"username": "alice", "name": "Alice"}
    assert_fits(body, shapes.RunShape())


def test_a_program_starts_a_run_with_its_token(people: Cast) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    program = client(token=factories.make_token(people.alice, people.team))
    assert post(program, start_address(version)).json()["trigger"] == "api"
    assert Run.objects.get().token is not None


def test_a_pipeline_may_be_named_with_its_team(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")], name="twin")
    making.make_version(people.others, people.charlie, [task("a")], name="twin")
    assert post(alice, "/api/v1/pipelines/alpha:twin/runs/").json()["pipeline"]["team"] == "alpha"
    assert post(alice, "/api/v1/pipelines/others:twin/runs/").status_code == 404
    assert post(alice, start_address(version)).status_code == 201


def test_wrong_parameters_are_all_named_at_once(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")], parameters=PARAMETERS)
    response = post(alice, start_address(version), {"parameters": {"rate": -1, "nam": "x"}})
    refused(response, 422, "parameters-invalid")
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"parameters.rate", "parameters.name", "parameters.nam"}
    assert not Run.objects.exists()


def test_the_same_key_gives_the_same_run(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    first = post(alice, start_address(version), **{"Idempotency-Key": "k1"}).json()
    again = post(alice, start_address(version), **{"Idempotency-Key": "k1"})
    other = post(alice, start_address(version), **{"Idempotency-Key": "k2"}).json()
    assert again.status_code == 201
    assert again.json()["id"] == first["id"] != other["id"]
    assert Run.objects.count() == 2


def test_a_key_cannot_be_used_for_another_request(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")], parameters=PARAMETERS)
    post(alice, start_address(version), {"parameters": {"name": "x"}}, **{"Idempotency-Key": "k"})
    response = post(alice, start_address(version), {"parameters": {"name": "y"}}, **{"Idempotency-Key": "k"})
    assert "fresh key" in refused(response, 422, "idempotency-key-reused")
    other = making.make_version(people.team, people.alice, [task("a")])
    response = post(alice, start_address(other), **{"Idempotency-Key": "k"})
    refused(response, 422, "idempotency-key-reused")
    assert Run.objects.count() == 1


def test_more_than_256_kib_of_parameters_are_refused(people: Cast, alice: APIClient) -> None:
    spec = {f"p{number}": {"type": "string", "default": ""} for number in range(8)}
    version = making.make_version(people.team, people.alice, [task("a")], parameters=spec)
    frame = len(json.dumps({f"p{number}": "" for number in range(8)}, separators=(",", ":")))
    room = 256 * 1024 - frame
    sizes = [room // 8 + (1 if number < room % 8 else 0) for number in range(8)]
    fits = {f"p{number}": "x" * size for number, size in enumerate(sizes)}
    assert post(alice, start_address(version), {"parameters": fits}).status_code == 201
    beyond = {**fits, "p0": fits["p0"] + "x"}
    refused(post(alice, start_address(version), {"parameters": beyond}), 413, "parameters-too-large")


def test_a_huge_body_is_refused_before_it_is_read(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    response = post(alice, start_address(version), {"parameters": {"x": "y" * 2_000_000}})
    refused(response, 413, "too-large")


def test_only_takes_the_named_tasks_and_what_they_need(people: Cast, alice: APIClient) -> None:
    tasks = [task("a"), task("g", "group"), task("g/x"), task("g/y"), task("b"), task("c")]
    edges = [("a", "g"), ("g/x", "g/y"), ("g", "b"), ("a", "c")]
    version = making.make_version(people.team, people.alice, tasks, edges)
    body = post(alice, start_address(version), {"only": ["g/y"]}).json()
    assert set(making.states(Run.objects.get(uuid=body["id"]))) == {"a", "g", "g/x", "g/y"}
    body = post(alice, start_address(version), {"only": ["b"]}).json()
    assert set(making.states(Run.objects.get(uuid=body["id"]))) == {"a", "g", "g/x", "g/y", "b"}
    body = post(alice, start_address(version), {"only": ["g/x"]}).json()
    assert set(making.states(Run.objects.get(uuid=body["id"]))) == {"a", "g", "g/x"}
    refused(post(alice, start_address(version), {"only": ["z"]}), 422, "task-unknown")


def test_a_version_that_is_not_there_cannot_be_run(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    assert "no version 7" in refused(
        post(alice, start_address(version), {"version": 7}), 422, "version-unknown"
    )
    version.pipeline.active_version = None
    version.pipeline.save(update_fields=["active_version"])
    assert "publish" in refused(post(alice, start_address(version)), 409, "not-published")
    assert post(alice, start_address(version), {"version": 1}).status_code == 201


def test_a_viewer_may_not_start_a_run_and_a_stranger_does_not_find_the_pipeline(people: Cast) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    assert "editor or operator" in refused(post(client(people.bob), start_address(version)), 403, "forbidden")
    assert post(client(people.charlie), start_address(version)).status_code == 404
    assert post(client(), start_address(version)).status_code in (401, 403)


def test_the_start_of_a_run_is_on_the_audit_chain(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    post(alice, start_address(version))
    event = AuditEvent.objects.get(verb="run.start")
    assert (event.actor, event.team, event.object_uuid) == (people.alice, people.team, Run.objects.get().uuid)


# --- looking ------------------------------------------------------------------------------------


def failed_run(people: Cast) -> Run:
    """a > b (fails) > c, and d beside them."""
    version = making.make_version(
        people.team, people.alice, [task("a"), task("b"), task("c"), task("d")], [("a", "b"), ("b", "c")]
    )
    run = making.start(version, people.alice)
    making.perform(making.make_lease(), failing=["b"])
    return run


def test_a_run_says_what_became_of_its_steps_and_why_it_failed(people: Cast, alice: APIClient) -> None:
    run = failed_run(people)
    body = alice.get(address(run)).json()
    assert (body["state"], body["counts"]) == ("failed", {"succeeded": 2, "failed": 1, "upstream_failed": 1})
    attempt = Attempt.objects.get(task_run__key="b")
    assert body["cause"] == {
        "task": "b",
        "task_run": str(attempt.task_run.uuid),
        "attempt": str(attempt.uuid),
        "attempt_no": 1,
        "reason": "error",
        "message": "ValueError: bad",
    }
    assert body["can"] == {"rerun": True, "cancel": False, "resume": True, "pause": False, "approve": False}
    assert_fits(body, shapes.RunShape())


def test_a_viewer_sees_a_run_and_may_do_nothing_with_it(people: Cast) -> None:
    run = failed_run(people)
    body = client(people.bob).get(address(run)).json()
    assert body["can"] == {"rerun": False, "cancel": False, "resume": False, "pause": False, "approve": False}
    assert post(client(people.bob), address(run, "resume/")).status_code == 403
    assert post(client(people.bob), address(run, "cancel/")).status_code == 403


def test_a_stranger_finds_nothing_of_a_run(people: Cast) -> None:
    run = failed_run(people)
    step = TaskRun.objects.filter(run=run)[0]
    attempt = Attempt.objects.filter(run=run)[0]
    stranger = client(people.charlie)
    assert stranger.get("/api/v1/runs/").json()["results"] == []
    for rest in ("", "tasks/", "events/", "resume-plan/"):
        assert stranger.get(address(run, rest)).status_code == 404
    for rest in ("resume/", "cancel/"):
        assert post(stranger, address(run, rest)).status_code == 404
    assert stranger.get(f"/api/v1/task-runs/{step.uuid}/").status_code == 404
    for verb in ("approve", "reject", "retry"):
        assert post(stranger, f"/api/v1/task-runs/{step.uuid}/{verb}/").status_code == 404
    assert stranger.get(f"/api/v1/attempts/{attempt.uuid}/log/").status_code == 404
    assert stranger.get(f"/api/v1/attempts/{attempt.uuid}/log/download").status_code == 404


def test_what_is_no_uuid_is_not_found(people: Cast, alice: APIClient) -> None:
    for where in ("runs/7/", "task-runs/x/", "attempts/0x1/log/"):
        assert alice.get(f"/api/v1/{where}").status_code == 404


def test_runs_are_listed_newest_first_in_pages(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    for _ in range(5):
        making.start(version, people.alice)
    first = alice.get("/api/v1/runs/?page_size=2").json()
    assert [run["number"] for run in first["results"]] == [5, 4]
    second = alice.get(first["next"]).json()
    assert [run["number"] for run in second["results"]] == [3, 2]
    assert_fits(first["results"], shapes.RunShape(many=True))


def test_runs_are_filtered_by_pipeline_state_and_team(people: Cast, alice: APIClient) -> None:
    failed = failed_run(people)
    version = making.make_version(people.team, people.alice, [task("a")])
    running = making.start(version, people.alice)
    strange = making.make_version(people.others, people.charlie, [task("a")])
    making.start(strange, people.charlie)

    def numbers(query: str) -> set[str]:
        return {run["id"] for run in alice.get(f"/api/v1/runs/?{query}").json()["results"]}

    assert numbers(f"pipeline={version.pipeline.name}") == {str(running.uuid)}
    assert numbers(f"pipeline=alpha:{version.pipeline.name}") == {str(running.uuid)}
    assert numbers("state=failed") == {str(failed.uuid)}
    assert numbers("state=failed,running") == {str(failed.uuid), str(running.uuid)}
    assert numbers("team=others") == set()
    assert alice.get(f"/api/v1/runs/?pipeline={strange.pipeline.name}").status_code == 404
    assert "succeeded" in refused(alice.get("/api/v1/runs/?state=done"), 422, "invalid")


def test_steps_are_listed_in_the_order_of_the_document(people: Cast, alice: APIClient) -> None:
    tasks = [task("z", title="Last letter"), task("g", "group"), task("g/x"), task("a")]
    version = making.make_version(people.team, people.alice, tasks, [("g", "a")])
    run = making.start(version, people.alice)
    body = alice.get(address(run, "tasks/")).json()["results"]
    assert [(step["key"], step["name"], step["parent"]) for step in body] == [
        ("z", "z", None),
        ("g", "g", None),
        ("g/x", "x", "g"),
        ("a", "a", None),
    ]
    assert body[0]["title"] == "Last letter"
    assert_fits(body, shapes.TaskRunShape(many=True))


def test_since_gives_only_the_steps_that_moved(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a"), task("b")], [("a", "b")])
    run = making.start(version, people.alice)
    lease = making.make_lease()
    making.finish(making.claim(lease))
    seq = alice.get(address(run)).json()["last_seq"]
    assert alice.get(address(run, f"tasks/?since={seq}")).json()["results"] == []
    making.claim(lease)
    moved = alice.get(address(run, f"tasks/?since={seq}")).json()["results"]
    assert [(step["key"], step["state"]) for step in moved] == [("b", "running")]
    assert alice.get(address(run, "tasks/?since=-1")).status_code == 422


def test_events_are_numbered_without_gaps_and_say_what_moved(people: Cast, alice: APIClient) -> None:
    run = failed_run(people)
    body = alice.get(address(run, "events/")).json()
    assert [event["seq"] for event in body["results"]] == list(range(1, body["last_seq"] + 1))
    assert body["results"][-1]["to"] == "failed"
    assert {"a", "b", "c", "d", None} == {event["task"] for event in body["results"]}
    later = alice.get(address(run, f"events/?since={body['last_seq'] - 2}")).json()["results"]
    assert later == body["results"][-2:]
    assert_fits(body, shapes.EventsShape())


def test_a_step_shows_its_attempts_what_it_read_and_what_it_made(people: Cast, alice: APIClient) -> None:
    reader = task("read", inputs=[{"name": "table", "type": "table"}, {"name": "rate", "type": "number"}])
    reader["with"] = {
        "table": {"ref": "tasks", "task": "make", "output": "table"},
        "rate": {"ref": "params.rate"},
        "key": {"ref": "secrets.key"},
        "label": {"cat": [{"lit": "rate "}, {"ref": "params.rate"}]},
    }
    version = making.make_version(people.team, people.alice, [task("make"), reader], [("make", "read")])
    make_secret(people.team, "key")
    run = making.start(version, people.alice, parameters={"rate": 0.5})
    lease = making.make_lease()
    digest = "ab" * 32
    made = {
        "name": "table",
        "type": "table",
        "sha256": digest,
        "address": "/x",
        "size": 7,
        "meta": {"rows": 3},
    }
    making.finish(making.claim(lease), outputs=[made, {"name": "n", "type": "integer", "value": 3}])
    work = making.claim(lease)
    source = Attempt.objects.get(task_run__key="make").outputs.get(name="table")
    attempt = Attempt.objects.get(uuid=work.token)
    attempt.inputs.create(name="table", source=source)

    step = TaskRun.objects.get(run=run, key="make")
    body = alice.get(f"/api/v1/task-runs/{step.uuid}/").json()
    assert [(out["name"], out["value"], out["sha256"]) for out in body["outputs"]] == [
        ("n", 3, ""),
        ("table", None, digest),
    ]
    assert body["outputs"][1]["artifact"] == str(source.uuid)
    assert body["outputs"][0]["artifact"] == str(source.attempt.outputs.get(name="n").uuid)
    assert_fits(body, shapes.TaskRunDetailShape())

    step = TaskRun.objects.get(run=run, key="read")
    body = alice.get(f"/api/v1/task-runs/{step.uuid}/").json()
    inputs = {read["name"]: read for read in body["inputs"]}
    assert inputs["table"]["artifact"]["task"] == "make"
    assert inputs["table"]["artifact"]["sha256"] == digest
    assert (inputs["rate"]["value"], inputs["rate"]["type"]) == (0.5, "number")
    assert inputs["key"]["value"] == "${{ secrets.key }}"
    assert inputs["label"]["value"] == "rate 0.5"
    assert [made["worker"] for made in body["attempts"]] == [lease.worker]
    assert_fits(body, shapes.TaskRunDetailShape())


def test_every_attempt_of_a_step_is_kept_with_its_cause(people: Cast, alice: APIClient) -> None:
    retries = {**making.NO_RETRIES, "limit": 1, "base": 0.0, "on": ["exit"]}
    version = making.make_version(people.team, people.alice, [task("a", retries=retries)])
    run = making.start(version, people.alice)
    lease = making.make_lease()
    making.finish(
        making.claim(lease), "failed", "exit", exit_code=137, cause="the task ended with exit code 137"
    )
    making.finish(making.claim(lease), "failed", "exit", exit_code=3)
    step = TaskRun.objects.get(run=run)
    body = alice.get(f"/api/v1/task-runs/{step.uuid}/").json()
    assert [(made["no"], made["cause"]) for made in body["attempts"]] == [
        (1, "exit 137: killed"),
        (2, "exit 3"),
    ]
    assert body["attempt"]["no"] == 2
    assert (body["retries_used"], body["retries_limit"], body["message"]) == (1, 1, "exit 3")


# --- logs ---------------------------------------------------------------------------------------


def test_a_log_is_read_in_lines(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    making.start(version, people.alice)
    work = making.claim(making.make_lease())
    attempt = Attempt.objects.get(uuid=work.token)
    making.say(attempt, b"one\ntwo\n", b"three\nfou")
    where = f"/api/v1/attempts/{attempt.uuid}/log/"
    body = alice.get(f"{where}?offset=1").json()
    assert (body["lines"], body["next"], body["total"], body["complete"]) == (["two", "three"], 3, 3, False)
    making.say(attempt, b"r\nfive")
    making.finish(work)
    body = alice.get(f"{where}?offset=3&limit=1").json()
    assert (body["lines"], body["next"], body["total"], body["complete"]) == (["four"], 4, 5, True)
    assert alice.get(f"{where}?offset=4").json()["lines"] == ["five"]
    assert_fits(body, shapes.LogShape())
    for query in ("limit=0", "limit=10001", "offset=x", "offset=-1"):
        assert alice.get(f"{where}?{query}").status_code == 422


def test_a_log_is_downloaded_whole_as_a_file(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    making.start(version, people.alice)
    attempt = Attempt.objects.get(uuid=making.claim(making.make_lease()).token)
    bodies = [b"<script>%d</script>\n" % number for number in range(40)]
    making.say(attempt, *bodies)
    response = alice.get(f"/api/v1/attempts/{attempt.uuid}/log/download")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="{attempt.uuid}.log"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert async_to_sync(whole)(cast(StreamingHttpResponse, response)) == b"".join(bodies)


async def whole(response: StreamingHttpResponse) -> bytes:
    parts = cast("AsyncIterator[bytes]", response.streaming_content)
    return b"".join([part async for part in parts])


# --- cancel, resume, retry ----------------------------------------------------------------------


def test_a_run_is_cancelled_once(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a"), task("b")])
    run = making.start(version, people.alice)
    assert post(alice, address(run, "cancel/")).json()["state"] == "cancelled"
    assert "nothing to cancel" in refused(post(alice, address(run, "cancel/")), 409, "not-open")
    assert AuditEvent.objects.filter(verb="run.cancel").count() == 1


def test_a_run_with_a_running_step_is_cancelling_until_that_has_ended(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a"), task("b")])
    run = making.start(version, people.alice)
    work = making.claim(making.make_lease())
    assert post(alice, address(run, "cancel/")).json()["state"] == "cancelling"
    making.finish(work, "cancelled", "by_person")
    assert alice.get(address(run)).json()["state"] == "cancelled"


def test_a_resume_does_what_its_plan_said(people: Cast, alice: APIClient) -> None:
    run = failed_run(people)
    plan = alice.get(address(run, "resume-plan/")).json()
    assert plan["allowed"] is True
    assert {step["key"]: step["action"] for step in plan["tasks"]} == {
        "a": "keep",
        "b": "run",
        "c": "run",
        "d": "keep",
    }
    assert_fits(plan, shapes.ResumePlanShape())
    body = post(alice, address(run, "resume/")).json()
    assert (body["state"], body["resume_no"], body["cause"]) == ("running", 1, None)
    assert making.perform(making.make_lease()) == ["b", "c"]
    assert alice.get(address(run)).json()["state"] == "succeeded"


def test_a_run_that_has_not_failed_cannot_be_resumed(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    run = making.start(version, people.alice)
    plan = alice.get(address(run, "resume-plan/")).json()
    assert plan["allowed"] is False
    assert "running" in plan["why_not"]
    assert post(alice, address(run, "resume/")).status_code == 409


def test_a_waiting_retry_starts_when_a_person_says_so(people: Cast, alice: APIClient) -> None:
    retries = {**making.NO_RETRIES, "limit": 1, "jitter": "none", "on": ["error"]}
    version = making.make_version(people.team, people.alice, [task("a", retries=retries)])
    run = making.start(version, people.alice)
    lease = making.make_lease()
    making.perform(lease, failing=["a"])
    step = TaskRun.objects.get(run=run)
    where = f"/api/v1/task-runs/{step.uuid}/"
    body = alice.get(where).json()
    assert body["state"] == "retry_wait"
    assert body["next_attempt_at"] is not None
    assert post(alice, f"{where}retry/").status_code == 200
    assert making.perform(lease) == ["a"]
    assert "succeeded" in refused(post(alice, f"{where}retry/"), 409, "not-waiting")


# --- approvals ----------------------------------------------------------------------------------


def waiting_step(people: Cast, **config: Any) -> TaskRun:
    """A task that waits for a decision, in a run that Alice asked for."""
    whole = {"by": ["approver"], "deadline": None, "requester_may_approve": False, **config}
    tasks = [task("approve", "approval", config=whole), task("after")]
    version = making.make_version(people.team, people.alice, tasks, [("approve", "after")])
    making.start(version, people.alice)
    return TaskRun.objects.get(key="approve")


def decide(who: APIClient, step: TaskRun, word: str = "approve", comment: str = "") -> Any:
    return post(who, f"/api/v1/task-runs/{step.uuid}/{word}/", {"comment": comment})


@pytest.fixture
def dora(people: Cast) -> APIClient:
    return client(factories.join(people.team, factories.make_user("dora", first_name="Dora"), Role.APPROVER))


def test_an_approver_lets_a_run_go_on(people: Cast, dora: APIClient) -> None:
    step = waiting_step(people)
    assert dora.get(address(step.run)).json()["can"]["approve"] is True
    body = decide(dora, step, comment="Looks right.").json()
    assert body["state"] == "succeeded"
    approval = body["approval"]
    assert (approval["decision"], approval["comment"]) == ("approved", "Looks right.")
    assert approval["decided_by"] == {"username": "dora", "name": "Dora"}
    assert_fits(body, shapes.TaskRunDetailShape())
    assert making.states(step.run)["after"] == "ready"
    decision = Approval.objects.get()
    assert (decision.role, decision.was_requester) == ("approver", False)
    assert AuditEvent.objects.filter(verb="task.approved", actor__username="dora").exists()


def test_a_rejection_fails_the_run_in_words(people: Cast, dora: APIClient) -> None:
    step = waiting_step(people)
    body = decide(dora, step, "reject", "Too few rows.").json()
    assert (body["state"], body["reason"]) == ("failed", "by_person")
    assert body["message"] == "Rejected by Dora: Too few rows."
    cause = dora.get(address(step.run)).json()["cause"]
    assert (cause["task"], cause["attempt"], cause["message"]) == (
        "approve",
        None,
        "Rejected by Dora: Too few rows.",
    )


def test_whoever_asked_for_the_run_may_not_decide_on_it(people: Cast, alice: APIClient) -> None:
    step = waiting_step(people)
    shown = alice.get(f"/api/v1/task-runs/{step.uuid}/").json()["approval"]
    assert shown["may_decide"] is False
    assert "asked for the run" in shown["why_not"]
    assert alice.get(address(step.run)).json()["can"]["approve"] is False
    refused(decide(alice, step), 403, "may-not-decide")
    assert not Approval.objects.exists()


def test_the_requester_may_decide_where_the_document_says_so(people: Cast, alice: APIClient) -> None:
    step = waiting_step(people, requester_may_approve=True)
    assert decide(alice, step).status_code == 200
    assert Approval.objects.get().was_requester is True


def test_only_the_named_roles_and_people_decide(people: Cast, dora: APIClient) -> None:
    step = waiting_step(people, by=["operator", "bob"])
    assert "operator or bob" in refused(decide(dora, step), 403, "may-not-decide")
    assert decide(client(people.bob), step).status_code == 200
    assert Approval.objects.get().role == "named"


def test_a_site_admin_decides_only_in_a_role_of_the_team(people: Cast) -> None:
    step = waiting_step(people)
    root = factories.make_user("root", is_superuser=True)
    refused(decide(client(root), step), 403, "may-not-decide")
    factories.join(people.team, root, Role.APPROVER)
    assert decide(client(root), step).status_code == 200


def test_a_token_without_the_scope_does_not_decide(people: Cast, dora: APIClient) -> None:
    from pipelines.models import User

    step = waiting_step(people)
    token = factories.make_token(User.objects.get(username="dora"), people.team, scopes=["read", "run"])
    refused(decide(client(token=token), step), 403, "scope-missing")


def test_a_step_is_decided_once(people: Cast, dora: APIClient) -> None:
    step = waiting_step(people)
    decide(dora, step)
    assert "succeeded" in refused(decide(dora, step, "reject"), 409, "not-waiting")
    other = TaskRun.objects.get(key="after")
    refused(decide(dora, other), 409, "no-approval")
    assert Approval.objects.count() == 1


def test_a_decision_of_an_earlier_resume_is_not_shown_as_the_present_one(
    people: Cast, dora: APIClient
) -> None:
    step = waiting_step(people)
    decide(dora, step, "reject", "no")
    post(client(people.alice), address(step.run, "resume/"))
    body = dora.get(f"/api/v1/task-runs/{step.uuid}/").json()
    assert (body["state"], body["approval"]["decision"]) == ("awaiting_approval", None)
    assert decide(dora, step).json()["approval"]["decision"] == "approved"


# --- queues and workers -------------------------------------------------------------------------


def test_queues_show_what_waits_and_who_serves(people: Cast, alice: APIClient) -> None:
    for slug in ("cpu", "gpu"):
        Queue.objects.get_or_create(slug=slug)
    tasks = [task("a"), task("b"), task("c", queue="gpu")]
    making.start(making.make_version(people.team, people.alice, tasks), people.alice)
    making.claim(making.make_lease())
    body = alice.get("/api/v1/queues/").json()["results"]
    loads = {queue["slug"]: (queue["ready"], queue["running"], queue["workers"]) for queue in body}
    assert loads["cpu"] == (1, 1, 1)
    assert loads["gpu"] == (1, 0, 0)
    assert {(queue["image"], queue["network"]) for queue in body} == {("", False)}
    queues.isolate(Queue.objects.get(slug="gpu"), "container", image="team/image:1", network=True, actor=None)
    found = {queue["slug"]: queue for queue in alice.get("/api/v1/queues/").json()["results"]}["gpu"]
    assert (found["isolation"], found["image"], found["network"]) == ("container", "team/image:1", True)
    assert_fits(body, shapes.QueueShape(many=True))


def test_what_a_worker_does_is_told_to_those_who_may_see_the_run(people: Cast, alice: APIClient) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    run = making.start(version, people.alice)
    making.claim(making.make_lease())
    (mine,) = alice.get("/api/v1/workers/?queue=cpu").json()["results"]
    assert (mine["busy"], mine["work"]["run"], mine["work"]["task"]) == (True, str(run.uuid), "a")
    assert_fits(mine, shapes.WorkerShape())
    (theirs,) = client(people.charlie).get("/api/v1/workers/").json()["results"]
    assert (theirs["busy"], theirs["work"]) == (True, None)
    assert alice.get("/api/v1/workers/?queue=gpu").json()["results"] == []
