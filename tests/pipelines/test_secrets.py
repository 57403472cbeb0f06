"""Secrets: sealed for one row and version, never shown, kept by keys that change while everything runs."""

from __future__ import annotations

import itertools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from pipelines import audit, checking, rotation, sealing, secrets
from pipelines.errors import Conflict, Invalid
from pipelines.models import AuditEvent, Secret
from pipelines.sealing import KeyMissing
from pipelines.secrets import NotReleased
from runs.models import Queue
from tests.factories import SMALL, Cast, make_cast, make_pipeline, make_published, make_secret

VALUE = "open-sesame-42"


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Path:
    """A key file of this test alone, with one key."""
    file = tmp_path / "secret-keys"
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "SECRET_KEYS_FILE": str(file)}
    sealing.first_key()
    return file


def value_of(cast: Cast, name: str = "token") -> str:
    return secrets.release(cast.team.pk, [name])[name].value


def audited(verb: str) -> list[dict[str, Any] | None]:
    rows = AuditEvent.objects.filter(verb=verb).select_related("payload").order_by("id")
    return [audit.payload_of(row) for row in rows]


# --- values -----------------------------------------------------------------------------------------------


def test_a_value_goes_in_sealed_and_comes_out_for_a_task(cast: Cast) -> None:
    row = make_secret(cast.team, value=VALUE)
    assert row.version == 1
    row.refresh_from_db()
    assert VALUE.encode() not in bytes(row.ciphertext)
    assert value_of(cast) == VALUE


def test_a_new_value_counts_the_version_and_takes_the_place_of_the_old(cast: Cast) -> None:
    row = make_secret(cast.team, value=VALUE)
    changed = secrets.change(row, value="another value", actor=cast.alice)
    assert changed.version == 2
    opened = secrets.release(cast.team.pk, ["token"])["token"]
    assert (opened.value, opened.version) == ("another value", 2)


def test_a_new_description_is_no_new_version(cast: Cast) -> None:
    row = secrets.change(make_secret(cast.team), description="for the shop", actor=cast.alice)
    assert (row.version, row.description) == (1, "for the shop")
    assert value_of(cast) == VALUE


def test_an_archived_secret_has_no_value_any_more_and_its_name_is_free(cast: Cast) -> None:
    row = make_secret(cast.team)
    assert secrets.archive(row, actor=cast.alice)
    assert not secrets.archive(row, actor=cast.alice)
    row.refresh_from_db()
    assert (bytes(row.ciphertext), row.key_id) == (b"", "")
    with pytest.raises(NotReleased, match="no secret 'token': it was archived"):
        value_of(cast)
    with pytest.raises(Conflict, match="archived"):
        secrets.change(row, value=VALUE, actor=cast.alice)
    assert make_secret(cast.team).version == 2, "two values of one name never have one version"


def test_a_team_has_a_name_once_and_teams_have_theirs_apart(cast: Cast) -> None:
    make_secret(cast.team, value="of the first team")
    make_secret(cast.others, value="of the other team")
    assert value_of(cast) == "of the first team"
    with pytest.raises(Conflict, match="give that one a new value"):
        make_secret(cast.team)


@pytest.mark.parametrize("name", ["", "A", "with space", "-x", "x" * 64, "ä", "a.b", "token\n"])
def test_a_name_that_no_document_could_write_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid, match="small letters"):
        make_secret(cast.team, name)


