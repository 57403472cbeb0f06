"""What is special to some pages of the console."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pipelines import accounts, drafts, ownership, secrets, tokens
from pipelines.admin import audit as audit_pages
from pipelines.models import (
    ApiToken,
    AuditEvent,
    CodeLocation,
    Membership,
    Pipeline,
    Role,
    Secret,
    Team,
    User,
)
from runs import slots, team_limits
from runs.models import Queue, Slot, TeamLimits
from tests.factories import PASSWORD, join, make_user, say_who
from tests.orchestrator_site.console import cases
from tests.orchestrator_site.console.cases import VALUE, Scene

PIPELINES = "/admin/pipelines/pipeline/"
PEOPLE = "/admin/pipelines/user/"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def roles_of(team: Team) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in Membership.objects.filter(team=team, ended_at=None).select_related("user"):
        found.setdefault(row.user.username, set()).add(row.role)
    return found


# --- the door -------------------------------------------------------------------------------------------


def test_who_is_signed_out_comes_to_the_sign_in_page_and_back(db: None) -> None:
    answer = Client().get(PEOPLE, follow=False)
    answer = Client().get(answer["Location"])
    assert answer["Location"] == "/sign-in?next=%2Fadmin%2Fpipelines%2Fuser%2F"


def test_signing_out_leads_to_the_sign_in_page(root: Client) -> None:
    assert root.post("/admin/logout/")["Location"] == "/sign-in"
    assert root.get("/admin/").status_code == 302


def test_who_changes_something_must_have_said_lately_who_they_are(scene: Scene, root: Client) -> None:
    say_who(root, scene.root, minutes_ago=16)
    assert root.get(PEOPLE).status_code == 200
    assert root.get(f"{PEOPLE}add/?x=1")["Location"] == (
        "/sign-in/again?next=%2Fadmin%2Fpipelines%2Fuser%2Fadd%2F%3Fx%3D1"
    )
    row = cases.person(scene)
    form = {"action": "make_site_admin", "_selected_action": [row.pk], "confirmed": "yes"}
    answer = root.post(PEOPLE, form)
    assert answer.status_code == 403
    assert "reload this page" in answer.content.decode()
    assert not User.objects.get(pk=row.pk).is_superuser
    say_who(root, scene.root)
    assert root.post(PEOPLE, form).status_code == 302
    assert User.objects.get(pk=row.pk).is_superuser


def test_who_changes_nothing_but_leaves_is_not_asked(scene: Scene, root: Client) -> None:
    say_who(root, scene.root, minutes_ago=600)
    assert root.post("/admin/logout/")["Location"] == "/sign-in"


def test_the_first_page_shows_every_model_and_what_one_did_last(scene: Scene, root: Client) -> None:
    cases.team(scene)
    page = text_of(root.get("/admin/"))
    for words in (
        "People",
        "Teams",
        "Tokens",
        "Pipelines",
        "Queues",
        "Secrets",
        "Audit log",
        "made the team",
    ):
        assert words in page


def test_no_page_has_a_script_or_a_style_of_its_own(scene: Scene, root: Client) -> None:
    row = cases.person(scene)
    for path in ("/admin/", PEOPLE, f"{PEOPLE}{row.pk}/change/", f"{PEOPLE}{row.pk}/history/", PIPELINES):
        page = text_of(root.get(path))
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\son\w+=\"", page), path


def test_times_are_those_of_the_reader(scene: Scene, root: Client) -> None:
    accounts.change(scene.root, {"time_zone": "Asia/Kathmandu"}, actor=scene.root)
    event = AuditEvent.objects.get(verb="person.change")
    at = event.at
    shown = text_of(root.get(f"{PEOPLE}{scene.root.pk}/history/"))
    assert "Asia/Kathmandu" in shown
    minutes = (at.hour * 60 + at.minute + 5 * 60 + 45) % (24 * 60)
    assert f"{minutes // 60:02}:{minutes % 60:02}:{at.second:02}" in shown


# --- people ---------------------------------------------------------------------------------------------


def test_a_person_is_made_with_a_password_and_a_service_account_without(scene: Scene, root: Client) -> None:
    sent = cases.new_person(password=PASSWORD)(scene)
    assert root.post(f"{PEOPLE}add/", sent).status_code == 302
    assert authenticate(username="ada", password=PASSWORD)
    robot = {
        "username": "robot",
        "first_name": "",
        "email": "",
        "password": "",
        "service_of": scene.cast.team.pk,
    }
    assert root.post(f"{PEOPLE}add/", robot).status_code == 302
    assert User.objects.get(username="robot").service_of == scene.cast.team
    wrong = root.post(f"{PEOPLE}add/", {**robot, "username": "robot2", "email": "r@example.org"})
    assert set(wrong.context["adminform"].form.errors) == {"email"}
    weak = root.post(
        f"{PEOPLE}add/", {**sent, "username": "eve", "email": "eve@example.org", "password": "short"}
    )
    assert set(weak.context["adminform"].form.errors) == {"password"}
    assert "short" not in re.sub(r"too short", "", text_of(weak))


def test_who_leaves_leaves_pipelines_to_be_given_on(scene: Scene, root: Client) -> None:
    alice = scene.cast.alice
    for name in ("one", "two"):
        drafts.create(scene.cast.team, name, actor=alice)
    tokens.issue(alice, name="ci")
    asked = {"action": "deactivate", "_selected_action": alice.pk, "confirmed": "1"}
    answer = root.post(PEOPLE, asked, follow=True)
    [said] = messages_of(answer)
    assert "2 pipelines have no active owner now" in said
    where = re.search(r'href="([^"]+)"', said)
    assert where
    shown = root.get(where[1])
    assert {row.name for row in shown.context["cl"].result_list} == {"one", "two"}
    assert "has left" in text_of(shown)
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_nobody_deactivates_themselves_and_the_page_says_why(scene: Scene, root: Client) -> None:
    asked = {"action": "deactivate", "_selected_action": scene.root.pk, "confirmed": "1"}
    assert "You cannot deactivate yourself" in text_of(root.post(PEOPLE, asked))
    assert User.objects.get(pk=scene.root.pk).is_active


def test_one_refusal_undoes_the_whole_act(scene: Scene, root: Client) -> None:
    asked = {"action": "deactivate", "confirmed": "1", "_selected_action": [scene.cast.bob.pk, scene.root.pk]}
    assert "You cannot deactivate yourself" in text_of(root.post(PEOPLE, asked))
    assert User.objects.get(pk=scene.cast.bob.pk).is_active


def test_rows_to_which_an_act_does_not_apply_are_left_out_and_said(scene: Scene, root: Client) -> None:
    left = cases.gone(scene)
    asked = {"action": "deactivate", "_selected_action": [left.pk, scene.cast.bob.pk]}
    assert "1 of those you chose is left out" in text_of(root.post(PEOPLE, asked))
    none = root.post(PEOPLE, {"action": "deactivate", "_selected_action": left.pk}, follow=True)
    assert messages_of(none) == ["Deactivate: there is none to do it with."]


def test_setting_ones_own_password_does_not_sign_one_out(scene: Scene, root: Client) -> None:
    sent = {"action": "set_password", "_selected_action": scene.root.pk, "confirmed": "1", "from_row": "1"}
    differing = root.post(PEOPLE, {**sent, "password": VALUE, "again": VALUE + "x"})
    assert list(differing.context["form"].errors) == ["again"]
    weak = root.post(PEOPLE, {**sent, "password": "root-root", "again": "root-root"})
    assert list(weak.context["form"].errors) == ["password"]
    assert root.post(PEOPLE, {**sent, "password": VALUE, "again": VALUE}).status_code == 302
    assert root.get(PEOPLE).status_code == 200


def test_a_person_is_found_by_team_role_and_kind(scene: Scene, root: Client) -> None:
    join(scene.cast.team, make_user("robot", service_of=scene.cast.team), Role.OPERATOR)
    alone = make_user("alone")

    def found(query: str) -> set[str]:
        return {row.username for row in root.get(f"{PEOPLE}?{query}").context["cl"].result_list}

    assert found("team=alpha") == {"alice", "bob", "robot"}
    assert found("team=-") == {alone.username, "root"}
    assert found("role=operator") == {"alice", "charlie", "robot"}
    assert found("service=yes") == {"robot"}
    assert found("site_admin=yes") == {"root"}
    assert found("q=bob%40example") == {"bob"}


@pytest.mark.parametrize(
    "model, field, found",
    [
        ("pipeline", "owner", {"alice", "bob", "charlie", "root"}),
        ("apitoken", "user", {"alice", "bob", "charlie", "root", "robot"}),
    ],
)
def test_a_field_offers_while_one_types_who_may_stand_there(
    scene: Scene, root: Client, model: str, field: str, found: set[str]
) -> None:
    make_user("robot", service_of=scene.cast.team)
    make_user("gone", is_active=False)
    query = {"app_label": "pipelines", "model_name": model, "field_name": field, "term": ""}
    answer = root.get("/admin/autocomplete/", query).json()
    assert {row["text"] for row in answer["results"]} == found


def test_the_history_of_a_person_has_their_roles_too(scene: Scene, root: Client) -> None:
    members = f"/admin/pipelines/team/{scene.cast.team.pk}/members/"
    root.post(members, boxes({scene.cast.alice: ["editor"], scene.cast.bob: ["editor"]}))
    shown = text_of(root.get(f"{PEOPLE}{scene.cast.bob.pk}/history/"))
    assert "set the roles of a member" in shown
    assert "before: viewer" in shown


def boxes(roles: dict[User, list[str]]) -> dict[str, Any]:
    """What the page of members sends: whose boxes it showed, and which were ticked."""
    return {"shown": [member.pk for member in roles], **{f"member-{m.pk}": each for m, each in roles.items()}}


# --- teams ----------------------------------------------------------------------------------------------


def test_members_and_roles_are_set_on_one_page_with_a_row_of_the_chain_each(
    scene: Scene, root: Client
) -> None:
    team, before = scene.cast.team, AuditEvent.objects.count()
    address = f"/admin/pipelines/team/{team.pk}/members/"
    page = text_of(root.get(address))
    assert 'aria-label="alice: editor" checked' in page
    sent = {
        # alice's are as before
        **boxes({scene.cast.alice: ["editor", "operator", "approver"], scene.cast.bob: ["auditor"]}),
        "person": scene.cast.charlie.pk,
        "roles": ["viewer", "admin"],
    }
    assert root.post(address, sent).status_code == 302
    assert roles_of(team) == {
        "alice": {"editor", "operator", "approver"},
        "bob": {"auditor"},
        "charlie": {"viewer", "admin"},
    }
    told = AuditEvent.objects.order_by("id")[before:]
    assert [(row.verb, row.chain, row.actor) for row in told] == [
        ("team.roles", f"team:{team.uuid}", scene.root)
    ] * 2


def test_who_came_while_the_page_was_open_keeps_their_roles(scene: Scene, root: Client) -> None:
    team, address = scene.cast.team, f"/admin/pipelines/team/{scene.cast.team.pk}/members/"
    sent = boxes({scene.cast.alice: ["editor"], scene.cast.bob: []})
    join(team, scene.cast.charlie, Role.VIEWER)
    assert root.post(address, sent).status_code == 302
    assert roles_of(team) == {"alice": {"editor"}, "charlie": {"viewer"}}


def test_the_people_of_a_large_team_come_page_by_page_and_are_found_by_name(
    scene: Scene, root: Client
) -> None:
    for number in range(60):
        join(scene.cast.team, make_user(f"p{number:02}"), Role.VIEWER)
    address = f"/admin/pipelines/team/{scene.cast.team.pk}/members/"

    def shown(query: str) -> list[str]:
        return [str(member) for member in root.get(address + query).context["form"].members]

    assert shown("") == ["alice", "bob", *(f"p{number:02}" for number in range(48))]
    assert shown("?p=2") == shown("?p=99") == [f"p{number:02}" for number in range(48, 60)]
    assert shown("?q=p5") == [f"p{number}" for number in range(50, 60)]
    assert "1 to 50 of 62" in text_of(root.get(address))
    assert "Nobody has that in their name." in text_of(root.get(f"{address}?q=zzz"))


def test_a_last_admin_stays_unless_somebody_takes_over_at_once(scene: Scene, root: Client) -> None:
    team, alice, bob = scene.cast.team, scene.cast.alice, scene.cast.bob
    join(team, alice, Role.ADMIN)
    address = f"/admin/pipelines/team/{team.pk}/members/"
    before = roles_of(team)
    refused = root.post(address, boxes({alice: ["viewer"], bob: ["editor"]}))
    assert "alice is the last admin of alpha" in text_of(refused)
    assert roles_of(team) == before, "all or nothing"
    handed = root.post(address, boxes({alice: ["viewer"], bob: ["admin"]}))
    assert handed.status_code == 302
    assert roles_of(team) == {"alice": {"viewer"}, "bob": {"admin"}}


@pytest.mark.parametrize(
    "sent, field",
    [
        ({"roles": ["viewer"]}, "person"),
        ({"person": "charlie"}, "roles"),
        ({"person": "bob", "roles": ["viewer"]}, "person"),
    ],
)
def test_half_a_new_member_is_refused_at_the_other_half(
    scene: Scene, root: Client, sent: dict[str, Any], field: str
) -> None:
    if "person" in sent:
        sent = {**sent, "person": User.objects.get(username=sent["person"]).pk}
    answer = root.post(f"/admin/pipelines/team/{scene.cast.team.pk}/members/", sent)
    assert list(answer.context["form"].errors) == [field]
    assert set(roles_of(scene.cast.team)) == {"alice", "bob"}


def test_the_members_page_costs_the_same_for_many(scene: Scene, root: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            text_of(root.get(f"/admin/pipelines/team/{scene.cast.team.pk}/members/"))
        return len(seen)

    few = cost()
    for _ in range(20):
        join(scene.cast.team, make_user(), Role.VIEWER, Role.EDITOR)
    assert cost() == few


def test_a_new_team_is_asked_for_its_members_next(scene: Scene, root: Client) -> None:
    answer = root.post("/admin/pipelines/team/add/", {"slug": "fresh", "name": "Fresh"})
    assert answer["Location"] == f"/admin/pipelines/team/{Team.objects.get(slug='fresh').pk}/members/"
    assert root.get("/admin/pipelines/team/999999/members/").status_code == 404


def test_a_team_in_use_is_not_archived_and_the_page_says_why(scene: Scene, root: Client) -> None:
    cases.pipeline(scene)
    asked = {"action": "archive", "_selected_action": scene.cast.team.pk, "confirmed": "1"}
    assert "archive its pipelines first" in text_of(root.post("/admin/pipelines/team/", asked))


# --- pipelines ------------------------------------------------------------------------------------------


def test_many_pipelines_get_an_owner_at_once(scene: Scene, root: Client) -> None:
    rows = [cases.pipeline(scene) for _ in range(3)]
    before = AuditEvent.objects.count()
    asked = {"action": "set_owner", "_selected_action": [row.pk for row in rows], "index": "0"}
    assert "p-" in text_of(root.post(PIPELINES, asked))
    sent = {**asked, "confirmed": "1", "owner": scene.cast.bob.pk}
    del sent["index"]
    assert root.post(PIPELINES, sent).status_code == 302
    assert set(Pipeline.objects.values_list("owner__username", flat=True)) == {"bob"}
    assert AuditEvent.objects.count() == before + 3


def test_an_owner_from_outside_is_refused_at_the_field_for_all(scene: Scene, root: Client) -> None:
    rows = [cases.pipeline(scene) for _ in range(2)]
    sent = {
        "action": "set_owner",
        "_selected_action": [row.pk for row in rows],
        "confirmed": "1",
        "owner": scene.cast.charlie.pk,
    }
    answer = root.post(PIPELINES, sent)
    assert list(answer.context["form"].errors) == ["owner"]
    assert "not an active member of alpha" in text_of(answer)
    assert not AuditEvent.objects.filter(verb="pipeline.describe").exists()


def test_the_filter_for_no_active_owner_is_that_of_the_product(scene: Scene, root: Client) -> None:
    rows = [cases.pipeline(scene) for _ in range(4)]
    wanted = set(ownership.without_owner(Pipeline.objects.all()).values_list("name", flat=True))
    assert 0 < len(wanted) < len(rows)
    shown = root.get(f"{PIPELINES}?without_owner=yes").context["cl"].result_list
    assert {row.name for row in shown} == wanted
    others = root.get(f"{PIPELINES}?without_owner=no").context["cl"].result_list
    assert {row.name for row in others} == {row.name for row in rows} - wanted


def test_a_pipeline_is_not_made_here(scene: Scene, root: Client) -> None:
    assert root.get(f"{PIPELINES}add/").status_code == 403


# --- tokens and secrets ---------------------------------------------------------------------------------


def test_a_token_is_shown_once(scene: Scene, root: Client) -> None:
    answer = root.post("/admin/pipelines/apitoken/add/", cases.new_token()(scene))
    shown = re.search(r'id="token-text"[^>]*value="([^"]+)"', text_of(answer))
    assert shown
    assert tokens.find(shown[1]) == ApiToken.objects.get()
    assert "no-store" in answer["Cache-Control"]
    for page in ("", f"{ApiToken.objects.get().pk}/change/", f"{ApiToken.objects.get().pk}/history/"):
        assert shown[1] not in text_of(root.get(f"/admin/pipelines/apitoken/{page}"))


def test_a_key_of_several_lines_keeps_its_line_ends(scene: Scene, root: Client) -> None:
    """Browsers send CR LF for the line ends of a text area; what reads private keys refuses them with CR."""
    root.post("/admin/pipelines/secret/add/", cases.new_secret(value="first\r\nsecond\r\n")(scene))
    row = Secret.objects.get()
    assert secrets.release(row.team_id, [row.name])[row.name].value == "first\nsecond\n"
    change = {"description": "", "value": "third\r\nfourth"}
    root.post(f"/admin/pipelines/secret/{row.pk}/change/", change)
    assert secrets.release(row.team_id, [row.name])[row.name].value == "third\nfourth"


def test_a_secret_is_on_no_page_not_even_after_a_mistake(scene: Scene, root: Client) -> None:
    row = cases.secret(scene)
    home = "/admin/pipelines/secret/"
    wrong = root.post(f"{home}add/", {**cases.new_secret(value="other-canary")(scene), "name": "Not A Name"})
    assert list(wrong.context["adminform"].form.errors) == ["name"]
    pages = [home, f"{home}{row.pk}/change/", f"{home}{row.pk}/history/", "/admin/pipelines/auditevent/"]
    for text in (text_of(wrong), *(text_of(root.get(page)) for page in pages)):
        assert VALUE not in text
        assert "other-canary" not in text
    sealed = bytes(Secret.objects.get(pk=row.pk).ciphertext)
    assert VALUE.encode() not in sealed


def test_an_empty_value_leaves_a_secret_as_it_is(scene: Scene, root: Client) -> None:
    row = cases.secret(scene)
    address = f"/admin/pipelines/secret/{row.pk}/change/"
    assert root.post(address, {"description": "For the mail", "value": ""}).status_code == 302
    row.refresh_from_db()
    assert (row.version, row.description) == (1, "For the mail")
    assert root.post(address, {"description": "For the mail", "value": "another-value"}).status_code == 302
    row.refresh_from_db()
    assert row.version == 2
    secrets.archive(row, actor=scene.root)
    assert "another-value" not in text_of(root.get(address))
    assert root.post(address, {"description": "x", "value": "x" * 9}).status_code == 403


# --- queues and code ------------------------------------------------------------------------------------


def test_a_paused_queue_says_why_on_the_list(scene: Scene, root: Client) -> None:
    cases.paused_queue(scene)
    assert "paused: New disks" in text_of(root.get("/admin/runs/queue/?paused=yes"))
    assert not root.get("/admin/runs/queue/?paused=no").context["cl"].result_list


def test_a_pause_may_end_by_itself(scene: Scene, root: Client) -> None:
    row = cases.queue(scene)
    sent = {"action": "pause", "_selected_action": row.pk, "confirmed": "1", "reason": "x"}
    past = root.post("/admin/runs/queue/", {**sent, "until_0": "2020-01-01", "until_1": "10:00"})
    assert list(past.context["form"].errors) == ["until"]
    assert (
        root.post("/admin/runs/queue/", {**sent, "until_0": "2999-01-01", "until_1": "10:00"}).status_code
        == 302
    )
    assert Queue.objects.get(pk=row.pk).paused_until is not None


def test_a_folder_that_cannot_be_read_any_more_keeps_its_reason(scene: Scene, root: Client) -> None:
    row = cases.location(scene)
    (scene.folder / "blocks.py").unlink()
    scene.folder.rmdir()
    sent = {"action": "sync", "_selected_action": row.pk, "confirmed": "1"}
    assert "cannot be synced" in text_of(root.post("/admin/pipelines/codelocation/", sent))
    assert CodeLocation.objects.get(pk=row.pk).sync_error
    assert root.get("/admin/pipelines/codelocation/?problem=yes").context["cl"].result_list


# --- the audit log --------------------------------------------------------------------------------------


def test_the_log_is_exported_as_it_is_filtered_and_that_is_told(scene: Scene, root: Client) -> None:
    cases.team(scene)
    cases.event(scene)
    home = "/admin/pipelines/auditevent/"
    assert root.get(f"{home}export/").status_code == 405
    answer = root.post(f"{home}export/?of=alpha")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["verb"], row["actor"], row["object_name"]) for row in rows] == [
        ("team.rename", "root", "alpha")
    ]
    assert AuditEvent.objects.filter(chain="site", verb="audit.export", actor=scene.root).count() == 1


def test_more_than_an_export_takes_is_said_and_not_cut(
    scene: Scene, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_pages, "MOST_EXPORTED", 1)
    cases.team(scene)
    answer = root.post("/admin/pipelines/auditevent/export/", follow=True)
    assert messages_of(answer) == ["These are more than 1 rows: narrow them by a filter, then export."]


def test_a_cell_is_no_formula(scene: Scene, root: Client) -> None:
    Team.objects.filter(pk=scene.cast.team.pk).update(slug="=1+1")
    scene.cast.team.refresh_from_db()
    cases.event(scene)
    answer = root.post("/admin/pipelines/auditevent/export/")
    assert ",'=1+1," in answer.content.decode()


def test_the_chains_are_computed_again_on_request(scene: Scene, root: Client) -> None:
    cases.team(scene)
    page = text_of(root.get("/admin/pipelines/auditevent/verify/"))
    assert page.count("Valid") == 2


def test_a_pool_with_a_wrong_name_and_a_wrong_number_is_told_both(root: Client) -> None:
    answer = root.post(reverse("admin:runs_slot_add"), {"kind": "Not a name!", "units": "0"})
    assert set(answer.context["adminform"].form.errors) == {"kind", "units"}
    assert "New pool" in answer.content.decode()


def test_the_page_of_a_unit_of_a_pool_says_nothing_of_hosts_and_memory(root: Client, scene: Scene) -> None:
    slots.set_pool("licence", 2, actor=scene.root)
    page = root.get(reverse("admin:runs_slot_change", args=[Slot.objects.earliest("id").pk])).content.decode()
    assert "Number in its pool" in page
    assert "Memory" not in page
    assert "Host" not in page
    assert "Add pool" in root.get(reverse("admin:runs_slot_changelist")).content.decode()


def test_limits_of_a_queue_that_were_taken_away_can_be_said_anew_and_those_it_has_cannot(
    root: Client, scene: Scene
) -> None:
    team, queue = scene.cast.team, cases.queue(scene).slug
    team_limits.set_for(team, {queue: team_limits.Limits(running_tasks=5)}, actor=scene.root)
    team_limits.set_for(team, {}, actor=scene.root)
    said = {"team": team.pk, "queue": queue, "running_tasks": 3}
    assert root.post(reverse("admin:runs_teamlimits_add"), said).status_code == 302
    assert TeamLimits.objects.get(team=team, queue=queue).running_tasks == 3
    again = root.post(reverse("admin:runs_teamlimits_add"), said)
    assert again.context["adminform"].form.errors["team"] == [
        f"{team} on {queue} has limits already: change those."
    ]
