"""Garbage: only what nothing refers to goes, and whoever stores or reads meanwhile loses nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import Manager, QuerySet
from django.utils import timezone
from pytest_django.fixtures import Settings

from lineage import chores, recorder, retention, tenants
from lineage.management.commands import store as commands
from lineage.models import Content, ContentLocation
from pipelines import audit
from pipelines.models import AuditEvent, Team, User
from pipelines.store import Store, configured
from runs import chores as run_chores
from runs.models import AttemptOutput, Chore
from runs.worker.serializers import FOLDER
from tests.factories import make_team, make_user
from tests.lineage import factories
from tests.lineage.factories import make_attempt, make_run, make_version
from tests.s3 import KEYS, S3Server, s3_server

pytestmark = pytest.mark.django_db

AT_ONCE = timedelta(hours=-1)  # nothing is too young
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


def use_store(settings: Settings, tmp_path: Path, address: str) -> None:
    given = {
        "STORE": address,
        "STORE_CACHE": tmp_path / "cache",
        "STORE_ACCESS_KEY": KEYS["access_key"],
        "STORE_SECRET_KEY": KEYS["secret_key"],
    }
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, **given}


@pytest.fixture
def team() -> Team:
    return make_team("vision")


@pytest.fixture
def user() -> User:
    return make_user("ada")


@pytest.fixture(params=["folder", "s3"])
def store(
    request: pytest.FixtureRequest,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    team: Team,
    user: User,
) -> Store:
    """The store of the settings, of each kind, with the code of every run of these tests."""
    address = str(tmp_path / "store")
    if request.param == "s3":
        address = request.getfixturevalue("server").address(tmp_path.name)
    use_store(settings, tmp_path, address)
    opened = configured.store()
    code = tmp_path / "code"
    code.mkdir()
    (code / "blocks.py").write_text("def train(): ...\n")
    monkeypatch.setattr(factories, "SNAPSHOT", opened.put_folder(code).sha256)
    make_run(make_version(team), user)
    return opened


def refer(team: Team, user: User, sha256: str, **fields: Any) -> AttemptOutput:
    """An attempt says that it made these bytes."""
    attempt = make_attempt(make_run(make_version(team), user), "ingest")
    values = {"name": "result", "type": "file", "sha256": sha256, "size": 1, "address": "file:///x"}
    return AttemptOutput.objects.create(attempt=attempt, **{**values, **fields})


def names(store: Store, *, trash: bool = False) -> set[str]:
    return {found.sha256 for found in store.listed(trash=trash)}


def garbage(store: Store, grace: timedelta = AT_ONCE) -> retention.Plan:
    planned = retention.plan(store, grace)
    retention.carry_out(store, planned)
    return planned


def test_nothing_that_is_referred_to_goes(store: Store, team: Team, user: User, tmp_path: Path) -> None:
    file = store.put_bytes(b"an output").sha256
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("in a folder")
    kept = store.put_folder(folder)
    refer(team, user, file)
    refer(team, user, kept.sha256, name="folder", type="folder", media_type=FOLDER)
    recorder.record_pending()
    before = names(store)
    for _ in range(2):
        planned = garbage(store)
        assert (planned.aside, planned.remove) == ([], [])
    assert names(store) == before
    assert len(before) == 5


def test_what_nothing_refers_to_is_put_aside_then_removed_with_an_audit_row(
    store: Store, team: Team, user: User
) -> None:
    kept = store.put_bytes(b"kept").sha256
    refer(team, user, kept)
    lost = store.put_bytes(b"of an attempt that was lost").sha256
    assert [found.sha256 for found in garbage(store).aside] == [lost]
    assert names(store, trash=True) == {lost}
    assert not AuditEvent.objects.filter(verb="purge").exists()
    assert [found.sha256 for found in garbage(store).remove] == [lost]
    assert names(store, trash=True) == set()
    assert not store.has(lost)
    assert store.has(kept)
    row = AuditEvent.objects.get(verb="purge")
    told = audit.payload_of(row)
    assert told is not None
    assert (told["sha256"], told["bytes"], row.actor_name) == ([lost], 27, "system")
    assert audit.verify("site").valid


def test_what_is_younger_than_the_grace_stays(store: Store) -> None:
    young = store.put_bytes(b"just stored").sha256
    assert garbage(store, DAY).aside == []
    garbage(store)
    assert garbage(store, DAY).remove == []
    assert names(store, trash=True) >= {young}


def test_what_an_attempt_that_still_runs_may_have_stored_stays(store: Store, team: Team, user: User) -> None:
    begun = timezone.now() - timedelta(days=3)
    make_attempt(make_run(make_version(team), user), "ingest", state="running", started_at=begun)
    store.put_bytes(b"its first file of many")
    assert garbage(store).aside == []


def test_bytes_found_in_place_just_before_they_were_put_aside_come_back(
    store: Store, team: Team, user: User
) -> None:
    lost = store.put_bytes(b"made again").sha256
    # An attempt makes the same bytes, finds them stored, and has not said so yet.
    store.put_bytes(b"made again")
    garbage(store)
    assert names(store, trash=True) == {lost}
    refer(team, user, lost)
    assert [found.sha256 for found in garbage(store).restore] == [lost]
    assert names(store, trash=True) == set()
    assert store.read(lost) == b"made again"


def test_whoever_reads_bytes_that_were_put_aside_gets_them(store: Store, team: Team, user: User) -> None:
    lost = store.put_bytes(b"read meanwhile").sha256
    garbage(store)
    refer(team, user, lost)
    assert store.size(lost) == 14
    assert names(store, trash=True) == set()
    assert store.local_path(lost).read_bytes() == b"read meanwhile"


def test_bytes_stored_anew_while_the_old_lie_aside_are_not_removed_with_them(
    store: Store, team: Team, user: User
) -> None:
    lost = store.put_bytes(b"twice").sha256
    garbage(store)
    planned = retention.plan(store, AT_ONCE)
    # Between the look and the removal an attempt stores the same bytes and says so.
    store.put_bytes(b"twice")
    refer(team, user, lost)
    retention.carry_out(store, planned)
    assert store.read(lost) == b"twice"


def test_bytes_that_lie_in_the_trash_too_are_told_once_for_what_they_are(
    store: Store, team: Team, user: User
) -> None:
    twice = store.put_bytes(b"twice").sha256
    garbage(store)
    store.put_bytes(b"twice")
    refer(team, user, twice)
    planned = garbage(store)
    assert ([found.sha256 for found in planned.twice], planned.restore) == ([twice], [])
    # A folder has made one of two; in S3 the copy stays, for another round may be about to take the other.
    assert names(store, trash=True) <= {twice}
    assert garbage(store).restore == []
    assert store.read(twice) == b"twice"


def test_both_of_what_lies_there_twice_go_when_nothing_refers_to_it(store: Store) -> None:
    lost = store.put_bytes(b"twice").sha256
    garbage(store)
    store.put_bytes(b"twice")
    garbage(store)
    garbage(store)
    assert lost not in names(store) | names(store, trash=True)


def test_two_rounds_at_once_do_no_harm(store: Store) -> None:
    store.put_bytes(b"lost")
    first, second = retention.plan(store, AT_ONCE), retention.plan(store, AT_ONCE)
    retention.carry_out(store, first)
    retention.carry_out(store, second)
    first, second = retention.plan(store, AT_ONCE), retention.plan(store, AT_ONCE)
    retention.carry_out(store, first)
    retention.carry_out(store, second)
    assert names(store, trash=True) == set()


def test_while_a_folder_cannot_be_read_nothing_goes(store: Store, team: Team, user: User) -> None:
    store.put_bytes(b"lost")
    refer(team, user, "f" * 64, type="folder", media_type=FOLDER)
    with pytest.raises(retention.Unknown, match=f"Which files the folder {'f' * 64} holds cannot be told"):
        retention.plan(store, AT_ONCE)


def test_every_column_that_names_bytes_keeps_them() -> None:
    known = {f"{model._meta.db_table}.{field}" for model, field in retention.columns()}
    assert known >= {
        "attempt_output.sha256",
        "content.sha256",
        "code_snapshot.tree_sha256",
        "code_ref.bundle_sha256",
        "model_version.sha256",
    }


# Digests of what is not in the store: of tokens, rows of the audit log, records and descriptions.
OTHER_DIGESTS = {
    "api_token.digest",
    "audit_event.prev_hash",
    "audit_event.hash",
    "approval.digest",
    "catalogued_approval.digest",
    "record.digest",
    "code_ref.fingerprint",
    "environment_snapshot.fingerprint",
    "hardware_profile.fingerprint",
}


def test_no_column_holds_digests_of_stored_bytes_under_another_name() -> None:
    known = {f"{model._meta.db_table}.{field}" for model, field in retention.columns()}
    digests = {
        f"{model._meta.db_table}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if getattr(field, "max_length", None) in (64, 128)
        and any(word in field.name for word in ("sha", "digest", "hash", "fingerprint"))
    }
    assert digests - known == OTHER_DIGESTS


def test_rows_that_a_model_hides_by_default_keep_their_bytes_too(
    store: Store, team: Team, user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("in a folder")
    refer(team, user, store.put_bytes(b"hidden").sha256)
    refer(team, user, store.put_folder(folder).sha256, type="folder", media_type=FOLDER)
    hiding = Hiding()
    hiding.model = AttemptOutput
    monkeypatch.setattr(AttemptOutput._meta, "default_manager", hiding)
    monkeypatch.setattr(AttemptOutput, "objects", hiding)
    assert garbage(store).aside == []


class Hiding(Manager[AttemptOutput]):
    def get_queryset(self) -> QuerySet[AttemptOutput]:
        return super().get_queryset().none()


# --- The command ------------------------------------------------------------------------------


def said(*words: str) -> str:
    out = StringIO()
    call_command("store", *words, stdout=out)
    return out.getvalue()


def test_garbage_lists_what_it_would_do_and_changes_nothing_unless_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = store.put_bytes(b"x" * 1024 * 1024).sha256
    text = said("garbage", "--grace", "-1")
    assert "Would be put aside: 1 file, 1.0 MiB." in text
    assert lost in text
    assert store.has(lost)
    assert "Put aside: 0 files" in said("garbage", "--grace", "1", "--remove")
    monkeypatch.setattr(commands, "SHORTEST", -1.0)
    assert "Put aside: 1 file, 1.0 MiB." in said("garbage", "--grace", "-1", "--remove")
    assert "Removed: 1 file, 1.0 MiB." in said("garbage", "--grace", "-1", "--remove")


def test_a_grace_too_short_for_what_is_being_stored_is_refused_with_remove(store: Store) -> None:
    lost = store.put_bytes(b"whose row is not committed yet").sha256
    for grace in ("-1", "0", "0.9"):
        with pytest.raises(CommandError, match="at least 1 hour"):
            said("garbage", "--grace", grace, "--remove")
    assert store.has(lost)


def test_while_another_installation_uses_the_store_nothing_is_removed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants, "here", lambda: "production-1")
    chores.tidy(Chore())
    monkeypatch.undo()
    with pytest.raises(CommandError, match="production-1") as refused:
        said("garbage", "--remove")
    assert "--sole-user" in str(refused.value)
    assert "Put aside: 0 files" in said("garbage", "--remove", "--sole-user")
    assert "Put aside: 0 files" in said("garbage", "--remove")


def test_check_names_what_is_damaged_and_what_is_missing(
    store: Store, team: Team, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "2 files hashed again, 0 damaged or missing." in said("check")
    refer(team, user, "e" * 64)
    recorder.record_pending()
    monkeypatch.setattr(Store, "verify", _damaged)
    out = StringIO()
    with pytest.raises(CommandError, match="not whole"):
        call_command("store", "check", stdout=out)
    assert f"MISSING  {'e' * 64}" in out.getvalue()
    assert out.getvalue().count("DAMAGED") == 2


def _damaged(self: Store, sha256: str) -> None:
    from pipelines.store import Damaged

    raise Damaged(f"the bytes stored as {sha256} have another digest")


def test_a_store_is_copied_to_another_place_and_a_second_time_only_what_is_new(
    server: S3Server, settings: Settings, tmp_path: Path, team: Team, user: User
) -> None:
    use_store(settings, tmp_path, str(tmp_path / "store"))
    store, there = configured.store(), server.address(f"copy-{tmp_path.name}")
    digest = store.put_bytes(b"content of a record").sha256
    refer(team, user, digest)
    recorder.record_pending()
    store.put_bytes(b"and another")
    assert "2 files copied, 0 were there." in said("copy", there)
    store.put_bytes(b"new since")
    assert "1 file copied, 2 were there." in said("copy", there)
    target = configured.store(there)
    assert names(target) == names(store)
    addresses = ContentLocation.objects.filter(content=Content.objects.get(sha256=digest))
    assert target.address(digest) in addresses.values_list("address", flat=True)


def test_a_damaged_file_is_not_copied_and_named(settings: Settings, tmp_path: Path) -> None:
    use_store(settings, tmp_path, str(tmp_path / "store"))
    store = configured.store()
    path = store.local_path(store.put_bytes(b"good").sha256)
    path.chmod(0o600)
    path.write_bytes(b"evil")
    with pytest.raises(CommandError, match="1 file could not be copied"):
        said("copy", str(tmp_path / "other"))
    assert names(configured.store(str(tmp_path / "other"))) == set()


def test_copy_without_an_address_is_refused_in_words() -> None:
    with pytest.raises(CommandError, match="Say where to"):
        said("copy")


def test_a_store_that_is_away_is_said_to_be(settings: Settings, tmp_path: Path) -> None:
    use_store(settings, tmp_path, "s3://bucket/x?endpoint=http://127.0.0.1:1")
    with pytest.raises(CommandError, match="cannot be reached"):
        said("check")
    assert "cannot be reached" in configured.trouble()


def test_once_an_hour_what_broken_uploads_left_is_removed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_connection: Any
) -> None:
    use_store(settings, tmp_path, str(tmp_path / "store"))
    configured.store().put_bytes(b"x")
    left = tmp_path / "store" / "tmp" / "put-left"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    monkeypatch.setattr(chores, "_tidy_at", 0.0)
    chores.ask_to_tidy()
    chores.ask_to_tidy()
    (chore,) = Chore.objects.filter(kind=chores.TIDY)
    run_chores.carry_out(chore.id)
    assert not left.exists()
