"""Each invariant holds over a run of every kind, and notices the violation that is planted for it.

Violations are planted by the owner of the tables, with the triggers that forbid them switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from runs import chores, invariants, metrics, protocol, sweeps, watch
from runs.models import Attempt, Chore, Run, TaskRun
from tests import factories
from tests.factories import Cast
from tests.runs import making
from tests.runs.making import task
from tests.servers import Servers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


@pytest.fixture
def plant(servers: Servers) -> Iterator[Callable[..., None]]:
    """Change rows as the engine never would."""
    with servers.owner() as owner:
        owner.execute("SET session_replication_role = replica")

        def change(sql: str, *arguments: object) -> None:
            assert owner.execute(sql.encode(), arguments).rowcount > 0, sql

        yield change


Plant = Callable[..., None]


def ended_run(people: Cast) -> Run:
    """a > g (holding x) > b, and one that waits for its failure; with a retry, a log and an output."""
    retries = {**making.NO_RETRIES, "limit": 2, "base": 0.0, "jitter": "none"}
    tasks = [task("a", retries=retries), task("g", "group"), task("g/x"), task("b"), task("rescue")]
    edges = [("a", "g"), ("g", "b"), ("a", "rescue", "failure")]
    run = making.start(making.make_version(people.team, people.alice, tasks, edges), people.alice)
    lease = making.make_lease()
    making.finish(making.claim(lease), "failed", "error")
    work = making.claim(lease)
    making.say(Attempt.objects.get(uuid=work.token), b"one\n", b"two\n", b"three\n")
    made = {"name": "o", "type": "file", "sha256": "ab" * 32, "address": "/x", "size": 1}
    making.finish(work, outputs=[made])
    making.perform(lease)
    run.refresh_from_db()
    assert run.state == "succeeded"
    return run


def going_run(people: Cast) -> Run:
    """a runs, b waits for it."""
    version = making.make_version(people.team, people.alice, [task("a"), task("b")], [("a", "b")])
    run = making.start(version, people.alice)
    making.claim(making.make_lease())
    return run


def attempt_of(run: Run, key: str, no: int = 1) -> Attempt:
    return Attempt.objects.get(task_run__run=run, task_run__key=key, no=no)


def step(run: Run, key: str) -> TaskRun:
    return TaskRun.objects.get(run=run, key=key)


def broken() -> dict[str, list[str]]:
    return {name: [str(row) for row in rows] for name, rows in invariants.check_all().items()}


def test_all_hold_over_runs_that_ended_go_wait_and_were_cancelled_or_resumed(people: Cast) -> None:
    ended_run(people)
    going_run(people)
    asking = making.make_version(
        people.team, people.alice, [task("ask", "approval"), task("b")], [("ask", "b")]
    )
    making.start(asking, people.alice)
    cancelled = going_run(people)
    protocol.cancel_run(cancelled.pk, actor=people.alice)
    token = str(Attempt.objects.get(run=cancelled, state="running").uuid)
    protocol.finish(token, protocol.Outcome("cancelled", "by_person"))
    failing = making.make_version(
        people.team, people.alice, [task("f", queue="gpu"), task("b")], [("f", "b")]
    )
    failed = making.start(failing, people.alice)
    gpu = making.make_lease("gpu")
    making.perform(gpu, failing=["f"])
    protocol.resume_run(failed.pk, actor=people.alice)
    making.perform(gpu)
    lost = making.start(failing, people.alice)
    work = making.claim(gpu)
    protocol.lose(work.token, "lease")
    assert step(lost, "f").lost == 1
    assert broken() == {}


def test_an_attempt_before_its_edge_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant(
        "UPDATE attempt SET started_at = started_at - interval '1 h' WHERE id = %s", attempt_of(run, "b").pk
    )
    assert "before the edge from g (success)" in broken()["edges-first"][0]


def test_an_attempt_whose_edge_is_not_satisfied_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE task_edge SET rule = 'failure' WHERE down_id = %s", step(run, "b").pk)
    assert "before the edge from g (failure)" in broken()["edges-first"][0]


def test_an_attempt_before_its_scope_began_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE task_run SET started_at = now() + interval '1 h' WHERE id = %s", step(run, "g").pk)
    assert "before its scope g began" in broken()["edges-first"][0]


def test_two_attempts_at_once_are_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant(
        "UPDATE attempt SET finished_at = finished_at + interval '1 h' WHERE id = %s",
        attempt_of(run, "a", 1).pk,
    )
    assert "while attempt 1 of the same task ran" in broken()["no-overlap"][0]


def test_a_running_task_without_an_attempt_is_noticed(people: Cast, plant: Plant) -> None:
    run = going_run(people)
    plant("UPDATE task_run SET state = 'ready' WHERE id = %s", step(run, "a").pk)
    assert "is ready with 1 running attempts" in broken()["tasks-agree-with-attempts"][0]


def test_a_success_without_a_succeeded_attempt_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE attempt SET state = 'failed', reason = 'error' WHERE id = %s", attempt_of(run, "b").pk)
    assert "is succeeded with 0 succeeded attempts" in broken()["tasks-agree-with-attempts"][0]


def test_an_attempt_of_a_dead_worker_is_noticed_when_nobody_settles_it(
    people: Cast, plant: Plant, servers: Servers
) -> None:
    run = going_run(people)
    lease = attempt_of(run, "a").lease_id
    plant("UPDATE worker_lease SET expires_at = now() - interval '10 s' WHERE id = %s", lease)
    assert broken() == {}
    plant("UPDATE worker_lease SET expires_at = now() - interval '1 h' WHERE id = %s", lease)
    with servers.owner() as owner:
        young = "SELECT pg_postmaster_start_time() > clock_timestamp() - interval '34 s'"
        if owner.execute(young.encode()).fetchone() == (True,):
            # The database itself has just come up; leases count from there.
            assert broken() == {}
            return
    assert "runs under lease" in broken()["leases-hold"][0]


def test_a_server_that_has_been_up_for_long_has_no_excuse(people: Cast, plant: Plant) -> None:
    run = going_run(people)
    plant(
        "UPDATE worker_lease SET expires_at = now() - interval '1 h' WHERE id = %s",
        attempt_of(run, "a").lease_id,
    )
    (invariant,) = (found for found in invariants.INVARIANTS if found.name == "leases-hold")
    long_up = invariant.sql.replace("pg_postmaster_start_time()", "'2000-01-01'::timestamptz")
    assert long_up != invariant.sql
    aged = invariants.Invariant(invariant.number, invariant.name, invariant.words, long_up)
    assert "runs under lease" in str(invariants.check(aged)[0])


def test_an_ended_run_with_an_open_task_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE task_run SET state = 'awaiting_approval' WHERE id = %s", step(run, "rescue").pk)
    assert any("while rescue is awaiting_approval" in row for row in broken()["ends-are-whole"])


def test_wrong_counters_are_noticed(people: Cast, plant: Plant) -> None:
    run = going_run(people)
    plant("UPDATE run SET open_tasks = 7 WHERE id = %s", run.pk)
    plant("UPDATE task_run SET waiting_on = 5 WHERE id = %s", step(run, "b").pk)
    rows = " ".join(broken()["ends-are-whole"])
    assert "says 7 open tasks, has 2" in rows
    assert "says it waits on 5 edges, has 1" in rows


def test_a_wrong_count_of_a_scope_is_noticed(people: Cast, plant: Plant) -> None:
    version = making.make_version(people.team, people.alice, [task("g", "group"), task("g/x")])
    run = making.start(version, people.alice)
    plant("UPDATE task_run SET open_children = 4 WHERE id = %s", step(run, "g").pk)
    assert "says 4 of its tasks are open, 1 are" in broken()["ends-are-whole"][0]


def test_an_attempt_that_ended_without_a_time_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE attempt SET finished_at = NULL WHERE id = %s", attempt_of(run, "b").pk)
    assert any("ended never" in row for row in broken()["the-past-stays"])


def test_a_missing_event_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("DELETE FROM run_event WHERE run_id = %s AND seq = 3", run.pk)
    assert "has events to" in broken()["the-past-stays"][0]


def test_a_move_that_no_event_tells_of_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    first = "kind = 'task' AND to_state = 'retry_wait'"
    plant(f"DELETE FROM run_event WHERE run_id = %s AND {first}", run.pk)
    assert "takes it from retry_wait, where it was running" in broken()["events-reproduce"][0]


@pytest.mark.parametrize(
    "change, words",
    [
        ("UPDATE task_run SET state = 'failed' WHERE key = 'b'", "is failed, its events say succeeded"),
        ("UPDATE task_run SET attempts_made = 7 WHERE key = 'a'", "had 7 attempts, its events tell of 2"),
        ("UPDATE run SET state = 'failed'", "is failed, its events say succeeded"),
        ("UPDATE run SET resume_no = 4", "was resumed 4 times, its events tell of 0"),
    ],
    ids=["state of a task", "attempts", "state of the run", "resumes"],
)
def test_a_table_that_says_other_than_the_events_is_noticed(
    people: Cast, plant: Plant, change: str, words: str
) -> None:
    ended_run(people)
    plant(change)
    assert words in broken()["events-reproduce"][0]


def test_runs_whose_events_are_gone_are_not_replayed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("DELETE FROM run_event WHERE run_id = %s", run.pk)
    assert "events-reproduce" not in broken()


@pytest.mark.parametrize("table", ["run", "task_run", "attempt", "worker_lease", "run_event", "log_chunk"])
def test_a_guard_that_was_switched_off_is_noticed(servers: Servers, table: str) -> None:
    with servers.owner() as owner:
        name = "no_change" if table in ("run_event", "log_chunk") else f"{table}_state_moves"
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}".encode())
        try:
            assert table in " ".join(broken()["the-past-stays"])
        finally:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}".encode())
    assert broken() == {}


MORE_ATTEMPTS = """
    INSERT INTO attempt (uuid, team_id, run_id, task_run_id, lease_id, no, resume_no, state, reason, cause,
        isolation, started_at, finished_at, code_sha256, environment_sha256, cache_key, dropped_bytes)
    SELECT gen_random_uuid(), team_id, run_id, task_run_id, lease_id, n, 0, state, reason, '',
        isolation, finished_at, finished_at, '', '', '', 0
    FROM attempt, generate_series(2, %s) n WHERE id = %s
