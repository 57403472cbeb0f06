"""What dead workers of this machine left behind is cleared away by the next one that starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from runs.models import WorkerLease
from runs.worker import folders, leftovers, processes
from tests.runs.factories import Hands, make_run, state_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object) -> Path:
    monkeypatch.setitem(settings.ORCHESTRATOR, "HOME", tmp_path)  # type: ignore[attr-defined]
    return tmp_path


def held_by(hands: Hands, pid: int, began: int | None) -> None:
    """As if a worker with this pid held the lease."""
    labels = f'{{"machine": "{leftovers.machine()}", "began": {began or 0}}}'
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE worker_lease SET pid = %s, labels = %s::jsonb WHERE uuid = %s",
            [pid, labels, hands.lease.uuid],
        )


def ended_process() -> tuple[int, int | None]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = processes.began(process.pid)
    process.kill()
    process.wait()
    return process.pid, began


def test_the_lease_of_a_worker_that_died_here_is_lost_at_once_and_its_task_runnable() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    held_by(hands, *ended_process())
    assert leftovers.bury_dead_leases() == 1
    assert WorkerLease.objects.get(uuid=hands.lease.uuid).state == "lost"
    assert state_line(run) == "a=retry_wait"


def test_the_lease_of_a_worker_that_lives_is_left_alone() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    held_by(hands, os.getpid(), processes.began(os.getpid()))
    assert leftovers.bury_dead_leases() == 0
    assert state_line(run) == "a=running"


def test_a_lease_of_another_machine_is_left_alone() -> None:
    make_run("a")
    hands = Hands()
    hands.claim()
    assert leftovers.bury_dead_leases() == 0


def test_folders_of_ended_attempts_are_removed_and_of_running_ones_kept(home: Path) -> None:
    make_run("a, b")
    hands = Hands()
    hands.claim()
    hands.claim()
    ended, running = (folders.of_attempt(hands.held[key].token) for key in ("a", "b"))
    for folder in (ended, running):
        folders.make(folder)
        (folder / "outputs" / "part").write_text("half")
    (folders.root() / "notes").mkdir()
    hands.end("a")
    assert leftovers.remove_leftovers() == 1
    assert sorted(path.name for path in folders.root().iterdir()) == sorted([running.name, "notes"])
