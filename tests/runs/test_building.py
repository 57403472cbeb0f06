"""The environment of a code location: built once, written down, and said in words when it cannot be."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from pipelines import checking, code
from pipelines.clock import EngineNow
from pipelines.models import CodeLocation, CodeSnapshot
from runs import chores, triggers
from runs.environments import building, interpreters, uv, venvs
from runs.environments.interpreters import Python
from runs.environments.rows import Told
from runs.models import Chore, Environment, Queue
from runs.protocol import Refused
from runs.worker.requests import CannotRun, Code, Requests
from tests.factories import make_published, make_user
from tests.runs.factories import make_team
from tests.runs.test_environments import make_wheel, pinned
from tests.runs.test_environments import no_network as no_network

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object) -> Path:
    monkeypatch.setattr(building, "_held", {})
    monkeypatch.setitem(settings.ORCHESTRATOR, "CACHE", tmp_path)  # type: ignore[attr-defined]
    return tmp_path


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where code lies: outside of the cache and of the home."""
    return tmp_path_factory.mktemp("location")


NOWHERE = b"no-such-package-anywhere==1.0 --hash=sha256:" + b"0" * 64 + b"\n"


def lock_of(cache: Path, text: str) -> str:
    return venvs.remember_lock(cache, text.encode())


def test_an_environment_is_built_once_and_its_place_written_down(cache: Path) -> None:
    lock = lock_of(cache, "")
    python = building.interpreter(lock, lambda: b"")
    assert Path(python).exists()
    row = Environment.objects.get(lock_sha256=lock)
    assert (row.state, row.paths) == ("ready", {socket.gethostname(): python})
    assert building.interpreter(lock, lambda: b"") == python


