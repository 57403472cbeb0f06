"""Code locations that are Git repositories, over every way in: a disk, HTTP with a password, SSH with a key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import code, repositories, snapshots
from pipelines.errors import Conflict, Invalid
from pipelines.models import AuditEvent, CodeLocation, CodeSnapshot
from pipelines.store import Store
from runs import chores
from runs.models import Chore, Queue
from tests.factories import Cast, make_cast, make_secret
from tests.pipelines.git_servers import (
    BLOCKS,
    PASSWORD,
    USER,
    Repository,
    Shell,
    Web,
    make_repository,
    served_by_http,
    served_by_ssh,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    """An installation of its own, which may ask this machine."""
    settings.ORCHESTRATOR = {
        **settings.ORCHESTRATOR,
        "HOME": tmp_path / "home",
        "STORE": str(tmp_path / "home" / "store"),
        "INNER_ADDRESSES": ["127.0.0.0/8", "::1"],
    }
    return tmp_path / "home"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = make_repository(tmp_path / "served" / "code")
    made.commit("First blocks", steps__py=BLOCKS)
    return made


@pytest.fixture
def web(repository: Repository) -> Iterator[Web]:
    with served_by_http(repository.folder.parent) as running:
        yield running


@pytest.fixture
def shell() -> Iterator[Shell]:
    with served_by_ssh() as running:
        yield running


def registered(cast: Cast, where: str, **wanted: Any) -> CodeLocation:
    """A location, after its first sync has been tried."""
    location = repositories.register(cast.team, "steps", where, actor=cast.alice, **wanted)
    return after_chores(location)


def after_chores(location: CodeLocation) -> CodeLocation:
    chores.carry_out_due()
    assert list(Chore.objects.exclude(state="done").values_list("kind", "error")) == []
    return CodeLocation.objects.select_related("team", "last_snapshot").get(pk=location.pk)


def synced_again(location: CodeLocation, cast: Cast) -> CodeLocation:
    repositories.ask(location, actor=cast.alice)
    return after_chores(location)


def looked_at(location: CodeLocation) -> CodeLocation:
    chores.ask("look at code", str(location.uuid))
    return after_chores(location)


# --- what a sync gives ----------------------------------------------------------------------------------


def test_a_repository_on_disk_is_synced_by_a_chore(cast: Cast, repository: Repository) -> None:
    location = repositories.register(cast.team, "steps", str(repository.folder), actor=cast.alice)
    assert location.syncing == {"words": "waiting for the system worker", "per_cent": 0}
    assert code.state(location) == "never"
    location = after_chores(location)
    sha = repository.git("rev-parse", "HEAD")
    assert (location.sync_error, location.syncing, code.state(location)) == ("", None, "in-step")
    assert (location.commit, location.subject, location.branch) == (sha, "First blocks", "refs/heads/main")
    snapshot = location.last_snapshot
    assert snapshot is not None
    assert (snapshot.commit, snapshot.subject, snapshot.dirty) == (sha, "First blocks", False)
    assert snapshot.commit_at is not None
    assert set(snapshot.blocks) == {"steps:load"}
    assert [event.verb for event in AuditEvent.objects.order_by("id")] == ["code.register", "code.sync"]
    assert AuditEvent.objects.get(verb="code.sync").actor == cast.alice


def test_a_repository_is_read_over_http_with_the_password_of_a_secret(cast: Cast, web: Web) -> None:
    make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    location = registered(cast, f"{web.address}/code/.git", secret="deploy")
    assert location.sync_error == ""
    assert location.last_snapshot is not None
    assert any(given for _, given in web.asked)


def test_a_repository_is_read_over_ssh_with_the_key_of_a_secret(
    cast: Cast, shell: Shell, repository: Repository
) -> None:
    make_secret(cast.team, "key", shell.key)
    location = registered(cast, f"{shell.address}{repository.folder}", secret="key")
    assert location.sync_error == ""
    assert location.last_snapshot is not None
    assert location.known_hosts.strip() == shell.host_line.rsplit(" ", 1)[0] or shell.host_line.startswith(
        location.known_hosts.strip()
    )
