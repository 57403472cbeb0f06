"""Environments that nothing uses leave the disk; those in use stay."""

from __future__ import annotations

import os
import subprocess
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from pipelines.models import AuditEvent
from runs.environments import building, pruning, unused, venvs
from runs.models import Environment
from tests.runs.test_environments import make_wheel, pinned
from tests.runs.test_environments import no_network as no_network

pytestmark = pytest.mark.django_db

MONTH = 31 * pruning.DAY


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object) -> Path:
    monkeypatch.setattr(building, "_held", {})
    monkeypatch.setitem(settings.ORCHESTRATOR, "CACHE", tmp_path / "cache")  # type: ignore[attr-defined]
    return tmp_path / "cache"


def built(cache: Path, text: bytes = b"", *, idle: float = MONTH) -> Path:
    """The folder of an environment that was last used `idle` seconds ago, by nobody who is still there."""
    lock = venvs.remember_lock(cache, text)
    folder = Path(building.interpreter(lock, lambda: text)).parent.parent
    building._held.pop((lock, "")).use.end()
    when = time.time() - idle
    os.utime(folder / venvs.COMPLETE, (when, when))
    return folder


def test_what_nobody_used_for_long_goes_and_its_row_says_so(cache: Path) -> None:
    old, young = built(cache), built(cache, b"# another\n", idle=pruning.DAY)
    assert [found.folder for found in unused.prune()] == [old]
    assert not old.exists()
    assert young.exists()
    states = dict(Environment.objects.values_list("lock_sha256", "state"))
    assert sorted(states.values()) == ["missing", "ready"]


def test_what_is_removed_is_built_again_when_it_is_needed(cache: Path) -> None:
    folder = built(cache)
    unused.prune()
    assert built(cache) == folder
    assert (folder / venvs.COMPLETE).is_file()


def test_an_environment_that_a_process_uses_stays(cache: Path) -> None:
    folder = built(cache)
    use = pruning.Use(folder)
    assert unused.prune() == []
    use.end()
    assert len(unused.prune()) == 1


def test_an_environment_in_which_a_process_waits_stays(cache: Path) -> None:
    folder = built(cache)
    program = [str(folder / "bin" / "python"), "-c", "print('here', flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None
        waiting.stdout.readline()  # only by now its name stands where all processes do
        assert unused.prune() == []
        waiting.kill()
    assert len(unused.prune()) == 1


def test_an_environment_of_a_code_location_stays(
    cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from pipelines import code
    from tests.runs.factories import make_team

    location_folder = tmp_path_factory.mktemp("location")
    (location_folder / "requirements.lock").write_bytes(b"")
    folder = built(cache)
    location = code.register(
        make_team(), "mine", str(location_folder), actor=None, lock_file="requirements.lock"
    )
    assert unused.prune() == []
    type(location).objects.filter(pk=location.pk).update(archived_at=location.created_at)
    assert [found.folder for found in unused.prune()] == [folder]


def test_a_person_is_told_how_much_room_that_made_and_it_is_written_down(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(cache / "wheels", "grain")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel.parent))
    built(cache, pinned(wheel))
    said = StringIO()
    call_command("environments", "list", stdout=said)
    assert "not needed" in said.getvalue()
    call_command("environments", "prune", "--dry-run", stdout=said)
    assert "1 would be removed" in said.getvalue()
    call_command("environments", "prune", stdout=said)
    assert "1 removed, " in said.getvalue()
    assert "MiB freed" in said.getvalue()
    assert AuditEvent.objects.get(verb="environment.prune").actor_name == "system"
    call_command("environments", "prune", stdout=said)
    assert "0 removed" in said.getvalue()
    assert AuditEvent.objects.filter(verb="environment.prune").count() == 1


def test_the_size_counts_what_is_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "envs" / "x"
    folder.mkdir(parents=True)
    (folder / "own").write_bytes(b"x" * 100_000)
    (folder / "shared").write_bytes(b"x" * 50_000)
    os.link(folder / "shared", tmp_path / "elsewhere")
    size, own = pruning.measure(folder)
    assert size >= 150_000
    assert 100_000 <= own < 150_000
