"""What one team lends to another: in documents, at the start of runs, and after it was taken back."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import registry
from lineage.models import Endpoint
from pipelines import checking, code, grants, people, secrets
from pipelines.bootstrap import DEMO_CODE
from pipelines.errors import Conflict, Invalid
from pipelines.models import AuditEvent, CodeLocation, Grant, Secret
from pipelines.secrets import NotReleased
from runs import protocol
from runs.models import Queue, RunCode
from tests.factories import Cast, client, make_cast, make_pipeline, make_published, make_secret, make_user
from tests.runs.making import make_version, start, task

NAMING = """\
schema: orchestrator/v1
name: borrowing
code: {location: "alpha:shared"}
tasks:
  fetch:
    kind: shell
    run: echo "$IN_KEY"
    with: {key: "${{ secrets.alpha:token }}"}
"""
Deploying = dict[str, Any]


@pytest.fixture
def cast(db: None) -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture
def location(cast: Cast) -> CodeLocation:
    return code.register(cast.team, "shared", str(DEMO_CODE), actor=None)


@pytest.fixture
def secret(cast: Cast) -> Secret:
    return make_secret(cast.team)


@pytest.fixture
def endpoint(cast: Cast) -> Endpoint:
    return registry.make_endpoint(cast.team, "reader", "demo", actor=cast.alice)


def lend(cast: Cast, thing: Any, verb: str = "use") -> Grant:
    return grants.lend(thing, cast.others, verb, actor=cast.alice)


def problems_of(cast: Cast) -> dict[str, str]:
    return {problem.code: problem.message for problem in checking.check(NAMING, cast.others).problems}


def test_a_document_names_what_was_lent_with_the_owner_in_front(
    cast: Cast, location: CodeLocation, secret: Secret
) -> None:
    assert set(problems_of(cast)) == {"unknown-location", "unknown-secret"}
    lend(cast, location)
    lend(cast, secret)
    assert problems_of(cast) == {}


def test_a_run_uses_the_code_and_is_given_the_secret_of_the_other_team(
    cast: Cast, location: CodeLocation, secret: Secret
) -> None:
    lend(cast, location)
    lend(cast, secret)
    version = make_published(NAMING, team=cast.others, owner=cast.charlie)
    run = start(version, cast.charlie)
    assert RunCode.objects.get(run=run).location == location
    opened = secrets.release(cast.others.pk, {"alpha:token"})
    assert opened["alpha:token"].value == "open-sesame-42"


@pytest.mark.parametrize("which, code", [("code", "code-not-lent"), ("secret", "secret-missing")])
def test_after_it_was_taken_back_the_document_has_a_problem_and_no_run_starts(
    cast: Cast, location: CodeLocation, secret: Secret, which: str, code: str
) -> None:
    lent = {"code": lend(cast, location), "secret": lend(cast, secret)}
    version = make_published(NAMING, team=cast.others, owner=cast.charlie)
    assert grants.end(lent[which], actor=cast.alice)
    assert not grants.end(lent[which], actor=cast.alice)
    assert len(problems_of(cast)) == 1
    with pytest.raises(
        protocol.Refused, match=r"is not lent to this team .* an admin of the team alpha"
    ) as no:
        start(version, cast.charlie)
    assert no.value.code == code


def test_a_secret_that_was_taken_back_is_given_to_no_further_task(cast: Cast, secret: Secret) -> None:
    lent = lend(cast, secret)
    grants.end(lent, actor=cast.alice)
    with pytest.raises(NotReleased, match="'alpha:token' is not lent"):
        secrets.release(cast.others.pk, {"alpha:token"})


def test_a_model_goes_to_the_endpoint_of_another_team_only_while_it_is_lent(
    cast: Cast, endpoint: Endpoint
) -> None:
    deploying = task("deploy", "deploy", **{"with": {"endpoint": {"lit": "alpha:reader"}}})
    version = make_version(cast.others, cast.charlie, [deploying])
    with pytest.raises(protocol.Refused, match="The endpoint 'alpha:reader' is not lent"):
        start(version, cast.charlie)
    lent = lend(cast, endpoint)
    assert checking.context_of(cast.others).endpoints == {"alpha:reader": "demo"}
    assert registry.endpoint_of(cast.others.pk, "alpha:reader") == endpoint
    start(version, cast.charlie)
    grants.end(lent, actor=cast.alice)
    with pytest.raises(Conflict, match="ask an admin of the team alpha"):
        registry.endpoint_of(cast.others.pk, "alpha:reader")


def test_nothing_is_lent_by_a_team_that_was_closed(cast: Cast, secret: Secret) -> None:
    lend(cast, secret)
    people.archive_team(cast.team, actor=cast.alice)
    assert secrets.names(cast.others) == set()


def test_what_cannot_be_lent_is_refused_in_words(cast: Cast, secret: Secret) -> None:
    with pytest.raises(Invalid, match="lent for use, not to edit"):
        lend(cast, secret, "edit")
    with pytest.raises(Invalid, match="belongs to this team already"):
        grants.lend(secret, cast.team, "use", actor=cast.alice)
    with pytest.raises(Invalid, match="can be lent"):
        grants.things("team")
    lend(cast, secret)
    with pytest.raises(Conflict, match="others may use alpha:token already"):
        lend(cast, secret)


def test_lending_and_taking_back_are_in_the_audit_chain_of_the_owner(cast: Cast, secret: Secret) -> None:
    grants.end(lend(cast, secret), actor=make_user("dora"))
    rows = AuditEvent.objects.filter(team=cast.team, object_kind="grant").order_by("seq")
    assert [(row.verb, row.actor_name) for row in rows] == [("grant.give", "alice"), ("grant.end", "dora")]


def test_the_versions_of_secrets_are_told_apart_by_their_owner(cast: Cast, secret: Secret) -> None:
    own = make_secret(cast.others)
    secrets.change(own, actor=cast.alice, value="another value of it")
    lend(cast, secret)
    assert secrets.versions_of(cast.others.pk, {"token", "alpha:token"}) == {"token": 2, "alpha:token": 1}
    assert secrets.versions_of(cast.others.pk, {"token"}) == {"token": 2}


def test_who_is_lent_a_secret_is_not_told_which_pipelines_of_its_team_name_it(
    cast: Cast, secret: Secret
) -> None:
    make_pipeline(NAMING.replace("alpha:", ""), team=cast.team, owner=cast.alice)
    lend(cast, secret)
    address = f"/api/v1/secrets/{secret.uuid}/"
    assert [use["name"] for use in client(cast.alice).get(address).json()["used_by"]] == ["borrowing"]
    answer = client(cast.charlie).get(address)
    assert answer.status_code == 200
    assert answer.json()["used_by"] == []
