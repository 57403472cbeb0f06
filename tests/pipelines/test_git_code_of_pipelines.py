"""The code of versions and runs: which snapshot they use, newer code, and who may do what over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import code, drafts, versions
from pipelines.errors import Conflict, Invalid
from pipelines.models import CodeLocation, Role
from runs import protocol
from runs.models import Chore, Environment, Queue, Run
from tests.factories import Cast, client, join, make_cast, make_published, make_secret, make_user
from tests.pipelines.git_servers import BLOCKS, Repository, make_repository

pytestmark = pytest.mark.django_db

DOCUMENT = """\
schema: orchestrator/v1
name: coded
code: {location: steps, follow: FOLLOW}
tasks:
  load: {kind: python, run: "steps:load", with: {rows: 3}}
"""
LOCATIONS = "/api/v1/code-locations/"


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = make_repository(tmp_path / "code")
    made.commit("First blocks", steps__py=BLOCKS)
    return made


@pytest.fixture
def location(cast: Cast, repository: Repository) -> CodeLocation:
    return code.register(cast.team, "steps", str(repository.folder), actor=cast.alice)


def published(cast: Cast, follow: str) -> Any:
    return make_published(DOCUMENT.replace("FOLLOW", follow), team=cast.team, owner=cast.alice)


def started(version: Any, cast: Cast) -> Run:
    return protocol.start_run(version, parameters={}, trigger="manual", requested_by=cast.alice)


def new_code(repository: Repository, location: CodeLocation, cast: Cast, text: str) -> None:
    repository.commit("Newer blocks", steps__py=text)
    code.sync(location, actor=cast.alice)


# --- follow ---------------------------------------------------------------------------------------------


def test_published_code_stays_whatever_is_synced(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    version = published(cast, "published")
    seen = location.last_snapshot
    new_code(repository, location, cast, BLOCKS.replace("return {}", "return {'n': 1}"))
    assert started(version, cast).code.snapshot == seen


def test_latest_code_is_the_last_synced_one_at_the_start_of_the_run(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    version = published(cast, "latest")
    first = started(version, cast)
    new_code(repository, location, cast, BLOCKS.replace("int = 10", "int = 20"))
    second = started(version, cast)
    assert first.code.snapshot != second.code.snapshot
    assert second.code.snapshot == location.last_snapshot, "another default is no other port"


@pytest.mark.parametrize(
    "text, words",
    [
        (BLOCKS.replace("rows: int", "rows: str"), r"steps:load \(rows\)"),
        (BLOCKS.replace("rows: int = 10", "rows: int, seed: int"), r"steps:load \(rows, seed\)"),
        (BLOCKS.replace("-> dict", "-> int"), r"steps:load \(result\)"),
        (BLOCKS.replace("def load", "def loads"), r"steps:load \(it is gone\)"),
    ],
)
def test_latest_code_with_other_ports_is_refused_by_name(
    cast: Cast, location: CodeLocation, repository: Repository, text: str, words: str
) -> None:
    version = published(cast, "latest")
    new_code(repository, location, cast, text)
    with pytest.raises(protocol.Refused, match=words) as refusal:
        started(version, cast)
    assert refusal.value.code == "code-changed"
    assert "Publish the pipeline again with the new code" in refusal.value.message
    assert not Run.objects.exists()


def test_the_refusal_reaches_who_starts_the_run(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    published(cast, "latest")
    new_code(repository, location, cast, BLOCKS.replace("rows: int", "rows: str"))
    answer = client(cast.alice).post("/api/v1/pipelines/coded/runs/", {"parameters": {}})
    assert (answer.status_code, answer.json()["code"]) == (409, "code-changed")


def test_a_run_says_its_commit_beside_its_snapshot(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    run = started(published(cast, "published"), cast)
    shown = client(cast.alice).get(f"/api/v1/runs/{run.uuid}/").json()["code"]
    assert shown["location"] == "steps"
    assert shown["snapshot"]["tree_sha256"] == run.code.snapshot.tree_sha256
    assert shown["snapshot"]["commit"]["sha"] == repository.git("rev-parse", "HEAD")
    assert shown["snapshot"]["commit"]["subject"] == "First blocks"


# --- new code -------------------------------------------------------------------------------------------


def standing(cast: Cast) -> Any:
    return client(cast.alice).get("/api/v1/pipelines/coded/code/").json()


def test_new_code_is_told_and_published_with_the_same_text(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    first = published(cast, "published")
    drafts.save_draft(first.pipeline, "# half written", actor=cast.alice)
    assert standing(cast)["new_code"] is False
    new_code(repository, location, cast, BLOCKS.replace("return {}", "return {'n': 1}"))
    told = standing(cast)
    assert told["new_code"] is True
    assert (told["used"]["commit"]["subject"], told["latest"]["commit"]["subject"]) == (
        "First blocks",
        "Newer blocks",
    )
    address = "/api/v1/pipelines/coded/versions/"
    answer = client(cast.alice).post(address, {"code": "latest", "message": "New code"})
    assert (answer.status_code, answer.json()["number"], answer.json()["active"]) == (201, 2, True)
    assert answer.json()["text"] == first.text
    first.pipeline.refresh_from_db()
    assert first.pipeline.draft_text == "# half written", "the draft is nobody's business here"
    assert standing(cast)["new_code"] is False
    again = client(cast.alice).post(address, {"code": "latest"})
    assert (again.status_code, again.json()["created"], again.json()["number"]) == (200, False, 2)


def test_an_environment_that_failed_is_told_of_the_used_and_of_the_new_code(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    published(cast, "published")
    repository.commit("With a lock file", requirements__txt="no-such-package==1.0\n")
    CodeLocation.objects.update(lock_file="requirements.txt")
    location.refresh_from_db()
    code.sync(location, actor=cast.alice)
    location.refresh_from_db()
    assert location.last_snapshot is not None
    lock = location.last_snapshot.lock_sha256
    Environment.objects.create(lock_sha256=lock, state="failed", problem="Because there is none")
    told = standing(cast)
    assert told["used_environment"] is None
    assert told["latest_environment"]["problem"] == "Because there is none"


def test_new_code_that_the_text_does_not_fit_is_refused_with_its_problems(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    version = published(cast, "published")
    new_code(repository, location, cast, BLOCKS.replace("def load", "def loads"))
    with pytest.raises(Invalid, match="Version 1, with the new code, has 1 problem") as refusal:
        versions.publish_new_code(version.pipeline, actor=cast.alice)
    assert [problem["code"] for problem in refusal.value.extra["problems"]] == ["unknown-block"]
    assert version.pipeline.versions.count() == 1


def test_new_code_of_a_pipeline_that_was_never_published_is_a_conflict(cast: Cast) -> None:
    pipeline = drafts.create(cast.team, "coded", actor=cast.alice)
    with pytest.raises(Conflict, match="Nothing is published yet"):
        versions.publish_new_code(pipeline, actor=cast.alice)
    assert client(cast.alice).get("/api/v1/pipelines/coded/code/").status_code == 204


def test_a_version_that_follows_the_latest_has_no_newer_code(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    published(cast, "latest")
    new_code(repository, location, cast, BLOCKS + "\n")
    told = standing(cast)
    assert (told["follow"], told["new_code"], told["used"]) == ("latest", False, told["latest"])


# --- who may ------------------------------------------------------------------------------------------


def test_an_admin_of_the_team_registers_a_repository_and_an_editor_does_not(cast: Cast) -> None:
    admin = join(cast.team, make_user("ada"), Role.ADMIN)
    make_secret(cast.team, "deploy", "user:password")
    body = {
        "name": "blocks",
        "kind": "git",
        "address": "ssh://git@code.example.org/x",
        "ref": "main",
        "secret": "deploy",
        "auto_sync": True,
    }
    assert client(cast.alice).post(LOCATIONS, body).status_code == 403
    answer = client(admin).post(LOCATIONS, body)
    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert {name: shown[name] for name in ("ref", "secret", "state")} == {
        "ref": "main",
        "secret": "deploy",
        "state": "never",
    }
    assert shown["syncing"] == {"words": "waiting for the system worker", "per_cent": 0}
    assert shown["can"] == {"sync": True, "manage": True}
    assert Chore.objects.get(kind="sync").key == shown["id"]
    changed = client(admin).patch(f"{LOCATIONS}{shown['id']}/", {"ref": "-x"})
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (422, "ref")
    assert client(admin).delete(f"{LOCATIONS}{shown['id']}/").status_code == 204
    assert client(admin).get(f"{LOCATIONS}{shown['id']}/").status_code == 404


@pytest.mark.parametrize("where", ["/srv/code", "file:///srv/code"])
def test_only_a_site_admin_names_what_lies_on_the_disk_of_the_server(cast: Cast, where: str) -> None:
    admin = join(cast.team, make_user("ada"), Role.ADMIN)
    body = {"name": "blocks", "kind": "git", "address": where, "team": "alpha"}
    answer = client(admin).post(LOCATIONS, body)
    assert (answer.status_code, "site admin" in answer.json()["detail"]) == (403, True), answer.json()
    fine = client(admin).post(LOCATIONS, {**body, "address": "https://code.example.org/x"}).json()
    assert client(admin).patch(f"{LOCATIONS}{fine['id']}/", {"address": where}).status_code == 403
    root = make_user("root", is_superuser=True)
    assert client(root).post(LOCATIONS, {**body, "name": "disk"}).status_code == 201


def test_a_sync_of_a_repository_is_taken_and_one_of_a_folder_is_done(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    from pipelines import repositories

    git = repositories.register(cast.team, "git", str(repository.folder), actor=cast.alice)
    answer = client(cast.alice).post(f"{LOCATIONS}{git.uuid}/sync/")
    assert (answer.status_code, answer.json()["syncing"] is not None) == (202, True)
    assert Chore.objects.filter(kind="sync").count() == 1, "one at a time"
    assert client(cast.alice).post(f"{LOCATIONS}{location.uuid}/sync/").status_code == 200


def test_a_folder_has_no_fields_of_repositories_and_is_not_changed(
    cast: Cast, location: CodeLocation, tmp_path: Path
) -> None:
    root = make_user("root", is_superuser=True)
    body = {"name": "other", "address": str(tmp_path), "team": "alpha", "ref": "main"}
    answer = client(root).post(LOCATIONS, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "ref")
    assert client(root).patch(f"{LOCATIONS}{location.uuid}/", {"ref": "main"}).status_code == 409


def test_snapshots_are_listed_newest_first_with_their_commits(
    cast: Cast, location: CodeLocation, repository: Repository
) -> None:
    new_code(repository, location, cast, BLOCKS + "\n")
    rows = client(cast.bob).get(f"{LOCATIONS}{location.uuid}/snapshots/").json()["results"]
    assert [row["commit"]["subject"] for row in rows] == ["Newer blocks", "First blocks"]