@pytest.mark.parametrize(
    "value,why",
    [("abc", "fewer than 4"), ("     ", "fewer than 4"), ("x" * 70_000, "64 KiB"), ("nul\0nul", "no text")],
)
def test_a_value_that_cannot_be_kept_or_hidden_is_refused_and_not_repeated(
    cast: Cast, value: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        make_secret(cast.team, value=value)
    assert value not in f"{refused.value.message}{refused.value.errors}"


def test_the_audit_chain_tells_of_every_change_and_of_no_value(cast: Cast) -> None:
    row = make_secret(cast.team, value=VALUE)
    secrets.change(row, value="second-value", description="for the shop", actor=cast.alice)
    secrets.archive(row, actor=cast.alice)
    assert audited("secret.create") == [{"name": "token", "version": 1, "source": "value"}]
    (change,) = audited("secret.change")
    assert change == {"name": "token", "version": 2, "source": "value", "changed": ["value", "description"]}
    assert [told["version"] for told in audited("secret.archive") if told] == [2]
    assert "sesame" not in str([audited(verb) for verb in ("secret.create", "secret.change")])


def test_opening_many_costs_one_query(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(5):
        make_secret(cast.team, f"token-{number}")
    with django_assert_num_queries(1):
        assert len(secrets.release(cast.team.pk, [f"token-{number}" for number in range(5)])) == 5


def test_an_opened_secret_does_not_show_itself(cast: Cast) -> None:
    make_secret(cast.team)
    assert VALUE not in repr(secrets.release(cast.team.pk, ["token"]))


# --- what a sealed value is bound to ----------------------------------------------------------------------


def test_a_value_moved_to_another_name_is_refused(cast: Cast) -> None:
    make_secret(cast.team, "mine")
    theirs = make_secret(cast.team, "theirs")
    Secret.objects.filter(name="mine").update(ciphertext=theirs.ciphertext, key_id=theirs.key_id)
    with pytest.raises(NotReleased, match="sealed for another one"):
        value_of(cast, "mine")


def test_a_value_moved_to_another_team_or_version_is_refused(cast: Cast) -> None:
    ours, theirs = make_secret(cast.team), make_secret(cast.others)
    Secret.objects.filter(pk=ours.pk).update(ciphertext=theirs.ciphertext)
    with pytest.raises(NotReleased, match="sealed for another one"):
        value_of(cast)
    Secret.objects.filter(pk=ours.pk).update(ciphertext=ours.ciphertext, version=7)
    with pytest.raises(NotReleased, match="version 7"):
        value_of(cast)


def test_an_altered_value_is_refused(cast: Cast) -> None:
    row = make_secret(cast.team)
    altered = bytearray(row.ciphertext)
    altered[30] ^= 1
    Secret.objects.filter(pk=row.pk).update(ciphertext=bytes(altered))
    with pytest.raises(NotReleased, match="damaged"):
        value_of(cast)


def test_the_database_refuses_a_ciphertext_without_its_key(cast: Cast) -> None:
    row = make_secret(cast.team)
    with pytest.raises(IntegrityError), transaction.atomic():
        Secret.objects.filter(pk=row.pk).update(key_id="")


# --- keys -------------------------------------------------------------------------------------------------


def test_the_first_key_is_made_once_and_closed_to_others(keys: Path) -> None:
    text = keys.read_text()
    assert sealing.first_key() is None
    assert keys.read_text() == text
    assert keys.stat().st_mode & 0o777 == 0o600


def test_rotation_seals_everything_anew_and_the_old_key_can_go(cast: Cast, keys: Path) -> None:
    rows = [make_secret(cast.team, f"token-{number}", f"value of {number}") for number in range(3)]
    old = rows[0].key_id
    new = sealing.add_key()
    assert value_of(cast, "token-1") == "value of 1"
    assert list(rotation.rotate(actor=cast.alice)) == [3]
    assert rotation.keys_in_use() == {new}
    assert sealing.keep_only(rotation.keys_in_use()) == [old]
    assert value_of(cast, "token-1") == "value of 1"
    assert audited("secret.rotate") == [{"secrets": 3, "key": new}]
    assert Secret.objects.filter(version=1).count() == 3, "the values are the same"


def test_a_rotation_that_was_interrupted_goes_on(
    cast: Cast, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    for number in range(5):
        make_secret(cast.team, f"token-{number}")
    sealing.add_key()
    assert next(rotation.rotate()) == 2
    assert len(rotation.keys_in_use()) == 2
    assert list(rotation.rotate()) == [2, 1]
    assert len(rotation.keys_in_use()) == 1


def test_a_key_that_comes_during_a_rotation_is_used_from_then_on(
    cast: Cast, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    for number in range(3):
        make_secret(cast.team, f"token-{number}")
    sealing.add_key()
    batches = rotation.rotate()
    assert next(batches) == 2
    newest = sealing.add_key()
    assert list(itertools.islice(batches, 5)) == [2, 1], "those that were done before are done again, once"
    assert rotation.keys_in_use() == {newest}


def test_keys_made_at_the_same_time_are_all_kept(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_keys = sealing.write_keys

    def slowly(file: Path, texts: list[str]) -> None:
        time.sleep(0.05)
        write_keys(file, texts)

    monkeypatch.setattr(sealing, "write_keys", slowly)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: sealing.add_key(), range(4)))
    assert set(made) < set(sealing.key_ring().ids)


def test_without_the_key_of_a_secret_the_sentence_says_which(cast: Cast, keys: Path) -> None:
    row = make_secret(cast.team)
    keys.write_text(sealing.new_key())
    with pytest.raises(NotReleased, match=f"sealed with the key {row.key_id}") as refused:
        value_of(cast)
    assert refused.value.retryable
    (seen,) = rotation.keyed()
    assert row.key_id in seen.problem
    with pytest.raises(KeyMissing):
        list(rotation.rotate())


def test_without_any_key_nothing_is_stored(cast: Cast, keys: Path) -> None:
    keys.unlink()
    with pytest.raises(KeyMissing, match="ORCHESTRATOR_SECRET_KEYS"):
        secrets.create(cast.team, "token", VALUE, actor=None)
    assert not Secret.objects.exists()


def test_a_key_that_is_none_is_said_without_showing_it(cast: Cast, keys: Path) -> None:
    keys.write_text("hunter2")
    with pytest.raises(KeyMissing, match="base64") as refused:
        secrets.create(cast.team, "token", VALUE, actor=None)
    assert "hunter2" not in refused.value.message


def test_keys_may_stand_in_the_environment(cast: Cast, settings: Any) -> None:
    old, new = sealing.new_key(), sealing.new_key()
    given = {**settings.ORCHESTRATOR, "SECRET_KEYS_FILE": ""}
    settings.ORCHESTRATOR = {**given, "SECRET_KEYS": old}
    secrets.create(cast.team, "token", VALUE, actor=None)
    settings.ORCHESTRATOR = {**given, "SECRET_KEYS": f"{new}, {old}"}
    assert value_of(cast) == VALUE
    assert list(rotation.rotate()) == [1]
    assert rotation.keys_in_use() == {sealing.key_id(new)}
    with pytest.raises(Conflict, match="change them there"):
        sealing.add_key()


def test_the_command_says_how_many_and_what_still_needs_an_old_key(
    cast: Cast, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = make_secret(cast.team)
    call_command("secrets", "new-key")
    call_command("secrets", "check")
    said = capsys.readouterr().out
    assert f"alpha:token  {row.key_id}" in said
    assert "1 of 1 needs an older key" in said
    call_command("secrets", "rotate")
    assert "1 secret sealed" in capsys.readouterr().out
    call_command("secrets", "drop-keys")
    assert row.key_id in capsys.readouterr().out
    call_command("secrets", "check")
    assert "0 of 1 needs an older key" in capsys.readouterr().out
    assert value_of(cast) == VALUE


def test_the_check_fails_where_something_cannot_be_opened(cast: Cast, keys: Path) -> None:
    make_secret(cast.team)
    keys.write_text(sealing.new_key())
    with pytest.raises(CommandError, match="1 secret cannot be opened"):
        call_command("secrets", "check")


def test_a_new_key_can_be_printed_for_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("secrets", "new-key", "--print")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}=\n", capsys.readouterr().out)


# --- references -------------------------------------------------------------------------------------------


def test_a_secret_may_stand_in_the_workers_environment(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets.create(cast.team, "token", source="environment", address="TASK_SECRET_SHOP", actor=cast.alice)
    with pytest.raises(NotReleased, match="TASK_SECRET_SHOP, which this worker does not have") as refused:
        value_of(cast)
    assert refused.value.retryable
    monkeypatch.setenv("TASK_SECRET_SHOP", VALUE)
    assert value_of(cast) == VALUE
    monkeypatch.setenv("TASK_SECRET_SHOP", "x")
    with pytest.raises(NotReleased, match="fewer than 4"):
        value_of(cast)


@pytest.mark.parametrize("variable", ["DATABASE_URL", "ORCHESTRATOR_SECRET_KEYS", "TASK_SECRET_A B", ""])
def test_no_other_variable_can_be_named(cast: Cast, variable: str) -> None:
    with pytest.raises(Invalid, match="begin with TASK_SECRET_"):
        secrets.create(cast.team, "token", source="environment", address=variable, actor=cast.alice)


def test_a_secret_may_stand_in_a_file_of_the_workers_machine(
    cast: Cast, settings: Any, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="ORCHESTRATOR_SECRET_FILES"):
        secrets.create(cast.team, "token", source="file", address="shop", actor=cast.alice)
    folder = tmp_path / "files"
    folder.mkdir()
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "SECRET_FILES": str(folder)}
    row = secrets.create(cast.team, "token", source="file", address="shop", actor=cast.alice)
    with pytest.raises(NotReleased, match="No such file"):
        value_of(cast)
    (folder / "shop").write_text(f"{VALUE}\n")
    assert value_of(cast) == VALUE
    assert secrets.change(row, address="other/shop", actor=cast.alice).version == 2


@pytest.mark.parametrize("address", ["../keys", "/etc/passwd", "", "a/../../b"])
def test_a_file_outside_the_folder_cannot_be_named(
    cast: Cast, settings: Any, tmp_path: Path, address: str
) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "SECRET_FILES": str(tmp_path)}
    with pytest.raises(Invalid, match="relative to"):
        secrets.create(cast.team, "token", source="file", address=address, actor=cast.alice)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    cast: Cast, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (tmp_path / "outside").write_text(VALUE)
    (folder / "shop").symlink_to(tmp_path / "outside")
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "SECRET_FILES": str(folder)}
    secrets.create(cast.team, "token", source="file", address="shop", actor=cast.alice)
    with pytest.raises(NotReleased, match="leads out"):
        value_of(cast)


def test_a_reference_takes_no_value_and_a_value_no_address(cast: Cast) -> None:
    with pytest.raises(Invalid, match="has no value here"):
        secrets.create(
            cast.team, "token", VALUE, source="environment", address="TASK_SECRET_X", actor=cast.alice
        )
    with pytest.raises(Invalid, match="has a value and no address"):
        secrets.change(make_secret(cast.team), address="TASK_SECRET_X", actor=cast.alice)


# --- who names it -----------------------------------------------------------------------------------------


def test_the_pipelines_that_name_a_secret_are_known(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Queue.objects.get_or_create(slug="cpu")
    secret = make_secret(cast.team)
    make_secret(cast.team, "token-2")
    naming = SMALL.replace('who: "${{ params.who }}"', 'who: "${{ secrets.token }}"')
    make_published(naming.replace("name: small", "name: both"), team=cast.team, owner=cast.alice)
    make_pipeline(naming.replace("name: small", "name: draft-only"), team=cast.team, owner=cast.alice)
    make_pipeline(
        naming.replace("secrets.token", "secrets.token-2").replace("name: small", "name: another"),
        team=cast.team,
        owner=cast.alice,
    )
    with django_assert_num_queries(1):
        found = secrets.uses(secret)
    assert [(use.pipeline.name, use.draft, use.active) for use in found] == [
        ("both", True, True),
        ("draft-only", True, False),
    ]


def test_a_document_that_names_an_unknown_secret_is_told_so_at_its_line(cast: Cast) -> None:
    make_secret(cast.team, "shop-token")
    naming = SMALL.replace("params.who }}", "secrets.shop-tokem }}")
    problems = checking.check(naming, cast.team).problems
    (problem,) = (problem for problem in problems if problem.code == "unknown-secret")
    assert problem.line == naming.splitlines().index('    with: {who: "${{ secrets.shop-tokem }}"}') + 1
    assert "'shop-token'" in problem.message
    known = checking.check(naming.replace("tokem", "token"), cast.team).problems
    assert "unknown-secret" not in {problem.code for problem in known}
    theirs = checking.check(naming.replace("tokem", "token"), cast.others).problems
    assert "unknown-secret" in {problem.code for problem in theirs}
