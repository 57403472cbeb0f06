"""A task that takes three workers with it is begun by no run any more, until an operator lets it."""

from __future__ import annotations

import pytest

from pipelines.models import AuditEvent, PipelineVersion
from runs import admission, protocol, quarantine, queries
from runs.models import Quarantine, Run, TaskRun
from tests.runs.factories import Hands, make_user, make_version

pytestmark = pytest.mark.django_db


def start(version: PipelineVersion, **given: object) -> Run:
    return protocol.start_run(
        version,
        parameters={},
        trigger="manual",
        requested_by=make_user(),
        **given,  # type: ignore[arg-type]
    )


def poison(version: PipelineVersion, key: str = "a") -> Run:
    """A run whose task is lost with its worker as often as it is tried."""
    run = start(version)
    for _ in range(3):
        lose(key)
    return run


def lose(key: str, reason: str = "lease") -> None:
    hands = Hands()
    assert hands.claim() == key
    protocol.lose(hands.held[key].token, reason)


def test_a_task_whose_third_worker_was_lost_is_in_quarantine_with_its_version() -> None:
    version = make_version("a > b")
    run = poison(version)
    task = TaskRun.objects.get(run=run, key="a")
    assert (task.state, task.reason) == ("failed", "poison")
    row = Quarantine.objects.get()
    assert (row.version, row.task_key, row.task_run, row.lifted_at) == (version, "a", task, None)


def test_two_lost_workers_are_no_poison() -> None:
    start(make_version("a"))
    for _ in range(2):
        lose("a")
    Hands().work_off()
    assert not Quarantine.objects.exists()


def test_workers_that_were_stopped_do_not_count() -> None:
    start(make_version("a"))
    for _ in range(4):
        lose("a", "drained")
    assert not Quarantine.objects.exists()


def test_a_task_that_fails_by_itself_is_no_poison() -> None:
    start(make_version("a"))
    Hands().work_off(fail={"a": "error"})
    assert not Quarantine.objects.exists()


def test_a_new_run_of_it_is_refused_and_the_words_name_task_run_and_way_out() -> None:
    version = make_version("a > b")
    poison(version)
    with pytest.raises(protocol.Refused) as refused:
        start(version)
    assert refused.value.code == "quarantined"
    assert "a is in quarantine: in run #1 it was lost with its worker three times" in refused.value.message
    assert "Publish a version after 1 that is mended, or have an operator" in refused.value.message


def test_a_run_without_the_task_begins() -> None:
    version = make_version("a, b", tasks={"b": {"queue": "gpu"}})
    poison(version)
    assert start(version, only=["b"]).state == "running"


def test_another_version_is_another_task() -> None:
    poison(make_version("a"))
    assert start(make_version("a")).state == "running"


def test_the_run_itself_is_not_resumed_into_the_same_end() -> None:
    run = poison(make_version("a"))
    with pytest.raises(protocol.Refused, match="in quarantine"):
        protocol.resume_run(run.pk, actor=make_user())


def test_a_queued_run_stays_queued_and_lets_others_go_past() -> None:
    version = make_version("a, b", overlap="queue", tasks={"b": {"queue": "gpu"}})
    first, held = start(version), start(version)
    free = start(version, only=["b"])
    for _ in range(3):
        lose("a")
    Hands("gpu").work_off()
    admission.sweep()
    states = [Run.objects.get(pk=run.pk).state for run in (first, held, free)]
    assert states == ["failed", "queued", "running"]


class TestLifting:
    def test_lets_runs_begin_again(self) -> None:
        version = make_version("a")
        poison(version)
        assert quarantine.lift(Quarantine.objects.get(), "more memory now", actor=make_user())
        assert start(version).state == "running"

    def test_lets_queued_runs_go_on(self) -> None:
        version = make_version("a", overlap="queue")
        start(version)
        held = start(version)
        for _ in range(3):
            lose("a")
        quarantine.lift(Quarantine.objects.get(), "", actor=make_user())
        admission.sweep()
        assert Run.objects.get(pk=held.pk).state == "running"

    def test_lets_a_queued_run_begin_only_when_those_that_went_past_it_have_ended(self) -> None:
        version = make_version("a, b", overlap="queue", tasks={"b": {"queue": "gpu"}})
        _, held = start(version), start(version)
        past = start(version, only=["b"])
        for _ in range(3):
            lose("a")
        Hands("gpu").work_off()
        admission.sweep()
        quarantine.lift(Quarantine.objects.get(), "", actor=make_user())
        admission.sweep()
        assert [Run.objects.get(pk=run.pk).state for run in (held, past)] == ["queued", "running"]
        assert queries.queued([held.pk], {})[held.pk].words == "Queued behind #3, which has not ended."
        Hands("gpu").work_off()
        admission.sweep()
        assert [Run.objects.get(pk=run.pk).state for run in (held, past)] == ["running", "succeeded"]

    def test_twice_is_a_clean_no(self) -> None:
        poison(make_version("a"))
        row, actor = Quarantine.objects.get(), make_user()
        assert quarantine.lift(row, "", actor=actor)
        assert not quarantine.lift(row, "", actor=actor)

    def test_a_task_that_does_it_again_is_in_quarantine_again(self) -> None:
        version = make_version("a")
        poison(version)
        quarantine.lift(Quarantine.objects.get(), "", actor=make_user())
        poison(version)
        assert Quarantine.objects.filter(lifted_at=None).count() == 1
        assert Quarantine.objects.count() == 2

    def test_both_are_in_the_audit_trail(self) -> None:
        poison(make_version("a"))
        actor = make_user()
        quarantine.lift(Quarantine.objects.get(), "looked at it", actor=actor)
        rows = AuditEvent.objects.filter(verb__startswith="task.quarantine").order_by("id")
        assert list(rows.values_list("verb", "actor")) == [
            ("task.quarantine", None),
            ("task.quarantine-lift", actor.pk),
        ]
