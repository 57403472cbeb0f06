"""Files of a team's user, on their way into the hands of root: what is lent to it and what it gives back."""

from __future__ import annotations

import os
import resource
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from pipelines.store import Store
from runs.worker import folders, lending, takeover

UID = 64_321
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="`own user` needs root: not looked at")


@pytest.fixture
def work(tmp_path: Path, settings: LazySettings) -> Path:
    """The folder of an attempt of a team's user."""
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "HOME": tmp_path}
    folder = folders.of_attempt(str(uuid.uuid4()), UID)
    folders.make_owned(folder, UID)
    return folder


def written(path: Path, text: str = "own") -> str:
    """A file as the user would have written it."""
    path.write_text(text)
    os.chown(path, UID, UID)
    return str(path)


def result(*paths: str) -> dict[str, Any]:
    return {
        "outputs": [{"name": f"o{place}", "type": "file", "path": path} for place, path in enumerate(paths)]
    }


def test_own_files_and_folders_are_taken_and_the_user_can_change_nothing_any_more(work: Path) -> None:
    inner = work / "outputs" / "folder"
    inner.mkdir()
    os.chmod(inner, 0o777)  # noqa: S103 - as a task may leave it
    os.chown(inner, UID, UID)
    given = result(written(work / "outputs" / "file"), str(inner), written(inner / "deep"))
    assert takeover.taken_over(given, str(work), UID) == given
    for folder in (work, work / "outputs", inner):
        assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (0, 0o700)


def test_more_files_than_anybody_looks_at_are_refused(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "MOST_FILES", 10)
    inner = work / "outputs" / "folder"
    inner.mkdir()
    for number in range(20):
        (inner / str(number)).touch()
    error = takeover.taken_over(result(written(work / "outputs" / "o")), str(work), UID)["error"]
    assert error["message"] == "the folders of this attempt hold more than 10 files and folders"


@pytest.mark.parametrize("make", [os.link, os.symlink])
def test_a_second_name_of_a_file_of_root_is_no_output(work: Path, tmp_path: Path, make: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    make(secret, work / "outputs" / "o")
    error = takeover.taken_over(result(str(work / "outputs" / "o")), str(work), UID)["error"]
    assert error["message"] == "output o0 is not a file or folder that the task itself has written"
    assert secret.read_text() == "canary"


def test_pipes_and_names_of_others_inside_a_folder_are_left_out(work: Path, tmp_path: Path) -> None:
    os.mkfifo(work / "outputs" / "pipe")
    (tmp_path / "secret").write_text("canary")
    os.link(tmp_path / "secret", work / "outputs" / "second")
    written(work / "outputs" / "own")
    takeover.taken_over(result(str(work / "outputs")), str(work), UID)
    assert os.listdir(work / "outputs") == ["own"]


def test_folders_too_deep_to_look_at_are_said(work: Path) -> None:
    deep = work / "outputs"
    for _ in range(takeover.DEEPEST + 1):
        deep = deep / "d"
        deep.mkdir()
    error = takeover.taken_over(result(written(work / "outputs" / "o")), str(work), UID)["error"]
    assert "more than 200 deep" in error["message"]


def test_an_input_is_lent_without_a_copy_and_for_reading_by_its_user_alone(
    work: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    kept = store.put_bytes(b"model")
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "a").write_text("a")
    tree = store.put_folder(tmp_path / "tree")
    inputs = {
        "model": {"type": "file", "path": str(store.local_path(kept.sha256))},
        "tree": {"type": "folder", "path": str(store.local_folder(tree.sha256))},
        "number": {"type": "any", "value": 1},
    }
    lent = lending.lend(inputs, work, UID)
    assert lent["number"] == inputs["number"]
    model = Path(lent["model"]["path"])
    assert model.samefile(store.local_path(kept.sha256))
    assert (model.stat().st_uid, model.stat().st_mode & 0o777) == (0, 0o404)
    assert (Path(lent["tree"]["path"]) / "sub" / "a").read_text() == "a"
    above = model.parent.stat()
    assert (above.st_uid, above.st_gid, above.st_mode & 0o777) == (0, UID, 0o750)


def test_an_input_on_another_file_system_is_copied(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*_: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    (tmp_path / "model").write_text("model")
    os.chmod(tmp_path / "model", 0o400)
    monkeypatch.setattr(os, "link", elsewhere)
    lent = lending.lend({"m": {"type": "file", "path": str(tmp_path / "model")}}, work, UID)
    assert Path(lent["m"]["path"]).read_text() == "model"
    assert Path(lent["m"]["path"]).stat().st_mode & 0o777 == 0o404


def test_everything_of_an_attempt_is_removed_also_what_a_dead_worker_left(work: Path) -> None:
    folders.lent(work).mkdir()
    written(work / "outputs" / "o")
    folders.remove(work)
    assert list(folders.left()) == []
    folders.lent(work).mkdir()
    (folders.root() / f"{work.name}.gone").mkdir()
    for entry in list(folders.left()):
        folders.remove_left(entry)
    assert list(folders.left()) == []


def test_folders_in_each_other_are_removed_with_few_open_at_a_time(work: Path) -> None:
    deep = work / "outputs"
    for _ in range(150):
        deep = deep / "d"
        deep.mkdir()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 60, before[1]))
    try:
        folders.remove(work)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert list(folders.left()) == []
