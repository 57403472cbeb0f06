"""One mail per run, to whoever is responsible, through a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from pipelines.clock import EngineNow
from pipelines.models import Pipeline, Role
from runs import chores, protocol
from runs.alerts import email
from runs.models import Attempt, Chore, Run, TaskRun
from tests import factories
from tests.factories import Cast
from tests.runs import making
from tests.runs.making import task
from tests.runs.postman import Postman, part, working_postman

pytestmark = pytest.mark.django_db

RETRIES = {**making.NO_RETRIES, "limit": 2, "base": 0.0}


@pytest.fixture
def postman(settings: Settings) -> Iterator[Postman]:
    with working_postman() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "URL": "https://orchestrator.example"}
        yield found


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


def run_of(people: Cast, *tasks: dict[str, Any], **fields: Any) -> Run:
    version = making.make_version(people.team, people.alice, tasks or [task("train")], **fields)
    Pipeline.objects.filter(pk=version.pipeline_id).update(title="Digits <reader>")
    return making.start(version, people.bob)


def carry_out() -> None:
    """What the system worker does, with all pauses over."""
    Chore.objects.filter(state="waiting").update(due_at=EngineNow())
    chores.carry_out_due()


def test_the_owner_is_told_the_cause_the_last_lines_and_the_place(people: Cast, postman: Postman) -> None:
    run = run_of(people, task("g", "group"), task("g/train"))
    work = making.claim(making.make_lease())
    attempt = Attempt.objects.get(uuid=work.token)
    making.say(attempt, *[b"line %d\n" % number for number in range(50)], b"\x1b[31mloss is nan\x1b[0m\n")
    making.finish(work, "failed", "error", cause="ValueError: loss is nan\n  at line 7")
    carry_out()
    (mail,) = postman.mails
    assert postman.to == ["alice@example.org"]
    name = f"alpha:{run.pipeline.name}"
    assert mail["Subject"] == f"{name} #1 failed at g/train: ValueError: loss is nan"
    text = postman.text()
    assert "Digits <reader> — run #1 failed at task g/train." in text
    assert "Cause:     ValueError: loss is nan" in text
    assert f"https://orchestrator.example/runs/{run.uuid}?task=g%2Ftrain&attempt=1&tab=log" in text
    assert "Asked by:  Bob" in text
    assert "    line 31\n" in text
    assert "line 30" not in text
    assert "    loss is nan\n" in text
    assert "\x1b" not in text
    html = part(mail, "html")
    assert "Digits &lt;reader&gt;" in html
    assert "<reader>" not in html
    assert mail["Auto-Submitted"] == "auto-generated"


def test_retries_that_succeed_tell_nobody(people: Cast, postman: Postman) -> None:
    run = run_of(people, task("train", retries=RETRIES))
    lease = making.make_lease()
    for _ in range(2):
        making.finish(making.claim(lease), "failed", "error")
    making.finish(making.claim(lease))
    carry_out()
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert postman.mails == []


def test_the_mail_speaks_of_the_last_try(people: Cast, postman: Postman) -> None:
    run_of(people, task("train", retries=RETRIES))
    lease = making.make_lease()
    for number in range(3):
        making.finish(making.claim(lease), "failed", "exit", exit_code=number + 1)
        assert Chore.objects.count() == (number == 2)
    carry_out()
    assert "Task:      train, attempt 3" in postman.text()
    assert "Cause:     exit 3" in postman.text()


def test_many_failures_of_a_run_make_one_mail_at_the_first_of_them(people: Cast, postman: Postman) -> None:
    run_of(people, task("a"), task("b"), task("c"))
    lease = making.make_lease()
    making.finish(making.claim(lease), "failed", "error", cause="first")
    carry_out()
    making.perform(lease, failing=["b", "c"])
    carry_out()
    assert "Cause:     first" in postman.text()


def test_a_resume_that_fails_again_makes_no_second_mail(people: Cast, postman: Postman) -> None:
    run = run_of(people)
    lease = making.make_lease()
    making.perform(lease, failing=["train"])
    carry_out()
    protocol.resume_run(run.pk, actor=people.alice)
    making.perform(lease, failing=["train"])
    carry_out()
    assert len(postman.mails) == 1


def test_two_runs_make_two_mails_with_names_of_their_own(people: Cast, postman: Postman) -> None:
    for _ in range(2):
        run_of(people)
    making.perform(making.make_lease(), failing=["train"])
    carry_out()
    assert len({mail["Message-ID"] for mail in postman.mails}) == 2


def test_a_server_that_refuses_is_asked_again_later(people: Cast, postman: Postman) -> None:
    run = run_of(people)
    postman.refuse = 2
    making.perform(making.make_lease(), failing=["train"])
    chores.carry_out_due()
    chore = Chore.objects.get()
    assert (chore.state, chore.attempts) == ("waiting", 1)
    assert "451" in chore.error
    chores.carry_out_due()
    assert Chore.objects.get().attempts == 1, "the pause is kept"
    carry_out()
    carry_out()
    (mail,) = postman.mails
    assert mail["Message-ID"].strip() == f"<run-{run.uuid}-failed@orchestrator.example>"
    assert Chore.objects.get().state == "done"


def test_a_repetition_has_the_same_name_so_that_it_can_be_told(people: Cast, postman: Postman) -> None:
    run_of(people)
    making.perform(making.make_lease(), failing=["train"])
    chore = Chore.objects.get()
    email.deliver(chore)
    email.deliver(chore)
    assert len({mail["Message-ID"] for mail in postman.mails}) == 1


def test_a_dead_server_does_not_hold_up_the_run(people: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    run = run_of(people, task("train"), task("other"))
    lease = making.make_lease()
    making.perform(lease, failing=["train"])
    chores.carry_out_due()
    run.refresh_from_db()
    assert run.state == "failed"
    assert "refused" in Chore.objects.get().error.lower()


def test_the_deputy_is_told_when_the_owner_is_gone(people: Cast, postman: Postman) -> None:
    run = run_of(people)
    people.alice.is_active = False
    people.alice.save()
    Pipeline.objects.filter(pk=run.pipeline_id).update(deputy=people.bob)
    making.perform(making.make_lease(), failing=["train"])
    carry_out()
    assert postman.to == ["bob@example.org"]
    assert "deputy" in postman.text()


def test_the_admins_of_the_team_are_told_when_nobody_owns_the_pipeline(
    people: Cast, postman: Postman
) -> None:
    run = run_of(people)
    Pipeline.objects.filter(pk=run.pipeline_id).update(owner=None)
    making.perform(making.make_lease(), failing=["train"])
    chores.carry_out_due()
    assert "give the pipeline an owner" in Chore.objects.get().error
    factories.join(people.team, people.bob, Role.ADMIN)
    carry_out()
    assert postman.to == ["bob@example.org"]


def test_a_deadline_that_passed_is_told_and_a_rejection_is_not(people: Cast, postman: Postman) -> None:
    late = run_of(people, task("ask", "approval"))
    protocol.expire_approval(TaskRun.objects.get(run=late).pk)
    other = run_of(people, task("ask", "approval"))
    protocol.decide(
        TaskRun.objects.get(run=other).pk, "rejected", actor=people.alice, role="approver", comment="no"
    )
    carry_out()
    assert "Nobody decided before the deadline." in postman.text()


def test_what_a_task_says_cannot_add_headers_or_lines(people: Cast, postman: Postman) -> None:
    run_of(people)
    work = making.claim(making.make_lease())
    making.say(Attempt.objects.get(uuid=work.token), b"\x1b]0;title\x07bell\x07 \x9b1m \r over\n")
    making.finish(work, "failed", "error", cause="bad\r\nBcc: eve@example.org\r\n\r\nhello" + "x" * 5000)
    carry_out()
    (mail,) = postman.mails
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) <= 180
    assert postman.to == ["alice@example.org"]
    assert not set(postman.text()) & set(map(chr, [*range(9), *range(11, 32), 127, *range(128, 160)]))
