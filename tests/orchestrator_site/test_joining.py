"""What a machine lacks to serve a queue is said before its workers start, each thing in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db.migrations.executor import MigrationExecutor
from redis import Redis

from lineage import tenants
from orchestrator_site import joining
from orchestrator_site.joining import Findings
from pipelines.models import CodeLocation, CodeSnapshot, Secret, SecretSource, Team
from pipelines.store import configured
from runs import isolation
from runs.models import Queue
from tests.orchestrator_site.test_up_failures import closed_port
from tests.s3 import KEYS

NOWHERE = "0" * 64


@pytest.fixture
def here(db: None, redis_connection: Redis, settings: LazySettings, tmp_path: Path) -> LazySettings:
    """A machine that lacks nothing: servers that answer, a queue, a store with this installation's name."""
    Queue.objects.create(slug="gpu")
    settings.ORCHESTRATOR = {
        **settings.ORCHESTRATOR,
        "STORE": str(tmp_path / "store"),
        "CACHE": tmp_path / "c",
    }
    return settings


@pytest.fixture
def stored(here: LazySettings) -> str:
    """The digest of a snapshot that the other machines have stored."""
    with configured.store() as store:
        digest = store.put_bytes(b"[]").sha256
    make_snapshot(digest)
    return digest


def make_snapshot(digest: str) -> None:
    team = Team.objects.create(slug="demo", name="Demo")
    location = CodeLocation.objects.create(team=team, name="blocks", address="/srv/blocks")
    CodeSnapshot.objects.create(location=location, tree_sha256=digest, file_count=0, size=0, blocks={})


def only(found: Findings) -> str:
    """The one sentence of all that was found."""
    (sentence,) = [*found.lasting, *found.passing, *found.remarks]
    return sentence


def test_a_machine_that_lacks_nothing_has_nothing_to_say(stored: str) -> None:
    assert joining.look("gpu") == Findings()


def test_no_addresses_and_no_home_is_said_at_once(settings: LazySettings) -> None:
    assert settings.EMBEDDED
    home = settings.HOME.secrets_file
    kept = home.with_name("kept")
    home.rename(kept) if home.exists() else None
    try:
        found = joining.look("gpu")
    finally:
        kept.rename(home) if kept.exists() else None
    assert only(found).startswith("DATABASE_URL and REDIS_URL are not set, and ")
    assert found.lasting != []


def test_an_unknown_queue_is_named_with_those_that_there_are(here: LazySettings) -> None:
    found = joining.look("gqu")
    assert found.lasting == [
        "--queue: no queue is called gqu; there are gpu. A site admin makes queues in the admin console."
    ]
    assert joining.look("system").lasting == []


def test_a_redis_that_is_away_delays_and_does_not_keep_workers_from_starting(here: LazySettings) -> None:
    here.REDIS_URL = f"redis://:canary@127.0.0.1:{closed_port()}/0"
    found = joining.look("gpu")
    assert (found.lasting, found.passing) == ([], [])
    assert "it cannot be reached" in only(found)
    assert only(found).endswith("Until it answers tasks begin later than they could.")
    assert "canary" not in only(found)


def test_a_redis_that_refuses_the_password_has_to_be_corrected(here: LazySettings) -> None:
    url = here.REDIS_URL
    here.REDIS_URL = url.replace(url.split(":")[2].split("@")[0], "canary")
    (sentence,) = joining.look("gpu").lasting
    assert sentence.startswith("REDIS_URL: ")
    assert "it refuses the password" in sentence


def test_tables_older_than_this_version_are_waited_for(
    here: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["the next one"])
    (sentence,) = joining.look("gpu").passing
    assert sentence.startswith("The tables are older than this version (1 migrations are missing)")


def test_a_folder_that_is_not_mounted_here_is_no_store(
    stored: str, here: LazySettings, tmp_path: Path
) -> None:
    here.ORCHESTRATOR = {**here.ORCHESTRATOR, "STORE": str(tmp_path / "mnt" / "store")}
    (sentence,) = joining.look("gpu").lasting
    assert sentence.endswith("is not on this machine: mount it there, or correct the address.")
    assert not (tmp_path / "mnt").exists(), "looking must not make it"


def test_an_empty_folder_is_not_taken_for_the_store_of_the_others(
    stored: str, here: LazySettings, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    here.ORCHESTRATOR = {**here.ORCHESTRATOR, "STORE": str(tmp_path / "empty")}
    (sentence,) = joining.look("gpu").lasting
    assert "is not the one that the other machines use" in sentence


def test_the_name_of_the_installation_in_the_store_is_enough(here: LazySettings) -> None:
    with configured.store() as store:
        store.put_bytes(b"something else")
        tenants.enter(store)
    make_snapshot(NOWHERE)  # its bytes were removed, and the rest is where it should be
    assert joining.look("gpu") == Findings()


def test_a_store_that_does_not_answer_is_waited_for(here: LazySettings, tmp_path: Path) -> None:
    address = f"s3://bucket/store?endpoint=http://127.0.0.1:{closed_port()}"
    keys = {"STORE_ACCESS_KEY": KEYS["access_key"], "STORE_SECRET_KEY": KEYS["secret_key"]}
    away = {"STORE": address, "STORE_CACHE": tmp_path / "copies"}
    here.ORCHESTRATOR = {**here.ORCHESTRATOR, **away, **keys}
    found = joining.look("gpu")
    (sentence,) = found.passing
    assert sentence.startswith(f"ORCHESTRATOR_STORE: the store at {address} cannot be used")
    assert KEYS["secret_key"] not in sentence


def test_a_home_that_cannot_be_made_is_named(here: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(here.ORCHESTRATOR["CACHE"]).parent / "file"
    file.write_text("")
    monkeypatch.setattr(here.HOME, "path", file / "home")
    (sentence,) = joining.look("gpu").lasting
    assert sentence.startswith(f"ORCHESTRATOR_HOME: tasks work in {file / 'home'}, which is not writable")


def test_keys_that_some_secrets_need_are_missed(here: LazySettings, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("A" * 43 + "=\n")
    here.ORCHESTRATOR = {**here.ORCHESTRATOR, "SECRET_KEYS": "", "SECRET_KEYS_FILE": str(keys)}
    team = Team.objects.create(slug="demo", name="Demo")
    Secret.objects.create(
        team=team, name="variable", source=SecretSource.ENVIRONMENT, address="TASK_SECRET_A"
    )
    assert joining.look("gpu") == Findings()
    Secret.objects.create(team=team, name="token", ciphertext=b"?", key_id="0123456789abcdef")
    found = joining.look("gpu")
    assert (found.lasting, found.passing) == ([], [])
    assert "ORCHESTRATOR_SECRET_KEYS is without the keys 0123456789abcdef" in only(found)
    keys.unlink()
    assert only(joining.look("gpu")).startswith("Tasks that take stored secrets fail on this machine.")


def test_a_machine_that_cannot_give_the_isolation_of_the_queue_says_so(
    here: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Queue.objects.filter(slug="gpu").update(isolation=isolation.OWN)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "access", lambda *_: True)
    assert only(joining.look("gpu")) == (
        "This machine gets no tasks of the queue gpu, which are kept at 'own user': the workers do not run "
        "as root."
    )


def test_where_no_environment_can_be_built_it_is_said(here: LazySettings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    here.ORCHESTRATOR = {**here.ORCHESTRATOR, "CACHE": tmp_path / "file" / "cache"}
    assert only(joining.look("gpu")).startswith("No environment of a lock file can be built on this machine")
