"""Two workers at once, on two connections, as chance has it; in forced order they meet in `interleavings`."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from runs import invariants, judging, protocol
from runs.models import Attempt, Reuse, Run
from runs.reuse import stored
from tests.runs.factories import Hands, make_run, make_user, states
from tests.runs.interleavings.meeting import somebody_else
from tests.runs.test_reuse import chain_version, done, start, surroundings, work_off

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(*jobs: object) -> None:
    def close_after(job: object) -> None:
        try:
            job()  # type: ignore[operator]
        finally:
            connection.close()

    threads = [threading.Thread(target=close_after, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_a_claim_looks_past_a_wide_run_that_somebody_holds() -> None:
    wide = make_run(", ".join(f"w{n}" for n in range(40)))
    make_run("other", team=wide.team)
    with somebody_else() as other:
        other.execute("SELECT 1 FROM run WHERE id = %s FOR UPDATE", [wide.id])
        assert Hands().claim() == "other"


def test_a_claim_waits_for_the_only_run_there_is() -> None:
    run = make_run("a")
    hands = Hands()
    with somebody_else() as other:
        other.execute("SELECT 1 FROM run WHERE id = %s FOR UPDATE", [run.id])
        threading.Timer(0.3, other.rollback).start()
        assert hands.claim() == "a"


def test_two_workers_never_get_the_same_task() -> None:
    run = make_run(", ".join(f"t{n}" for n in range(30)))
    hands = [Hands(), Hands()]
    in_threads(*(one.work_off for one in hands))
    assert set(states(run).values()) == {"succeeded"}
    assert Attempt.objects.filter(run=run).count() == 30
    assert Run.objects.get(id=run.id).state == "succeeded"


def finish_and_lose() -> tuple[str, dict[str, str]]:
    run, hands = make_run("a"), Hands()
    hands.claim()
    token = hands.held["a"].token
    in_threads(lambda: hands.end("a"), lambda: protocol.lose(token, "lease"))
    found = Attempt.objects.get(run=run).state, states(run)
    Hands().work_off()
    return found


def test_of_a_finish_and_a_loss_at_once_exactly_one_counts() -> None:
    for _ in range(10):
        assert finish_and_lose() in (("succeeded", {"a": "succeeded"}), ("lost", {"a": "retry_wait"}))


def cancel_and_finish() -> tuple[Run, dict[str, str]]:
    run, hands, actor = make_run("a > b"), Hands(), make_user()
    hands.claim()
    in_threads(lambda: hands.end("a"), lambda: protocol.cancel_run(run.id, actor=actor))
    return Run.objects.get(id=run.id), states(run)


def test_of_a_cancel_and_a_finish_at_once_both_orders_end_the_run() -> None:
    for _ in range(10):
        run, found = cancel_and_finish()
        assert (run.state, run.open_tasks) == ("cancelled", 0)
        assert found == {"a": "succeeded", "b": "cancelled"}


# --- reuse --------------------------------------------------------------------------------------------


def rerunning() -> tuple[Run, Hands]:
    """A rerun whose ``train`` runs; its end decides whether ``report`` is taken over."""
    version = chain_version()
    old = done(version)
    run, hands = start(version, protocol.Rerun(old), rate=2), Hands()
    assert hands.claim() == "train"
    return run, hands


def the_same(hands: Hands) -> None:
    """``train`` ends with what it gave in the old run."""
    output = {"name": "result", "type": "number", "value": 7}
    hands.end("train", outputs=[output], provenance=surroundings())


def cancel_and_reuse() -> tuple[Run, dict[str, str]]:
    (run, hands), actor = rerunning(), make_user()
    in_threads(lambda: the_same(hands), lambda: protocol.cancel_run(run.id, actor=actor))
    return Run.objects.get(id=run.id), states(run)


def test_of_a_cancel_and_a_finish_that_leads_to_reuse_both_orders_end_the_run() -> None:
    for _ in range(5):
        run, found = cancel_and_reuse()
        assert (run.open_tasks, found["load"], found["train"]) == (0, "succeeded", "succeeded")
        assert (run.state, found["report"]) in (("succeeded", "succeeded"), ("cancelled", "cancelled"))
        assert invariants.check_all() == {}


def lose_and_reuse() -> tuple[Run, dict[str, str]]:
    run, hands = rerunning()
    token = hands.held["train"].token
    in_threads(lambda: the_same(hands), lambda: protocol.lose(token, "lease"))
    return run, states(run)


def test_of_a_loss_and_a_finish_that_leads_to_reuse_exactly_one_counts() -> None:
    for _ in range(5):
        run, found = lose_and_reuse()
        assert (found["train"], found["report"]) in (("succeeded", "succeeded"), ("retry_wait", "pending"))
        assert Reuse.objects.filter(task_run__run=run, task_run__key="report").count() == (
            found["report"] == "succeeded"
        )
        Hands().work_off()


def test_reruns_of_one_run_at_once_each_take_over_its_results() -> None:
    version = chain_version()
    old = done(version)
    in_threads(*(lambda: start(version, protocol.Rerun(old)) for _ in range(4)))
    assert list(Run.objects.filter(rerun_of=old).values_list("state", flat=True)) == ["succeeded"] * 4
    assert Reuse.objects.filter(source__run=old).count() == 12


def test_what_the_store_is_asked_is_asked_outside_of_the_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = chain_version()
    start(version)
    work_off(value=None, sha256="a" * 64, address="file:///nowhere", size=1)
    old = Run.objects.get(version=version)
    asked: list[bool] = []

    def answer(keys: dict[int, str], patience: float) -> None:
        asked.append(connection.in_atomic_block)
        stored._there.update(dict.fromkeys(keys, (float("inf"), True)))

    monkeypatch.setattr(stored, "ask_store", answer)
    run = start(version, protocol.Rerun(old))
    judging.catch_up()
    assert states(run) == dict.fromkeys(("load", "train", "report"), "succeeded")
    assert asked == [False, False]  # for the first, then for all others at once


def test_a_claim_that_waited_for_a_run_hands_out_nothing_of_it_when_it_has_ended() -> None:
    run, hands = make_run("a, b"), Hands()
    with somebody_else() as other:
        other.execute("SELECT 1 FROM run WHERE id = %s FOR UPDATE", [run.id])
        # As no verb would leave it: a task that is ready in a run that has ended.
        other.execute("UPDATE run SET state = 'failed' WHERE id = %s", [run.id])
        threading.Timer(0.2, other.commit).start()
        assert hands.claim() is None
    assert not Attempt.objects.filter(run=run).exists()