"""


def test_more_failures_than_allowed_are_noticed(people: Cast, plant: Plant) -> None:
    attempt = attempt_of(ended_run(people), "g/x")
    plant("UPDATE attempt SET state = 'failed', reason = 'error' WHERE id = %s", attempt.pk)
    plant(MORE_ATTEMPTS, 2, attempt.pk)
    assert "failed 2 times in one resume" in broken()["attempts-are-allowed"][0]


def test_more_losses_than_allowed_are_noticed(people: Cast, plant: Plant) -> None:
    attempt = attempt_of(ended_run(people), "g/x")
    plant("UPDATE attempt SET state = 'lost', reason = 'lease' WHERE id = %s", attempt.pk)
    plant(MORE_ATTEMPTS, 4, attempt.pk)
    assert "was lost 4 times" in broken()["attempts-are-allowed"][0]


def test_a_retry_before_its_time_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE task_run SET retries = jsonb_set(retries, '{base}', '60') WHERE id = %s", step(run, "a").pk)
    assert "before the delay after attempt 1 was over" in broken()["attempts-are-allowed"][0]


def test_a_retry_that_a_person_asked_for_is_not_too_early(people: Cast) -> None:
    retries = {**making.NO_RETRIES, "limit": 1, "jitter": "none"}
    run = making.start(
        making.make_version(people.team, people.alice, [task("a", retries=retries)]), people.alice
    )
    lease = making.make_lease()
    making.perform(lease, failing=["a"])
    protocol.retry_now(step(run, "a").pk, actor=people.alice)
    assert making.perform(lease) == ["a"]
    assert broken() == {}


def test_an_output_of_a_failed_attempt_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    failed = attempt_of(run, "a", 1)
    plant("UPDATE attempt_output SET attempt_id = %s", failed.pk)
    assert "belongs to an attempt that is failed" in broken()["outputs-succeeded"][0]


def test_an_output_without_its_bytes_is_noticed(people: Cast, plant: Plant) -> None:
    ended_run(people)
    plant("UPDATE attempt_output SET sha256 = 'abc'")
    assert "bytes without a digest" in broken()["outputs-succeeded"][0]


def test_a_hole_in_a_log_is_noticed_unless_it_is_declared(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    attempt = attempt_of(run, "a", 2)
    plant("DELETE FROM log_chunk WHERE attempt_id = %s AND seq = 1", attempt.pk)
    assert "jumps at chunk 2" in broken()["logs-are-whole"][0]
    plant("UPDATE attempt SET dropped_bytes = 4 WHERE id = %s", attempt.pk)
    assert broken() == {}


def test_a_log_without_its_beginning_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("DELETE FROM log_chunk WHERE attempt_id = %s AND seq = 0", attempt_of(run, "a", 2).pk)
    assert "jumps at chunk 1" in broken()["logs-are-whole"][0]


def test_a_run_in_which_nothing_can_happen_is_noticed(people: Cast, plant: Plant) -> None:
    version = making.make_version(people.team, people.alice, [task("a"), task("b")], [("a", "b")])
    run = making.start(version, people.alice)
    plant("UPDATE task_run SET state = 'pending' WHERE run_id = %s", run.pk)
    assert "runs-move" not in broken()
    plant("UPDATE run_event SET at = at - interval '1 min' WHERE run_id = %s", run.pk)
    assert "is quiet and nothing in it runs" in broken()["runs-move"][0]


def test_a_task_that_nobody_takes_although_somebody_is_idle_is_noticed(people: Cast, plant: Plant) -> None:
    run = making.start(making.make_version(people.team, people.alice, [task("a")]), people.alice)
    lease = making.make_lease()
    plant("UPDATE run_event SET at = at - interval '1 min' WHERE run_id = %s", run.pk)
    plant("UPDATE task_run SET ready_at = ready_at - interval '1 min' WHERE run_id = %s", run.pk)
    from runs.models import Queue

    Queue.objects.get_or_create(slug="cpu")
    assert broken() == {}
    plant("UPDATE worker_lease SET started_at = started_at - interval '1 min' WHERE id = %s", lease.pk)
    assert "is idle" in broken()["runs-move"][0]


def test_work_left_over_in_an_ended_run_is_noticed(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    plant("UPDATE task_run SET state = 'ready' WHERE id = %s", step(run, "rescue").pk)
    assert "is ready in a run that is succeeded" in broken()["nothing-left-over"][0]


def test_an_attempt_left_over_in_an_ended_run_is_noticed(people: Cast, plant: Plant) -> None:
    run = going_run(people)
    plant("UPDATE run SET state = 'cancelled' WHERE id = %s", run.pk)
    assert any("runs in a run that is cancelled" in row for row in broken()["nothing-left-over"])


def test_a_look_at_what_moved_lately_sees_that_alone(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    going_run(people)
    assert invariants.check_all(lately=True) == {}
    plant("DELETE FROM run_event WHERE run_id = %s AND seq = 3", run.pk)
    plant("DELETE FROM log_chunk WHERE run_id = %s AND seq = 1", run.pk)
    plant("UPDATE attempt_output SET sha256 = 'abc'")
    noticed = invariants.check_all(lately=True)
    assert noticed == invariants.check_all()
    assert set(noticed) == {"the-past-stays", "events-reproduce", "logs-are-whole", "outputs-succeeded"}
    plant("UPDATE run SET finished_at = finished_at - interval '3 h' WHERE id = %s", run.pk)
    assert invariants.check_all(lately=True) == {}
    assert invariants.check_all() == noticed


def test_the_product_looks_by_itself_once_an_hour(
    people: Cast, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended_run(people)
    plant("DELETE FROM run_event WHERE run_id = %s AND seq = 3", run.pk)
    monkeypatch.setattr(watch, "_next_look", 0.0)
    sweeps.sweep_once()
    sweeps.sweep_once()
    assert Chore.objects.filter(kind="invariants").count() == 1
    chores.carry_out_due()
    chore = Chore.objects.get(kind="invariants")
    assert "the-past-stays: run" in chore.error
    assert chore.state == "waiting"
    with pytest.raises(watch.Broken, match=r"manage\.py invariants"):
        watch.look(chore)
    assert "orchestrator_invariants_broken 1.0" in metrics.text().decode()
    plant("UPDATE run SET finished_at = finished_at - interval '3 h' WHERE id = %s", run.pk)
    plant("UPDATE chore SET due_at = now() WHERE id = %s", chore.pk)
    chores.carry_out_due()
    assert "orchestrator_invariants_broken 0.0" in metrics.text().decode()


def test_the_command_says_what_is_broken(people: Cast, plant: Plant) -> None:
    run = ended_run(people)
    out = StringIO()
    call_command("invariants", stdout=out)
    assert out.getvalue().count("holds ") == len(invariants.INVARIANTS)
    assert out.getvalue().endswith(f"\n{len(invariants.INVARIANTS)} hold.\n")
    numbers = [each.number for each in invariants.INVARIANTS]
    assert sorted([*numbers, *invariants.ELSEWHERE]) == list(range(1, 16))
    assert "(no    13 here: no secret" in out.getvalue()
    plant("DELETE FROM run_event WHERE run_id = %s AND seq = 3", run.pk)
    with pytest.raises(CommandError, match="2 of the invariants"):
        call_command("invariants", stdout=out)
    assert "BROKEN  6 the-past-stays" in out.getvalue()
    call_command("invariants", "no-overlap", stdout=out)
    with pytest.raises(CommandError, match="No invariant is called tidy"):
        call_command("invariants", "tidy", stdout=out)


def test_the_application_itself_cannot_plant_any_of_this() -> None:
    from django.db import DatabaseError, connection, transaction

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