def test_a_build_that_fails_names_the_package_and_keeps_what_was_said(cache: Path) -> None:
    lock = lock_of(cache, "no-such-package-anywhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(venvs.BuildFailed, match="no-such-package-anywhere"):
        building.interpreter(lock, lambda: b"")
    row = Environment.objects.get(lock_sha256=lock)
    assert row.state == "failed"
    assert "no-such-package-anywhere" in row.log


def test_synced_code_has_its_environment_built_by_a_chore(
    cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from pipelines.models import User

    folder = tmp_path_factory.mktemp("location")
    (folder / "blocks.py").write_text("def one() -> int:\n    return 1\n")
    (folder / "requirements.lock").write_text("")
    admin = User.objects.create_superuser("site", email="site@example.org", password=None)
    location = code.register(make_team(), "mine", str(folder), actor=admin, lock_file="requirements.lock")
    assert location.last_snapshot is not None
    building.when_synced(location.last_snapshot)
    chore = Chore.objects.get(kind="build")
    assert chores.carry_out(chore.id)
    assert Chore.objects.get(id=chore.id).state == "done"
    assert Environment.objects.get(lock_sha256=location.last_snapshot.lock_sha256).state == "ready"


def location_of(folder: Path, *, lock: bytes | None = b"", python: str = "", **given: Any) -> CodeLocation:
    """A code location with a block `blocks:one`, its lock file and what Python it wants."""
    folder.mkdir(exist_ok=True)
    (folder / "blocks.py").write_text("def one() -> int:\n    return 1\n")
    if lock is not None:
        (folder / "requirements.lock").write_bytes(lock)
        given["lock_file"] = "requirements.lock"
    if python:
        (folder / ".python-version").write_text(python)
    team = given.pop("team", None) or make_team()
    return code.register(team, "mine", str(folder), actor=None, **given)


def snapshot_of(location: CodeLocation) -> CodeSnapshot:
    assert location.last_snapshot is not None
    return location.last_snapshot


def build(location: CodeLocation) -> Chore:
    """Carry out the chore that a sync asks for."""
    building.when_synced(snapshot_of(location))
    chore = Chore.objects.get(kind="build", state="waiting")
    chores.carry_out(chore.id)
    chore.refresh_from_db()
    return chore


def test_the_row_says_what_is_in_the_environment_and_what_was_said(
    cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(cache / "wheels", "grain")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel.parent))
    assert build(location_of(folder, lock=pinned(wheel))).state == "done"
    row = Environment.objects.get()
    assert row.packages == [["grain", "1.0"]]
    assert row.sizes[socket.gethostname()] > 1000
    assert row.python == platform.python_version()
    assert row.log.startswith(f"# Making an environment with Python {platform.python_version()}\n")
    assert "# Installing 1 package\n" in row.log
    assert "+ grain==1.0" in row.log
    assert (row.build, row.progress, row.problem) == (1, "", "")
    assert row.built_at is not None


def test_two_locations_with_one_lock_share_the_environment(cache: Path, folder: Path) -> None:
    first, second = location_of(folder / "a"), location_of(folder / "b")
    assert build(first).state == build(second).state == "done"
    assert Environment.objects.get().build == 1


def test_the_log_is_written_while_it_is_built(
    cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    step = Told.step

    def watched(self: Told, words: str) -> None:
        step(self, words)
        row = Environment.objects.get()
        seen.append((row.state, row.progress))

    monkeypatch.setattr(Told, "step", watched)
    build(location_of(folder))
    making = f"Making an environment with Python {platform.python_version()}"
    assert seen == [("building", words) for words in (making, "Installing 0 packages", "Compiling")]


def test_a_chore_that_builds_is_soon_free_for_others_when_its_worker_dies(
    cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What a SIGKILL looks like from inside: nothing after it is carried out."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(venvs, "build", killed)
        with pytest.raises(Killed):
            build(location_of(folder))
    assert Chore.objects.annotate(left=F("taken_until") - EngineNow()).get().left < timedelta(seconds=31)
    Chore.objects.update(taken_until=EngineNow())
    assert chores.due() == [Chore.objects.get().id]
    assert chores.carry_out(Chore.objects.get().id)
    assert Environment.objects.get().state == "ready"


def test_a_failure_on_one_machine_leaves_it_ready_on_another(cache: Path) -> None:
    lock = lock_of(cache, "no-such-package-anywhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    Environment.objects.create(lock_sha256=lock, state="ready", paths={"elsewhere": "/x/bin/python"})
    with pytest.raises(venvs.BuildFailed):
        building.interpreter(lock, lambda: b"")
    row = Environment.objects.get()
    assert (row.state, row.paths) == ("ready", {"elsewhere": "/x/bin/python"})
    assert "no-such-package-anywhere" in row.problem


def test_a_task_whose_environment_cannot_be_built_fails_with_the_package_in_its_cause(
    cache: Path, folder: Path
) -> None:
    snapshot = snapshot_of(location_of(folder, lock=NOWHERE))
    wanted = Code(snapshot.tree_sha256, snapshot.lock_sha256, "requirements.lock", (), "")
    with pytest.raises(CannotRun, match="no-such-package-anywhere") as failed:
        Requests()._interpreter(wanted)
    assert failed.value.reason == "infrastructure", "the tests are offline, and that may pass"


def test_a_package_that_there_is_not_ends_the_task_and_the_chore_at_once(
    cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    location = location_of(folder, lock=NOWHERE)
    snapshot = snapshot_of(location)
    with pytest.raises(CannotRun, match="no-such-package-anywhere") as failed:
        Requests()._interpreter(Code(snapshot.tree_sha256, snapshot.lock_sha256, "requirements.lock", (), ""))
    assert failed.value.reason == "validation"
    assert build(location).state == "done"
    row = Environment.objects.get()
    assert row.state == "failed"
    assert row.problem.startswith("Because no-such-package-anywhere was not found"), row.problem


# Interpreters


def test_the_products_own_python_is_taken_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "present", lambda **_: pytest.fail("the machine was looked at"))
    assert interpreters.choose("") == interpreters.choose(">=3.11") == interpreters.own()


def test_another_python_is_found_and_the_environment_built_on_it(cache: Path, folder: Path) -> None:
    others = [python for python in interpreters.present() if python != interpreters.own()]
    if not others:
        pytest.skip("this machine has one Python only")
    build(location_of(folder, python=others[0].version))
    row = Environment.objects.get()
    assert (row.wanted, row.python, row.state) == (f"=={others[0].version}", others[0].version, "ready")
    said = subprocess.run([row.paths[socket.gethostname()], "-V"], capture_output=True, text=True, check=True)
    assert said.stdout.split()[1] == others[0].version


def test_a_python_that_is_not_there_is_said_at_once_with_those_that_are(cache: Path, folder: Path) -> None:
    location = location_of(folder, python="3.99")
    assert build(location).state == "waiting"
    row = Environment.objects.get()
    assert (row.state, row.problem_code) == ("failed", "python-missing")
    assert f"it wants Python ==3.99.*, and there is only {platform.python_version()}" in row.problem


def test_code_without_a_lock_wants_its_python_as_well(cache: Path, folder: Path) -> None:
    build(location_of(folder, lock=None, python="3.99"))
    assert Environment.objects.get().problem_code == "python-missing"


def test_when_the_python_was_installed_the_next_try_finds_it(
    cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = location_of(folder, python="3.99")
    build(location)
    new = Python("3.99.1", sys.executable)
    monkeypatch.setattr(interpreters, "_look", lambda: [interpreters.own(), new])
    assert build(location).state == "done"
    assert Environment.objects.get().python == "3.99.1"


def test_an_interpreter_list_that_cannot_be_had_is_a_failed_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv, "program", lambda: "/no/such/uv")
    monkeypatch.setattr(interpreters, "_seen", None)
    with pytest.raises(venvs.BuildFailed, match="could not be listed"):
        interpreters.choose(">=3.99")


TEXT = """\
schema: orchestrator/v1
name: small
code: {location: mine}
tasks:
  one: {kind: python, run: "blocks:one"}
"""


def test_what_cannot_be_built_is_a_warning_in_the_editor_and_refuses_no_version(
    cache: Path, folder: Path
) -> None:
    Queue.objects.create(slug="cpu")
    location = location_of(folder, lock=NOWHERE)
    build(location)
    problems = checking.check(TEXT, location.team).problems
    assert [(found.severity, found.code, found.path, found.line) for found in problems] == [
        ("warning", "build-failed", "code.location", 3)
    ]
    assert "no-such-package-anywhere" in problems[0].message


def test_a_run_whose_python_is_nowhere_is_refused_before_it_starts(cache: Path, folder: Path) -> None:
    Queue.objects.create(slug="cpu")
    location = location_of(folder, python="3.99")
    build(location)
    person = make_user()
    version = make_published(TEXT, team=location.team, owner=person)
    assert [found.code for found in checking.check(TEXT, location.team).problems] == ["python-missing"]
    with pytest.raises(Refused, match="it wants Python") as refused:
        triggers.by_person(version.pipeline, user=person, token=None, parameters={})
    assert refused.value.code == "python-missing"
