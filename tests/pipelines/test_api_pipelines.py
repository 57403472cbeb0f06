"""The API of pipelines, people, tokens, code and the audit chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from pipelines.models import ApiToken, AuditEvent, Pipeline, Role, User
from runs.models import Queue
from tests.factories import (
    PASSWORD,
    SMALL,
    Cast,
    client,
    join,
    make_cast,
    make_pipeline,
    make_published,
    make_team,
    make_token,
    make_user,
)

pytestmark = pytest.mark.django_db
API = "/api/v1/"


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return client(cast.alice)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body of an RFC 9457 problem, after checking its form."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"].endswith(code)
    assert body["title"]
    assert body["detail"]
    return body


# --- from text to a version -----------------------------------------------------------------------------


def test_a_program_goes_from_text_to_an_active_version_with_only_a_token(cast: Cast) -> None:
    program = client(token=make_token(cast.alice))
    made = program.post(f"{API}pipelines/", {"name": "small", "document": SMALL})
    assert made.status_code == 201
    assert made.json()["active_version"] is None
    published = program.post(f"{API}pipelines/small/versions/", {"message": "first"})
    assert published.status_code == 201
    body = published.json()
    assert (body["number"], body["active"], body["created"], body["message"]) == (1, True, True, "first")
    assert [task["key"] for task in body["graph"]["tasks"]] == ["greet", "shout"]
    assert body["graph"]["edges"] == [{"up": "greet", "down": "shout", "rule": "success", "data": True}]
    seen = program.get(f"{API}pipelines/small/").json()
    assert seen["active_version"]["number"] == 1
    assert seen["parameters"] == {"who": {"type": "string", "default": "world"}}
    assert seen["can"] == {"run": True, "edit": True, "pause": True}
    event = AuditEvent.objects.get(verb="version.publish")
    assert event.token == ApiToken.objects.get()


def test_publishing_the_same_again_is_200_and_the_same_version(cast: Cast, alice: APIClient) -> None:
    make_published(team=cast.team, owner=cast.alice)
    again = alice.post(f"{API}pipelines/small/versions/", {})
    assert again.status_code == 200
    assert again.json()["created"] is False


def test_a_draft_with_problems_is_refused_with_all_of_them(cast: Cast, alice: APIClient) -> None:
    text = SMALL.replace("kind: shell", "kind: shel").replace(
        "schema: orchestrator/v1", "schema: orchestrator/v9"
    )
    make_pipeline(text, team=cast.team, owner=cast.alice, name="small")
    body = problem(alice.post(f"{API}pipelines/small/versions/", {}), 422, "draft-has-problems")
    lines = [found["line"] for found in body["problems"]]
    assert len(lines) >= 3
    assert lines == sorted(lines)


def test_validating_stores_nothing_and_names_every_line(cast: Cast, alice: APIClient) -> None:
    answer = alice.post(f"{API}validate/", {"document": SMALL.replace("greet.outputs", "great.outputs")})
    assert answer.status_code == 200
    (found,) = [p for p in answer.json()["problems"] if p["severity"] == "error"]
    assert found["line"] == 15
    assert "greet" in found["message"]
    assert not Pipeline.objects.exists()
    good = alice.post(f"{API}validate/", {"document": SMALL}).json()
    assert good["problems"] == []
    assert [task["name"] for task in good["graph"]["tasks"]] == ["greet", "shout"]


@pytest.mark.parametrize("document", ["", "\t", "[", "a: &x 1", "- 1", "🎉", "x" * 100_000, "{" * 100])
def test_no_document_makes_the_server_stumble(alice: APIClient, document: str) -> None:
    assert alice.post(f"{API}validate/", {"document": document}).status_code == 200


def test_a_document_of_a_team_is_judged_by_what_that_team_has(cast: Cast, alice: APIClient) -> None:
    join(cast.others, cast.alice, Role.EDITOR)
    problem(alice.post(f"{API}validate/", {"document": SMALL}), 422, "team-missing")
    assert alice.post(f"{API}validate/", {"document": SMALL, "team": "others"}).status_code == 200
    make_pipeline(team=cast.team, owner=cast.alice)
    assert alice.post(f"{API}validate/", {"document": SMALL}).status_code == 200, "that of its namesake"


# --- drafts ---------------------------------------------------------------------------------------------


def test_a_draft_is_read_and_saved_with_its_etag(cast: Cast, alice: APIClient) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    draft = alice.get(f"{API}pipelines/small/draft/")
    assert draft.json()["document"] == SMALL
    assert draft["ETag"] == draft.json()["etag"] == '"1"'
    saved = alice.put(
        f"{API}pipelines/small/draft/",
        {"document": "  spaces kept \n", "layout": {"greet": {"x": 1}}},
        headers={"If-Match": '"1"'},
    )
    assert saved.status_code == 200
    assert saved["ETag"] == '"2"'
    assert saved.json()["document"] == "  spaces kept \n"
    assert saved.json()["problems"]
    assert saved.json()["saved_by"] == {"username": "alice", "name": "Alice"}


def test_a_draft_is_read_without_judging_it(cast: Cast, alice: APIClient) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    alice.put(f"{API}pipelines/small/draft/", {"document": "wrong"})
    judged = alice.get(f"{API}pipelines/small/draft/").json()
    assert judged["problems"]
    read = alice.get(f"{API}pipelines/small/draft/?problems=false").json()
    assert read == {**judged, "problems": None}
    problem(alice.get(f"{API}pipelines/small/draft/?problems=maybe"), 422, "invalid")


@pytest.mark.parametrize("stale", ['"1"', '"nonsense"', "W/", '"' + "9" * 40 + '"', '"²"'])
def test_an_older_etag_is_412_and_overwrites_nothing(cast: Cast, alice: APIClient, stale: str) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    alice.put(f"{API}pipelines/small/draft/", {"document": "one"})
    answer = alice.put(f"{API}pipelines/small/draft/", {"document": "two"}, headers={"If-Match": stale})
    assert problem(answer, 412, "stale")["etag"] == '"2"'
    assert alice.get(f"{API}pipelines/small/draft/").json()["document"] == "one"


def test_a_draft_that_somebody_saved_since_it_was_read_is_not_published(cast: Cast, alice: APIClient) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    alice.put(f"{API}pipelines/small/draft/", {"document": f"{SMALL}# unread\n"})
    older, read = {"If-Match": '"1"'}, {"If-Match": '"2"'}
    refused = alice.post(f"{API}pipelines/small/versions/", {}, headers=older)
    assert problem(refused, 412, "stale")["etag"] == '"2"'
    assert alice.get(f"{API}pipelines/small/versions/").json()["results"] == []
    assert alice.post(f"{API}pipelines/small/versions/", {}, headers=read).status_code == 201


def test_what_is_too_large_is_413(cast: Cast, alice: APIClient) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    address = f"{API}pipelines/small/draft/"
    problem(alice.put(address, {"document": "x" * (2 * 1024**2 + 1)}), 413, "document-too-large")
    problem(alice.put(address, {"document": "x" * (7 * 1024**2)}), 413, "too-large")


def test_validating_reads_what_code_in_the_document_takes_and_gives(alice: APIClient) -> None:
    document = (
        "schema: orchestrator/v1\nname: inline\ntasks:\n"
        "  a: {kind: python, source: 'def f(rate: float = 0.5, *, n: int) -> str: ...'}\n"
        "  b: {kind: python, source: 'def f('}\n"
    )
    signatures = alice.post(f"{API}validate/", {"document": document}).json()["signatures"]
    assert list(signatures) == ["a"]
    assert signatures["a"]["inputs"] == [
        {"name": "rate", "type": "number", "required": False, "default": 0.5},
        {"name": "n", "type": "integer", "required": True},
    ]
    assert signatures["a"]["outputs"] == [{"name": "result", "type": "string"}]


@pytest.mark.parametrize(
    "body, field",
    [
        ({}, "document"),
        ({"document": None}, "document"),
        ({"document": ["a"]}, "document"),
        ({"document": "a\x00b"}, "document"),
        ({"document": "a", "layout": []}, "layout"),
        ({"document": "a", "layout": {"x": "\x00"}}, "layout"),
    ],
)
def test_what_cannot_be_stored_is_422_and_names_the_field(
    cast: Cast, alice: APIClient, body: dict[str, Any], field: str
) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    answer = problem(alice.put(f"{API}pipelines/small/draft/", body), 422, "invalid")
    assert [error["field"] for error in answer["errors"]] == [field]


@pytest.mark.parametrize("raw", ['{"document": "\\ud800"}', '{"document": "a", "layout": {"a": "\\ud800"}}'])
def test_half_characters_are_422(cast: Cast, alice: APIClient, raw: str) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    answer = alice.generic("PUT", f"{API}pipelines/small/draft/", raw, "application/json")
    assert answer.status_code == 422


def test_what_is_no_json_is_400(alice: APIClient) -> None:
    answer = alice.generic("POST", f"{API}validate/", "{", "application/json")
    problem(answer, 400, "parse-error")


# --- names ----------------------------------------------------------------------------------------------


def test_a_bare_name_that_several_teams_have_is_409_with_the_candidates(cast: Cast, alice: APIClient) -> None:
    join(cast.others, cast.alice, Role.VIEWER)
    make_pipeline(team=cast.team, owner=cast.alice)
    make_pipeline(team=cast.others, owner=cast.charlie)
    body = problem(alice.get(f"{API}pipelines/small/"), 409, "name-ambiguous")
    assert body["candidates"] == ["alpha:small", "others:small"]
    assert alice.get(f"{API}pipelines/others:small/").json()["team"] == "others"
    bound = client(token=make_token(cast.alice, team=cast.team))
    assert bound.get(f"{API}pipelines/small/").json()["team"] == "alpha", "the token's team"


@pytest.mark.parametrize(
    "name", ["nothing", "alpha:nothing", "nobody:small", "Small", "a:b:c", "..", "%00", "ü"]
)
def test_a_name_that_means_nothing_is_404(cast: Cast, alice: APIClient, name: str) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    problem(alice.get(f"{API}pipelines/{name}/"), 404, "not-found")


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "sp ace", "a" * 64, "team:name", "a/b"])
def test_a_pipeline_has_a_plain_name(alice: APIClient, name: str) -> None:
    body = problem(alice.post(f"{API}pipelines/", {"name": name}), 422, "invalid")
    assert body["errors"][0]["field"] == "name"


def test_a_name_that_is_taken_is_409(cast: Cast, alice: APIClient) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    problem(alice.post(f"{API}pipelines/", {"name": "small"}), 409, "name-taken")


def test_an_address_that_is_none_is_a_problem_too(alice: APIClient) -> None:
    problem(alice.get(f"{API}nonsense/"), 404, "no-such-address")
    problem(APIClient(enforce_csrf_checks=True).post(f"{API}nonsense/", {}), 404, "no-such-address")


# --- lists ----------------------------------------------------------------------------------------------


def test_the_list_is_paged_by_cursor_and_complete(cast: Cast, alice: APIClient) -> None:
    for number in range(7):
        make_pipeline("", team=cast.team, owner=cast.alice, name=f"p-{number}")
    make_pipeline("", team=cast.others, owner=cast.charlie, name="hidden")
    seen: list[str] = []
    address: str | None = f"{API}pipelines/?page_size=3"
    while address:
        page = alice.get(address).json()
        assert set(page) == {"next", "previous", "results"}
        assert len(page["results"]) <= 3
        seen += [row["name"] for row in page["results"]]
        address = page["next"]
    assert seen == [f"p-{number}" for number in range(7)]
    problem(alice.get(f"{API}pipelines/?cursor=garbage"), 404, "not-found")


@pytest.mark.parametrize(
    "query, found",
    [
        ("q=TALL", {"tall"}),
        ("owner=bob", {"tall"}),
        ("tag=vision", {"tall"}),
        ("team=alpha", {"tall", "small"}),
        ("team=others", set()),
        ("state=failed", set()),
        ("q=%25", set()),
    ],
)
def test_the_list_can_be_narrowed(cast: Cast, alice: APIClient, query: str, found: set[str]) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    tall = make_pipeline(SMALL.replace("name: small", "name: tall"), team=cast.team, owner=cast.alice)
    Pipeline.objects.filter(pk=tall.pk).update(owner=cast.bob, tags=["vision"])
    results = alice.get(f"{API}pipelines/?{query}").json()["results"]
    assert {row["name"] for row in results} == found


@pytest.mark.parametrize("name", ["q", "team", "owner", "tag", "state", "cursor"])
def test_a_query_that_is_no_text_is_422(alice: APIClient, name: str) -> None:
    body = problem(alice.get(f"{API}pipelines/?{name}=%00"), 422, "invalid")
    assert body["errors"][0]["field"] == name


# --- versions -------------------------------------------------------------------------------------------


def test_versions_are_listed_compared_and_activated(cast: Cast, alice: APIClient) -> None:
    make_published(team=cast.team, owner=cast.alice)
    more = SMALL + "  third: {kind: shell, run: 'true', needs: [shout]}\n"
    make_published(more, team=cast.team, owner=cast.alice)
    listed = alice.get(f"{API}pipelines/small/versions/").json()["results"]
    assert [(row["number"], row["active"]) for row in listed] == [(2, True), (1, False)]
    assert alice.get(f"{API}pipelines/small/versions/1/").json()["text"] == SMALL
    changes = alice.get(f"{API}pipelines/small/versions/2/diff/").json()
    assert (changes["against"], changes["added"], changes["removed"]) == (1, ["third"], [])
    assert changes["edges_added"] == [{"up": "shout", "down": "third", "rule": "success", "data": False}]
    back = alice.get(f"{API}pipelines/small/versions/1/diff/?against=2").json()
    assert back["removed"] == ["third"]
    first = alice.get(f"{API}pipelines/small/versions/1/diff/").json()
    assert (first["against"], first["added"]) == (None, ["greet", "shout"])
    rolled = alice.post(f"{API}pipelines/small/activate/", {"version": 1})
    assert rolled.json()["active_version"]["number"] == 1
    problem(alice.post(f"{API}pipelines/small/activate/", {"version": 9}), 404, "not-found")
    problem(alice.get(f"{API}pipelines/small/versions/9/"), 404, "not-found")
    problem(alice.get(f"{API}pipelines/small/versions/1/diff/?against=x"), 422, "invalid")


def test_archiving_takes_it_out_of_sight(cast: Cast, alice: APIClient) -> None:
    make_published(team=cast.team, owner=cast.alice)
    assert alice.delete(f"{API}pipelines/small/").status_code == 204
    problem(alice.get(f"{API}pipelines/small/"), 404, "not-found")
    assert alice.get(f"{API}pipelines/").json()["results"] == []


# --- people ---------------------------------------------------------------------------------------------


def test_me_says_who_one_is_and_where(cast: Cast, alice: APIClient) -> None:
    me = alice.get(f"{API}me/").json()
    assert me["username"] == "alice"
    assert me["teams"] == [{"slug": "alpha", "name": "Alpha", "roles": ["approver", "editor", "operator"]}]
    assert me["is_superuser"] is False


def test_an_admin_of_the_team_sets_roles_and_the_chain_tells(cast: Cast) -> None:
    dora = join(cast.team, make_user("dora"), Role.ADMIN)
    answer = client(dora).post(
        f"{API}members/", {"team": "alpha", "username": "charlie", "roles": ["viewer"]}
    )
    assert answer.json()["roles"] == ["viewer"]
    event = AuditEvent.objects.select_related("payload").get(verb="team.roles")
    assert event.payload is not None
    assert event.payload.body is not None
    assert event.payload.body["person"] == "charlie"
    listed = client(dora).get(f"{API}members/?team=alpha").json()["results"]
    assert [row["username"] for row in listed] == ["alice", "bob", "charlie", "dora"]
    client(dora).post(f"{API}members/", {"team": "alpha", "username": "charlie", "roles": []})
    assert client(cast.charlie).get(f"{API}members/?team=alpha").status_code == 422


def test_the_last_admin_stays(cast: Cast) -> None:
    dora = join(cast.team, make_user("dora"), Role.ADMIN)
    answer = client(dora).post(f"{API}members/", {"team": "alpha", "username": "dora", "roles": ["viewer"]})
    problem(answer, 409, "last-admin")


def test_a_site_admin_makes_teams_and_people(cast: Cast) -> None:
    root = client(make_user("root", is_superuser=True))
    assert root.post(f"{API}teams/", {"slug": "gamma", "name": "Gamma"}).status_code == 201
    problem(root.post(f"{API}teams/", {"slug": "gamma", "name": "Gamma"}), 409, "name-taken")
    body = {"team": "gamma", "username": "erin", "roles": ["viewer"]}
    problem(root.post(f"{API}members/", body), 422, "invalid")
    weak = {**body, "email": "Erin@Example.org", "password": "12345"}
    assert problem(root.post(f"{API}members/", weak), 422, "invalid")["errors"][0]["field"] == "password"
    assert root.post(f"{API}members/", {**weak, "password": "a good long one"}).status_code == 200
    assert User.objects.get(username="erin").email == "erin@example.org"
    taken = {**weak, "username": "erika", "password": "a good long one"}
    problem(root.post(f"{API}members/", taken), 409, "name-taken")
    for name in ("", "a b", "x\x00y", "é/", "a" * 151):
        assert root.post(f"{API}members/", {**taken, "username": name}).status_code == 422


# --- tokens ---------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_works_until_it_is_revoked(cast: Cast, alice: APIClient) -> None:
    made = alice.post(f"{API}tokens/", {"name": "ci", "team": "alpha", "scopes": ["read"], "days": 3})
    assert made.status_code == 201
    text, row = made.json()["token"], made.json()
    assert (row["name"], row["team"], row["scopes"]) == ("ci", "alpha", ["read"])
    program = client(token=text)
    assert program.get(f"{API}me/").status_code == 200
    listed = alice.get(f"{API}tokens/")
    assert text not in listed.content.decode()
    assert listed.json()["results"][0]["last_used_at"] is not None
    assert text not in str(list(ApiToken.objects.values()))
    assert alice.delete(f"{API}tokens/{row['id']}/").status_code == 204
    body = problem(program.get(f"{API}me/"), 401, "authentication-failed")
    assert "revoked" in body["detail"]
    assert program.get(f"{API}me/")["WWW-Authenticate"].startswith("Bearer")


def test_nobody_revokes_a_token_of_somebody_else(cast: Cast, alice: APIClient) -> None:
    make_token(cast.charlie)
    row = ApiToken.objects.get()
    problem(alice.delete(f"{API}tokens/{row.uuid}/"), 404, "not-found")
    problem(alice.delete(f"{API}tokens/nonsense/"), 404, "not-found")


def test_a_token_makes_none_that_may_do_more(cast: Cast) -> None:
    narrow = client(token=make_token(cast.alice, team=cast.team, scopes=["read", "manage"]))
    made = narrow.post(f"{API}tokens/", {"name": "child"}).json()
    assert (made["scopes"], made["team"]) == (
        ["manage", "read"] if made["scopes"][0] == "manage" else ["read", "manage"],
        "alpha",
    )
    problem(narrow.post(f"{API}tokens/", {"name": "child", "scopes": ["run"]}), 403, "scope-missing")
    reader = client(token=make_token(cast.alice, scopes=["read"]))
    problem(reader.post(f"{API}tokens/", {"name": "child"}), 403, "scope-missing")


def test_a_token_made_by_a_token_does_not_outlive_it(cast: Cast) -> None:
    program = client(token=make_token(cast.alice, days=2))
    parent = ApiToken.objects.get()
    made = program.post(f"{API}tokens/", {"name": "child", "days": 300}).json()
    child = ApiToken.objects.get(uuid=made["id"])
    assert child.expiry <= parent.expiry


def test_a_program_that_is_no_longer_needed_revokes_itself(cast: Cast) -> None:
    program = client(token=make_token(cast.alice, scopes=["read"]))
    row = ApiToken.objects.get()
    assert program.delete(f"{API}tokens/{row.uuid}/").status_code == 204
    assert program.get(f"{API}me/").status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Bearer ü", "Bearer " + "x" * 5000, "bearer nonsense"]
)
def test_a_header_that_is_no_token_is_401(db: None, header: str) -> None:
    answer = APIClient().get(f"{API}me/", headers={"Authorization": header})
    problem(answer, 401, "authentication-failed")


@pytest.mark.parametrize("days", [0, 367, -1, "x"])
def test_tokens_live_a_year_at_most(alice: APIClient, days: object) -> None:
    assert alice.post(f"{API}tokens/", {"name": "x", "days": days}).status_code == 422


# --- code and audit -------------------------------------------------------------------------------------


def test_a_site_admin_registers_a_folder_and_an_editor_syncs_it(
    cast: Cast, alice: APIClient, tmp_path: Path
) -> None:
    (tmp_path / "steps.py").write_text("def load(rows: int = 1) -> dict: ...\n")
    body = {"team": "alpha", "name": "steps", "address": str(tmp_path)}
    problem(alice.post(f"{API}code-locations/", body), 403, "forbidden")
    root = client(make_user("root", is_superuser=True))
    made = root.post(f"{API}code-locations/", body)
    assert made.status_code == 201
    address = f"{API}code-locations/{made.json()['id']}/"
    first = made.json()["snapshot"]["tree_sha256"]
    (tmp_path / "more.py").write_text("def more(x: float) -> float: ...\n")
    synced = alice.post(f"{address}sync/").json()
    assert synced["snapshot"]["tree_sha256"] != first
    assert synced["synced_at"] > made.json()["synced_at"]
    blocks = alice.get(f"{address}blocks/").json()["blocks"]
    assert [block["id"] for block in blocks] == ["more:more", "steps:load"]
    assert alice.get(f"{API}code-locations/?team=alpha").json()["results"][0]["name"] == "steps"
    tmp_path.joinpath("steps.py").unlink()
    tmp_path.joinpath("more.py").unlink()
    tmp_path.rmdir()
    problem(alice.post(f"{address}sync/"), 409, "sync-failed")
    assert str(tmp_path) in alice.get(address).json()["sync_error"]


def test_an_auditor_reads_the_chain_and_the_others_do_not(cast: Cast, alice: APIClient) -> None:
    make_published(team=cast.team, owner=cast.alice)
    problem(alice.get(f"{API}audit/"), 403, "forbidden")
    dora = client(join(cast.team, make_user("dora"), Role.AUDITOR))
    rows = dora.get(f"{API}audit/").json()["results"]
    assert [row["verb"] for row in rows] == ["version.activate", "version.publish", "pipeline.create"]
    assert rows[0]["prev_hash"] == rows[1]["hash"]
    assert rows[1]["payload"]["number"] == 1
    assert set(rows[1]["payload"]) == {"number", "message", "text_sha256", "spec_sha256"}
    one = dora.get(f"{API}audit/?verb=version.publish&team=alpha").json()["results"]
    assert [row["verb"] for row in one] == ["version.publish"]
    by_object = dora.get(f"{API}audit/?object={rows[2]['object']['id']}").json()["results"]
    assert [row["verb"] for row in by_object] == ["pipeline.create"]
    problem(dora.get(f"{API}audit/?object=x"), 404, "not-found")
    problem(dora.get(f"{API}audit/?team=site"), 403, "forbidden")
    root = client(make_user("root", is_superuser=True))
    assert root.get(f"{API}audit/?team=site").status_code == 200


# --- sign-in --------------------------------------------------------------------------------------------

LOGIN = "/_allauth/browser/v1/auth/login"


@pytest.mark.parametrize(
    "given", [{"username": "alice"}, {"username": "alice@example.org"}, {"email": "alice@example.org"}]
)
def test_people_sign_in_by_name_or_address(cast: Cast, redis_connection: Any, given: dict[str, str]) -> None:
    browser = APIClient()
    assert browser.post(LOGIN, {**given, "password": PASSWORD}).status_code == 200
    assert browser.get(f"{API}me/").json()["username"] == "alice"
    assert browser.delete("/_allauth/browser/v1/auth/session").status_code == 401
    assert browser.get(f"{API}me/").status_code == 401


def test_a_wrong_password_and_a_deactivated_person_are_refused(cast: Cast, redis_connection: Any) -> None:
    assert APIClient().post(LOGIN, {"username": "alice", "password": "wrong"}).status_code == 400
    cast.alice.is_active = False
    cast.alice.save()
    browser = APIClient()
    assert browser.post(LOGIN, {"username": "alice", "password": PASSWORD}).status_code != 200
    assert browser.get(f"{API}me/").status_code == 401


def test_guessing_passwords_is_slowed_down(cast: Cast, redis_connection: Any) -> None:
    statuses = [
        APIClient().post(LOGIN, {"username": "alice", "password": f"wrong-{n}"}).status_code
        for n in range(12)
    ]
    assert statuses[0] == 400
    last = APIClient().post(LOGIN, {"username": "alice", "password": PASSWORD})
    assert last.status_code in (400, 429), "not even the right one, for a while"


def test_a_session_ends_with_the_account(cast: Cast, alice: APIClient) -> None:
    assert alice.get(f"{API}me/").status_code == 200
    User.objects.filter(username="alice").update(is_active=False)
    problem(alice.get(f"{API}me/"), 401, "not-authenticated")


def test_members_of_several_teams_say_which(cast: Cast) -> None:
    dora = make_user("dora")
    for team in (cast.team, make_team("beta")):
        join(team, dora, Role.EDITOR)
    body = problem(client(dora).post(f"{API}pipelines/", {"name": "x"}), 422, "team-missing")
    assert "alpha, beta" in body["detail"]
    assert client(dora).post(f"{API}pipelines/", {"name": "x", "team": "beta"}).json()["team"] == "beta"
