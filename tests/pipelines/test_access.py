"""Who may see and do what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from pytest_django import DjangoAssertNumQueries

from pipelines import grants
from pipelines.access import SCOPES, VERBS, VERBS_OF_ROLE, Rights, can, for_user
from pipelines.models import ApiToken, Grant, Membership, Pipeline, Role, Team
from tests.factories import Cast, join, make_cast, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def pipeline(cast: Cast) -> Pipeline:
    return Pipeline.objects.create(team=cast.team, name="p", owner=cast.alice)


def token_of(text: str) -> ApiToken:
    from pipelines import tokens

    found = tokens.find(text)
    assert found is not None
    return found


def test_a_stranger_sees_nothing(cast: Cast, pipeline: Pipeline) -> None:
    for verb in VERBS:
        assert not can(cast.charlie, verb, pipeline)
    assert not for_user(Pipeline.objects.all(), cast.charlie).exists()


def test_nobody_is_let_in_without_an_account(pipeline: Pipeline) -> None:
    for verb in VERBS:
        assert not can(AnonymousUser(), verb, pipeline)
    assert not for_user(Pipeline.objects.all(), AnonymousUser()).exists()


def test_a_viewer_sees_and_does_nothing_else(cast: Cast, pipeline: Pipeline) -> None:
    assert {verb for verb in VERBS if can(cast.bob, verb, pipeline)} == {"view"}


@pytest.mark.parametrize("role", Role.values)
def test_each_role_allows_just_its_verbs(cast: Cast, pipeline: Pipeline, role: str) -> None:
    person = join(cast.team, make_user(), role)
    assert {verb for verb in VERBS if can(person, verb, pipeline)} == VERBS_OF_ROLE[role]
    for verb in VERBS:
        assert for_user(Pipeline.objects.all(), person, verb).exists() == can(person, verb, pipeline)


def test_roles_add_up(cast: Cast, pipeline: Pipeline) -> None:
    assert can(cast.alice, "edit", pipeline)
    assert can(cast.alice, "pause", pipeline)
    assert can(cast.alice, "approve", pipeline)
    assert not can(cast.alice, "manage", pipeline)


def test_a_membership_that_ended_gives_nothing(cast: Cast, pipeline: Pipeline) -> None:
    from pipelines.clock import EngineNow

    Membership.objects.filter(user=cast.bob).update(ended_at=EngineNow())
    assert not can(cast.bob, "view", pipeline)


def test_a_person_who_was_deactivated_may_do_nothing(cast: Cast, pipeline: Pipeline) -> None:
    cast.alice.is_active = False
    cast.alice.save()
    assert not can(cast.alice, "view", pipeline)
    assert not for_user(Pipeline.objects.all(), cast.alice).exists()


def test_a_site_admin_may_do_everything_but_decide_in_a_role_they_lack(pipeline: Pipeline) -> None:
    root = make_user(is_superuser=True)
    assert {verb for verb in VERBS if can(root, verb, pipeline)} == VERBS - {"approve"}
    assert for_user(Pipeline.objects.all(), root).exists()
    assert not for_user(Pipeline.objects.all(), root, "approve").exists()


def test_a_verb_nobody_knows_is_refused_to_everybody(pipeline: Pipeline) -> None:
    assert not can(make_user(is_superuser=True), "explode", pipeline)


def test_things_of_the_site_are_for_site_admins(cast: Cast) -> None:
    assert not any(can(cast.charlie, verb, None) for verb in VERBS)
    assert can(make_user(is_superuser=True), "register", None)


def test_what_has_no_team_is_not_seen_by_default(cast: Cast) -> None:
    assert not can(cast.alice, "view", cast.bob)
    assert not for_user(type(cast.bob).objects.all(), cast.alice).exists()


def test_a_token_does_what_its_scopes_say(cast: Cast, pipeline: Pipeline) -> None:
    token = token_of(make_token(cast.alice, scopes=["read", "run"]))
    assert can(cast.alice, "view", pipeline, token)
    assert can(cast.alice, "run", pipeline, token)
    assert not can(cast.alice, "edit", pipeline, token)
    assert not can(cast.alice, "approve", pipeline, token)


def test_a_token_without_scopes_does_nothing(cast: Cast, pipeline: Pipeline) -> None:
    token = token_of(make_token(cast.alice))
    token.scopes = []
    assert not any(can(cast.alice, verb, pipeline, token) for verb in VERBS)


def test_a_scope_gives_no_more_than_the_person_has(cast: Cast, pipeline: Pipeline) -> None:
    token = token_of(make_token(cast.bob, scopes=SCOPES))
    assert {verb for verb in VERBS if can(cast.bob, verb, pipeline, token)} == {"view"}


def test_a_token_of_one_team_does_not_reach_another(cast: Cast, pipeline: Pipeline) -> None:
    join(cast.others, cast.alice, Role.EDITOR)
    token = token_of(make_token(cast.alice, team=cast.others))
    assert not can(cast.alice, "view", pipeline, token)
    assert list(for_user(Team.objects.all(), cast.alice, token=token)) == [cast.others]


def test_a_site_admins_token_bound_to_a_team_has_no_rights_of_the_site(pipeline: Pipeline) -> None:
    root = make_user(is_superuser=True)
    token = token_of(make_token(root, team=make_team()))
    assert not can(root, "view", pipeline, token)
    assert not can(root, "register", None, token)


def test_a_token_that_was_revoked_or_is_somebody_elses_gives_nothing(cast: Cast, pipeline: Pipeline) -> None:
    from pipelines import tokens

    token = token_of(make_token(cast.alice))
    assert not can(cast.charlie, "view", pipeline, token)
    tokens.revoke(token, actor=cast.alice)
    token.refresh_from_db()
    assert not can(cast.alice, "view", pipeline, token)


def grant(cast: Cast, pipeline: Pipeline, verb: str) -> Grant:
    return grants.lend(pipeline, cast.others, verb, actor=cast.alice)


def test_a_grant_lends_one_thing_for_one_verb(cast: Cast, pipeline: Pipeline) -> None:
    other = Pipeline.objects.create(team=cast.team, name="other")
    grant(cast, pipeline, "run")
    assert can(cast.charlie, "run", pipeline)
    assert can(cast.charlie, "view", pipeline), "what may be run may be seen"
    assert not can(cast.charlie, "edit", pipeline)
    assert not can(cast.charlie, "run", other)
    assert list(for_user(Pipeline.objects.all(), cast.charlie, "run")) == [pipeline]


def test_a_grant_still_asks_for_the_role_in_ones_own_team(cast: Cast, pipeline: Pipeline) -> None:
    dora = join(cast.others, make_user("dora"), Role.VIEWER)
    grant(cast, pipeline, "run")
    assert can(dora, "view", pipeline)
    assert not can(dora, "run", pipeline)


def test_a_grant_that_ended_lends_nothing(cast: Cast, pipeline: Pipeline) -> None:
    grants.end(grant(cast, pipeline, "run"), actor=cast.alice)
    assert not can(cast.charlie, "run", pipeline)


def test_auditing_takes_its_own_role(cast: Cast) -> None:
    assert not Rights(cast.alice).teams("audit")
    dora = join(cast.team, make_user("dora"), Role.AUDITOR)
    assert Rights(dora).teams("audit") == {cast.team.pk}


def test_rights_ask_the_database_a_constant_number_of_times(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    pipelines = [Pipeline.objects.create(team=cast.team, name=f"p-{n}") for n in range(20)]
    rights = Rights(cast.charlie)
    with django_assert_max_num_queries(2):
        for pipeline in pipelines:
            assert not rights.can("view", pipeline)
            assert not rights.can("edit", pipeline)
