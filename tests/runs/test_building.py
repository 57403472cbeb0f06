"""The environment of a code location: built once, written down, and said in words when it cannot be."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runs import building, chores, environments
from runs.models import Chore, Environment
from tests.runs.factories import make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object) -> Path:
    monkeypatch.setattr(building, "_held", {})
    monkeypatch.setitem(settings.ORCHESTRATOR, "CACHE", tmp_path)  # type: ignore[attr-defined]
    return tmp_path


def lock_of(cache: Path, text: str) -> str:
    return environments.remember_lock(cache, text.encode())


def test_an_environment_is_built_once_and_its_place_written_down(cache: Path) -> None:
    lock = lock_of(cache, "")
    python = building.interpreter(lock, lambda: b"")
    assert Path(python).exists()
    row = Environment.objects.get(lock_sha256=lock)
    assert (row.state, row.paths) == ("ready", {socket.gethostname(): python})
    assert building.interpreter(lock, lambda: b"") == python


def test_a_build_that_fails_names_the_package_and_keeps_what_was_said(cache: Path) -> None:
    lock = lock_of(cache, "no-such-package-anywhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(environments.BuildFailed, match="no-such-package-anywhere"):
        building.interpreter(lock, lambda: b"")
    row = Environment.objects.get(lock_sha256=lock)
    assert row.state == "failed"
    assert "no-such-package-anywhere" in row.log


def test_synced_code_has_its_environment_built_by_a_chore(
    cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from pipelines import code
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
