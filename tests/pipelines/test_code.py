"""Code locations: snapshots by content, blocks read from them and never run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from pipelines import checking, code, signals, versions
from pipelines.errors import Conflict, Invalid
from pipelines.models import AuditEvent, CodeLocation, CodeSnapshot
from runs.models import Queue
from tests.factories import Cast, make_cast, make_published

pytestmark = pytest.mark.django_db

STEPS = """\
raise SystemExit("never run")

def load(rows: int = 10) -> dict:
    \"\"\"Loads rows.\"\"\"
    return {}
"""
DOCUMENT = """\
schema: orchestrator/v1
name: coded
code: {location: steps, follow: published}
tasks:
  load: {kind: python, run: "steps:load", with: {rows: 3}}
"""


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "steps.py").write_text(STEPS)
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    return tmp_path


@pytest.fixture
def location(cast: Cast, folder: Path) -> CodeLocation:
    return code.register(
        cast.team, "steps", str(folder), actor=cast.alice, lock_file="requirements.lock", preload=["json"]
    )


def test_registering_takes_the_first_snapshot(location: CodeLocation) -> None:
    snapshot = location.last_snapshot
    assert snapshot is not None
    assert (snapshot.file_count, len(snapshot.tree_sha256), len(snapshot.lock_sha256)) == (2, 64, 64)
    assert list(snapshot.blocks) == ["steps:load"]
    assert snapshot.blocks["steps:load"]["doc"] == "Loads rows."
    assert location.preload == ["json"]
    assert AuditEvent.objects.get(verb="code.register").object_uuid == location.uuid


def test_the_same_content_is_the_same_snapshot(location: CodeLocation, folder: Path, cast: Cast) -> None:
    os.utime(folder / "steps.py", (1, 1))
    assert code.sync(location, actor=cast.alice) == location.last_snapshot
    assert CodeSnapshot.objects.count() == 1


def test_changed_content_is_a_new_snapshot_and_the_old_one_stays(
    location: CodeLocation, folder: Path, cast: Cast
) -> None:
    first = location.last_snapshot
    (folder / "more.py").write_text("def more(): ...\n")
    second = code.sync(location, actor=cast.alice)
    assert second != first
    assert set(second.blocks) == {"steps:load", "more:more"}
    assert set(CodeSnapshot.objects.get(pk=first.pk).blocks) == {"steps:load"}  # type: ignore[union-attr]
    (folder / "more.py").unlink()
    assert code.sync(location, actor=cast.alice) == first, "back to what it was"


def test_a_new_snapshot_is_told_after_the_commit(
    location: CodeLocation,
    folder: Path,
    cast: Cast,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[CodeSnapshot] = []

    def hear(snapshot: CodeSnapshot, **_: object) -> None:
        heard.append(snapshot)

    signals.code_synced.connect(hear)
    try:
        (folder / "more.py").write_text("def more(): ...\n")
        with django_capture_on_commit_callbacks(execute=True):
            snapshot = code.sync(location, actor=cast.alice)
            code.sync(location, actor=cast.alice)
    finally:
        signals.code_synced.disconnect(hear)
    assert heard == [snapshot]


def test_a_module_that_cannot_be_read_is_named_and_the_others_are_there(
    location: CodeLocation, folder: Path, cast: Cast
) -> None:
    (folder / "broken.py").write_text("def (\n")
    snapshot = code.sync(location, actor=cast.alice)
    location.refresh_from_db()
    assert (location.sync_error, len(location.notes)) == ("", 1)
    assert "broken (line 1" in location.notes[0]
    assert "steps:load" in snapshot.blocks


def test_a_folder_that_is_gone_is_said_and_the_last_snapshot_stays(
    location: CodeLocation, folder: Path, cast: Cast
) -> None:
    last = location.last_snapshot
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(Conflict, match="cannot be synced"):
        code.sync(location, actor=cast.alice)
    location.refresh_from_db()
    assert location.last_snapshot == last
    assert str(folder) in location.sync_error


@pytest.mark.parametrize("address", ["relative", "/no/such/folder", "/etc/hostname", "a\x00b", ""])
def test_only_folders_of_the_server_can_be_registered(cast: Cast, address: str) -> None:
    with pytest.raises(Invalid, match="not a folder"):
        code.register(cast.team, "steps", address, actor=cast.alice)


def test_the_home_with_its_secrets_cannot_be_registered(cast: Cast, tmp_path: Path) -> None:
    home = Path(settings.ORCHESTRATOR["HOME"])
    (tmp_path / "link").symlink_to(home)
    for address in (home, home.parent, tmp_path / "link"):
        with pytest.raises(Invalid, match="home"):
            code.register(cast.team, "steps", str(address), actor=cast.alice)


def test_a_name_is_taken_once(location: CodeLocation, cast: Cast, folder: Path) -> None:
    with pytest.raises(Conflict, match="another name"):
        code.register(cast.team, "steps", str(folder), actor=cast.alice)
    assert code.register(cast.others, "steps", str(folder), actor=cast.charlie)


def test_a_location_that_cannot_be_read_is_not_registered(cast: Cast, folder: Path) -> None:
    with pytest.raises(Conflict, match="lock file"):
        code.register(cast.team, "steps", str(folder), actor=cast.alice, lock_file="missing.lock")
    assert not CodeLocation.objects.exists()


def test_what_zygotes_preload_comes_from_the_code_itself(cast: Cast, folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.orchestrator]\npreload = ["numpy"]\n')
    assert code.register(cast.team, "steps", str(folder), actor=cast.alice).preload == ["numpy"]


def test_what_the_code_does_not_ask_for_any_more_is_not_preloaded(cast: Cast, folder: Path) -> None:
    project = folder / "pyproject.toml"
    project.write_text('[tool.orchestrator]\npreload = ["numpy"]\n')
    ours = code.register(cast.team, "ours", str(folder), actor=cast.alice)
    given = code.register(cast.team, "given", str(folder), actor=cast.alice, preload=["json"])
    for text, expected in (
        ("", [[], ["json"]]),  # what was said at the registration counts again
        ("[tool.orchestrator]\npreload = []\n", [[], []]),
        ('[tool.orchestrator]\npreload = ["csv"]\n', [["csv"], ["csv"]]),
    ):
        project.write_text(text)
        for location in (ours, given):
            code.sync(location, actor=cast.alice)
            location.refresh_from_db()
        assert [ours.preload, given.preload] == expected


def test_a_published_version_keeps_the_code_it_saw(location: CodeLocation, folder: Path, cast: Cast) -> None:
    first = make_published(DOCUMENT, team=cast.team, owner=cast.alice)
    seen = location.last_snapshot
    assert seen is not None
    assert first.spec["code"]["snapshot"] == seen.tree_sha256
    assert first.spec["code"]["lock"] == seen.lock_sha256
    (folder / "steps.py").write_text(STEPS.replace("int = 10", "int = 20"))
    code.sync(location, actor=cast.alice)
    first.refresh_from_db()
    assert first.spec["code"]["snapshot"] == seen.tree_sha256
    again = versions.publish(first.pipeline, actor=cast.alice)
    assert again.created, "the same text, but other code"
    assert again.version.number == 2


def test_a_block_that_is_not_in_the_snapshot_is_a_problem(location: CodeLocation, cast: Cast) -> None:
    found = checking.check(DOCUMENT.replace("steps:load", "steps:laod"), cast.team).problems
    assert any("steps:load" in problem.message for problem in found), found


def test_a_folder_that_became_a_link_is_not_followed_elsewhere(cast: Cast, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "code", tmp_path / "elsewhere"
    for made in (folder, elsewhere):
        made.mkdir()
        (made / "steps.py").write_text(STEPS)
    location = code.register(cast.team, "swapped", str(folder), actor=cast.alice)
    folder.rename(tmp_path / "away")
    (elsewhere / "secret.py").write_text("KEY = 1")
    folder.symlink_to(elsewhere)
    with pytest.raises(Conflict, match="leads to another folder"):
        code.sync(location, actor=cast.alice)
    location.refresh_from_db()
    assert "leads to another folder" in location.sync_error
