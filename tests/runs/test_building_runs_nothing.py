"""A build is done by the product's own user: where teams are kept apart, no code of a package runs in it."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from runs.environments import building, venvs
from runs.environments.venvs import BuildFailed
from runs.models import Queue
from tests.runs.test_environments import cache as cache
from tests.runs.test_environments import locked, make_wheel
from tests.runs.test_environments import no_network as no_network


def with_pth(tmp_path: Path) -> tuple[bytes, Path]:
    """A lock of a wheel that does something in each interpreter that knows it, and where that shows."""
    ran = tmp_path / "ran"
    pth = {"hostile.pth": f"import os; os.mkdir({str(ran)!r})\n"}
    return locked(make_wheel(tmp_path / "wheels", "hostile", more=pth)), ran


def source_of(tmp_path: Path) -> tuple[bytes, Path]:
    """A lock of a source distribution that does something when it is built, and where that shows."""
    ran = tmp_path / "ran"
    sdist = tmp_path / "hostile-1.0.tar.gz"
    files = {
        "backend.py": f"import os; os.mkdir({str(ran)!r})\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "hostile"\nversion = "1.0"\n',
    }
    with tarfile.open(sdist, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"hostile-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    return f"hostile @ {sdist.as_uri()} --hash=sha256:{digest}\n".encode(), ran


@pytest.mark.parametrize("run_nothing", [True, False])
def test_a_wheel_runs_nothing_when_it_is_installed_and_is_compiled(
    cache: Path, tmp_path: Path, run_nothing: bool
) -> None:
    lock, ran = with_pth(tmp_path)
    python = venvs.interpreter(cache, venvs.remember_lock(cache, lock), run_nothing=run_nothing)
    assert not ran.exists()
    assert list(python.parent.parent.glob("lib/python*/site-packages/__pycache__/hostile.*.pyc"))
    subprocess.run([python, "-c", "import hostile"], check=True)
    assert ran.exists(), "the test would have seen it"


def test_a_source_distribution_is_not_built(cache: Path, tmp_path: Path) -> None:
    lock, ran = source_of(tmp_path)
    with pytest.raises(BuildFailed, match="hostile"):
        venvs.interpreter(cache, venvs.remember_lock(cache, lock), run_nothing=True)
    assert not ran.exists()


@pytest.mark.parametrize("line", ["-r {}", "-r{}", "--requirement={}", " -c {}", "--constraint {}", "-e {}"])
def test_a_lock_file_that_leads_to_other_files_is_refused_unread(
    cache: Path, tmp_path: Path, line: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary\n")
    lock = venvs.remember_lock(cache, line.format(secret).encode() + b"\n")
    with pytest.raises(BuildFailed, match="it may only name packages") as refused:
        venvs.interpreter(cache, lock)
    assert "canary" not in str(refused.value)


@pytest.mark.django_db
def test_it_is_so_as_soon_as_one_queue_keeps_teams_apart() -> None:
    assert not building.teams_are_apart()
    Queue.objects.create(slug="apart", isolation="own user")
    assert building.teams_are_apart()


def test_a_lock_file_is_told_no_variables_of_the_machine(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX_PRIVATE_PASSWORD", "wheels")
    lock = locked(make_wheel(tmp_path / "wheels", "curious"))
    curious = lock.replace(b"/wheels/", b"/${UV_INDEX_PRIVATE_PASSWORD}/")
    with pytest.raises(BuildFailed, match="it may only name packages"):
        venvs.interpreter(cache, venvs.remember_lock(cache, curious))
