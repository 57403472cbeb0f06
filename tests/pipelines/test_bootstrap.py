"""What a fresh installation begins with; every step can be repeated."""

from __future__ import annotations

import pytest
from django.utils.module_loading import import_string
from pytest_django import Settings

from pipelines import bootstrap, checking, drafts, versions
from pipelines.access import VERBS, can
from pipelines.models import AuditEvent, CodeLocation, Membership, Pipeline, PipelineVersion, Role, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def plain(settings: Settings) -> None:
    settings.ORCHESTRATOR = {
        **settings.ORCHESTRATOR, "ADMIN_PASSWORD": "", "ADMIN_EMAIL": "admin@localhost",
    }  # fmt: skip


def demo(settings: Settings) -> list[str]:
    steps = [*settings.ORCHESTRATOR_FIRST_STEPS, *settings.ORCHESTRATOR_DEMO_STEPS]
    return [sentence for sentence in (import_string(step)() for step in steps) if sentence]


def test_the_first_admin_is_made_once_with_a_password_of_its_own(plain: None) -> None:
    password = bootstrap.first_admin()
    admin = User.objects.get(username="admin")
    assert password
    assert admin.check_password(password)
    assert (admin.email, admin.is_superuser) == ("admin@localhost", True)
    assert bootstrap.first_admin() is None
    assert User.objects.count() == 1


def test_the_password_and_the_address_may_be_given(settings: Settings) -> None:
    settings.ORCHESTRATOR = {
        **settings.ORCHESTRATOR, "ADMIN_PASSWORD": "given by me", "ADMIN_EMAIL": "root@example.org",
    }  # fmt: skip
    assert bootstrap.first_admin() is None, "a password that was given is not said again"
    admin = User.objects.get(username="admin")
    assert admin.check_password("given by me")
    assert admin.email == "root@example.org"


def test_the_demo_is_there_after_the_first_start(plain: None, settings: Settings) -> None:
    bootstrap.first_admin()
    said = demo(settings)
    admin = User.objects.get(username="admin")
    team = Team.objects.get(slug="demo")
    roles = Membership.objects.filter(team=team, user=admin, ended_at=None).values_list("role", flat=True)
    assert set(roles) == set(Role.values)
    assert "2 pipelines" in " ".join(said)
    for name in ("digits-training", "cancer-nightly"):
        pipeline = Pipeline.objects.get(team=team, name=name)
        assert pipeline.owner == admin
        assert pipeline.active_version is not None
        assert pipeline.active_version.number == 1
        assert pipeline.purpose
        assert not checking.check(pipeline.draft_text, team, pipeline).problems
        assert {verb for verb in VERBS if can(admin, verb, pipeline)} == VERBS
    location = CodeLocation.objects.get(team=team, name="demo")
    assert location.last_snapshot is not None
    assert location.last_snapshot.lock_sha256
    assert "digits:train" in location.last_snapshot.blocks


def test_a_second_start_changes_nothing(plain: None, settings: Settings) -> None:
    bootstrap.first_admin()
    demo(settings)
    rows = AuditEvent.objects.count()
    assert demo(settings) == []
    assert PipelineVersion.objects.count() == 2
    assert AuditEvent.objects.count() == rows


def test_a_demo_pipeline_that_was_changed_or_archived_is_left_alone(plain: None, settings: Settings) -> None:
    bootstrap.first_admin()
    demo(settings)
    admin = User.objects.get(username="admin")
    versions.archive(Pipeline.objects.get(name="digits-training"), actor=admin)
    drafts.save_draft(Pipeline.objects.get(name="cancer-nightly"), "mine", actor=admin)
    demo(settings)
    assert Pipeline.objects.get(name="digits-training").archived_at is not None
    assert Pipeline.objects.get(name="cancer-nightly").draft_text == "mine"
