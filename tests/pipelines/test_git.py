"""Code locations that are Git repositories: over a disk, HTTP with a password, SSH with a key."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import code, repositories, snapshots
from pipelines.errors import Conflict, Invalid
from pipelines.git import mirror
from pipelines.models import AuditEvent, CodeLocation
from runs import chores
from runs.models import Chore, Queue
from tests.factories import Cast, make_cast, make_secret
from tests.pipelines.git_servers import (
    BLOCKS,
    ENVIRONMENT,
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
needs_ssh = pytest.mark.skipif(
    shutil.which("ssh") is None or shutil.which("ssh-keygen") is None,
    reason="there is no ssh here (package openssh-client): reading by SSH is NOT looked at",
)


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
    while chores.carry_out_due():
        pass
    assert list(Chore.objects.exclude(state="done").values_list("kind", "error")) == []
    return CodeLocation.objects.select_related("team", "last_snapshot").get(pk=location.pk)


def synced_again(location: CodeLocation, cast: Cast) -> CodeLocation:
    repositories.ask(location, actor=cast.alice)
    return after_chores(location)


def looked_at(location: CodeLocation) -> CodeLocation:
    chores.ask("look at code", str(location.uuid))
    return after_chores(location)


# --- what a sync gives ----------------------------------------------------------------------------------


@pytest.mark.slow
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


@needs_ssh
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


def test_a_tag_and_a_whole_commit_can_be_named(cast: Cast, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "-a", "v1", "-m", "The first")
    repository.commit(more__py="def more() -> int: ...\n")
    tagged = registered(cast, str(repository.folder), ref="v1")
    assert (tagged.commit, tagged.branch) == (first, "refs/tags/v1")
    named = repositories.register(cast.team, "named", str(repository.folder), actor=cast.alice, ref=first)
    named = after_chores(named)
    assert (named.commit, named.sync_error) == (first, "")
    assert code.state(looked_at(named)) == "in-step"


def test_only_the_folder_that_is_named_is_read(cast: Cast, repository: Repository) -> None:
    repository.commit(
        **{"deep/er/train__py": BLOCKS, "deep/er/requirements.lock": "", "other/big__py": "x = 1\n"}
    )
    location = registered(cast, str(repository.folder), folder="/deep/er/", lock_file="requirements.lock")
    assert location.last_snapshot is not None
    assert set(location.last_snapshot.blocks) == {"train:load"}
    assert (location.last_snapshot.file_count, len(location.last_snapshot.lock_sha256)) == (2, 64)


def test_a_snapshot_holds_the_very_bytes_of_the_commit(cast: Cast, repository: Repository) -> None:
    """No filter, line-end conversion or keyword of .gitattributes has a part in it."""
    repository.commit(**{".gitattributes": "* text eol=crlf export-subst\nhidden.py export-ignore\n"})
    repository.commit(words__py='NAME = "$Format:%H$"\n', hidden__py=BLOCKS)
    location = registered(cast, str(repository.folder))
    assert location.last_snapshot is not None
    folder = code.store().local_folder(location.last_snapshot.tree_sha256)
    assert (folder / "words.py").read_bytes() == b'NAME = "$Format:%H$"\n'
    assert (folder / "hidden.py").read_text() == BLOCKS


def test_the_same_bytes_at_another_commit_are_the_same_snapshot(cast: Cast, repository: Repository) -> None:
    location = registered(cast, str(repository.folder))
    first = location.last_snapshot
    repository.commit("Nothing new")
    location = synced_again(location, cast)
    assert location.last_snapshot == first
    assert location.subject == "Nothing new"
    assert location.last_snapshot is not None
    assert location.last_snapshot.subject == "First blocks", "the first commit that held these bytes"


def test_submodules_and_pointers_of_lfs_are_left_out_and_said(cast: Cast, repository: Repository) -> None:
    (repository.folder / "library").mkdir()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},library")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    repository.commit(**{"weights.bin": pointer})
    location = registered(cast, str(repository.folder))
    assert location.sync_error == ""
    assert [note.split(":")[0] for note in location.notes] == [
        "Submodules are not followed, so these folders are empty",
        "Files of Git LFS are not fetched, and only their pointers are here",
    ]
    assert "library" in location.notes[0]


# --- new commits ----------------------------------------------------------------------------------------


def test_new_commits_are_found_without_taking_a_snapshot(cast: Cast, repository: Repository) -> None:
    location = registered(cast, str(repository.folder))
    before = location.last_snapshot
    new = repository.commit(more__py="def more() -> int: ...\n")
    location = looked_at(location)
    assert (code.state(location), location.remote_commit, location.last_snapshot) == ("behind", new, before)
    location = synced_again(location, cast)
    assert (code.state(location), location.commit) == ("in-step", new)
    assert location.last_snapshot is not None
    assert set(location.last_snapshot.blocks) == {"steps:load", "more:more"}


@pytest.mark.parametrize("commits", [1, 80])
def test_many_new_commits_are_no_rewritten_history(cast: Cast, repository: Repository, commits: int) -> None:
    location = registered(cast, str(repository.folder))
    for _ in range(commits):
        repository.commit()
    assert code.state(looked_at(location)) == "behind"


def test_a_rewritten_history_is_said_and_never_synced_by_itself(cast: Cast, repository: Repository) -> None:
    repository.commit(more__py="def more() -> int: ...\n")
    location = registered(cast, str(repository.folder), auto_sync=True)
    old = location.commit
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit("Another way", other__py="def other() -> int: ...\n")
    location = looked_at(location)
    assert (code.state(location), location.commit) == ("diverged", old)
    assert code.state(looked_at(location)) == "diverged", "it is not forgotten at the next look"
    location = synced_again(location, cast)
    assert (code.state(location), location.subject) == ("in-step", "Another way")


def test_a_location_that_wants_it_is_synced_by_itself(cast: Cast, repository: Repository) -> None:
    location = registered(cast, str(repository.folder), auto_sync=True)
    new = repository.commit()
    assert looked_at(location).commit == new


def test_the_sweep_has_only_repositories_looked_at_that_nobody_saw_for_long(
    cast: Cast, repository: Repository, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runs import code as code_of_runs

    registered(cast, str(repository.folder))
    monkeypatch.setattr(code_of_runs, "_asked_at", float("-inf"))
    code_of_runs.ask_to_look()
    assert not Chore.objects.filter(kind="look at code").exists()
    monkeypatch.setattr(code_of_runs, "_asked_at", float("-inf"))
    settings.ORCHESTRATOR["CODE_CHECK_EVERY"] = 1e-6
    code_of_runs.ask_to_look()
    assert Chore.objects.filter(kind="look at code").count() == 1


# --- what goes wrong ------------------------------------------------------------------------------------


def refused(cast: Cast, where: str, **wanted: Any) -> str:
    """Why the first sync of a location failed."""
    location = registered(cast, where, **wanted)
    assert (location.last_snapshot, location.syncing, code.state(location)) == (None, None, "never")
    return location.sync_error


def test_a_wrong_password_is_said(cast: Cast, web: Web) -> None:
    make_secret(cast.team, "deploy", f"{USER}:no-{PASSWORD}")
    said = refused(cast, f"{web.address}/code/.git", secret="deploy")
    assert said.startswith("localhost refused the credentials: store a valid token or user:password")


def test_a_password_that_nobody_gave_is_asked_for(cast: Cast, web: Web) -> None:
    assert "asks for credentials: name a secret" in refused(cast, f"{web.address}/code/.git")


def test_a_token_alone_is_the_password(cast: Cast, web: Web) -> None:
    import base64

    make_secret(cast.team, "deploy", "token-without-a-colon")
    refused(cast, f"{web.address}/code/.git", secret="deploy")
    given = next(given for _, given in web.asked if given)
    assert base64.b64decode(given.removeprefix("Basic ")) == b"x-access-token:token-without-a-colon"


@needs_ssh
def test_a_key_that_is_not_let_in_is_said(cast: Cast, shell: Shell, repository: Repository) -> None:
    import asyncssh

    where = f"{shell.address}{repository.folder}"
    make_secret(
        cast.team, "other", asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    )
    make_secret(cast.team, "garbage", "this is no private key at all")
    assert "refused the credentials: store a valid private key" in refused(cast, where, secret="other")
    said = after_chores(
        repositories.register(cast.team, "b", where, actor=cast.alice, secret="garbage")
    ).sync_error
    assert "no private key that can be read" in said
    said = after_chores(repositories.register(cast.team, "c", where, actor=cast.alice)).sync_error
    assert "asks for credentials" in said


@needs_ssh
def test_a_host_key_that_changed_is_refused(cast: Cast, repository: Repository) -> None:
    with served_by_ssh() as first:
        make_secret(cast.team, "key", first.key)
        location = registered(cast, f"{first.address}{repository.folder}", secret="key")
        assert location.sync_error == ""
        port = int(first.address.rsplit(":", 1)[1])
    with served_by_ssh(port):
        location = synced_again(location, cast)
    assert "host key of localhost is not the one that was recorded" in location.sync_error
    assert location.last_snapshot is not None
    assert AuditEvent.objects.filter(verb="code.trust").count() == 1


@needs_ssh
def test_known_hosts_that_are_given_are_gone_by_from_the_first_contact(
    cast: Cast, shell: Shell, repository: Repository
) -> None:
    make_secret(cast.team, "key", shell.key)
    where = f"{shell.address}{repository.folder}"
    assert registered(cast, where, secret="key", known_hosts=shell.host_line).sync_error == ""
    other = shell.host_line.replace("localhost", "elsewhere")
    later = repositories.register(cast.team, "b", where, actor=cast.alice, secret="key", known_hosts=other)
    assert "known hosts given here do not name localhost" in after_chores(later).sync_error


def test_a_secret_that_is_gone_is_said(cast: Cast, web: Web) -> None:
    from pipelines import secrets

    row = make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    location = registered(cast, f"{web.address}/code/.git", secret="deploy")
    secrets.archive(row, actor=cast.alice)
    assert "has no secret 'deploy'" in synced_again(location, cast).sync_error


def test_an_empty_repository_is_said(cast: Cast, tmp_path: Path) -> None:
    made = make_repository(tmp_path / "empty")
    assert refused(cast, str(made.folder)) == "The repository is empty: push a first commit, then sync again."


def test_a_ref_that_there_is_not_is_said_with_those_that_are_like_it(
    cast: Cast, repository: Repository
) -> None:
    repository.git("branch", "release-2")
    assert refused(cast, str(repository.folder), ref="release2").endswith("There is 'release-2'.")


def test_a_short_commit_is_told_from_a_branch(cast: Cast, repository: Repository) -> None:
    sha = repository.git("rev-parse", "--short=8", "HEAD")
    assert "written with all its 40 digits" in refused(cast, str(repository.folder), ref=sha)


def test_a_folder_a_lock_file_and_a_repository_that_are_not_there_are_said(
    cast: Cast, repository: Repository, tmp_path: Path, web: Web
) -> None:
    assert "has no folder 'nowhere'" in refused(cast, str(repository.folder), folder="nowhere")
    location = repositories.register(
        cast.team, "b", str(repository.folder), actor=cast.alice, lock_file="missing.lock"
    )
    assert "the lock file missing.lock cannot be read" in after_chores(location).sync_error
    location = repositories.register(cast.team, "c", str(tmp_path / "nothing"), actor=cast.alice)
    assert "has no such repository" in after_chores(location).sync_error
    make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    location = repositories.register(
        cast.team, "d", f"{web.address}/nothing.git", actor=cast.alice, secret="deploy"
    )
    assert "has no such repository" in after_chores(location).sync_error


@pytest.mark.parametrize(
    "where",
    ["http://localhost:9/code.git", pytest.param("ssh://git@localhost:9/code", marks=needs_ssh)],
)
def test_a_port_where_nobody_listens_is_said(cast: Cast, where: str) -> None:
    assert "does not take connections" in refused(cast, where)


def test_a_file_that_is_too_large_is_named_before_anything_is_stored(
    cast: Cast, repository: Repository, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_FILE_BYTES", 1000)
    repository.commit(**{"data/huge.csv": "1,2,3\n" * 1000, "venv/big.so": "x" * 5000})
    assert "data/huge.csv has 0 MiB, a file of a snapshot at most" in refused(cast, str(repository.folder))
    assert not (home / "store").exists()


def test_a_fetch_that_receives_too_much_is_ended(
    cast: Cast, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.git import mirror

    monkeypatch.setattr(mirror, "MOST_FETCHED", 1024 * 1024)
    (repository.folder / "noise.bin").write_bytes(os.urandom(9 * 1024 * 1024))
    repository.commit()
    assert "more than 1 MiB: keep data and models elsewhere" in refused(cast, f"file://{repository.folder}")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "loop/../../../etc"])
def test_a_link_that_leaves_the_folder_is_refused(cast: Cast, repository: Repository, target: str) -> None:
    (repository.folder / "link.py").symlink_to(target)
    repository.commit()
    assert "the link link.py leads out of the folder" in refused(cast, str(repository.folder))


def test_a_file_is_never_written_through_a_link(cast: Cast, repository: Repository, tmp_path: Path) -> None:
    """A tree may name a link and, below the same name, a file: such a commit cannot be made by hand."""
    (repository.folder / "target").write_text(str(tmp_path))
    blob = repository.git("hash-object", "-w", "target")
    inner = repository.git("rev-parse", "HEAD^{tree}")
    entries = f"120000 blob {blob}\ta\n040000 tree {inner}\ta\n"
    tree = subprocess.run(
        ["git", "mktree"], cwd=repository.folder, input=entries, capture_output=True, text=True, check=True
    ).stdout.strip()
    sha = repository.git("commit-tree", tree, "-m", "hostile")
    repository.git("update-ref", "refs/heads/hostile", sha)
    said = refused(cast, str(repository.folder), ref="hostile")
    assert said, "a tree with two things of one name gives no snapshot"
    assert not (tmp_path / "steps.py").exists()


def test_a_server_that_hangs_is_left_and_nothing_runs_on(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    import psutil

    from pipelines.git import session

    monkeypatch.setattr(session.Session.ask, "__kwdefaults__", {"seconds": 1.0, "hear": None, "most": 1000})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = refused(cast, f"http://localhost:{silent.getsockname()[1]}/code.git")
    assert said == "localhost was not done within 1 s: sync again later, or use a smaller repository."
    # What has ended is a zombie until the first process of the machine looks after it.
    left = [child for child in psutil.Process().children(recursive=True) if "git" in child.name()]
    assert [child for child in left if child.status() != psutil.STATUS_ZOMBIE] == []


def test_without_git_a_sentence_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.git import session

    session.program.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        assert refused(cast, "/some/where").startswith("Git is not installed where the system worker runs")
    finally:
        session.program.cache_clear()


def test_without_ssh_a_sentence_says_so_where_it_is_needed(
    cast: Cast, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.git import session

    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "git").symlink_to(session.program())
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    said = refused(cast, "ssh://git@localhost/code")
    assert said.startswith("There is no ssh where the system worker runs")
    assert "install the package openssh-client there, then sync again" in said
    on_disk = repositories.register(cast.team, "b", str(repository.folder), actor=cast.alice)
    assert after_chores(on_disk).sync_error == "", "only a repository by SSH needs it"


# --- addresses ------------------------------------------------------------------------------------------

HOSTILE = [
    "--upload-pack=touch /tmp/owned",
    "-u./payload",
    "ext::sh -c touch% /tmp/owned",
    "fd::17",
    "ext::sh",
    "transport::https://code.example.org/x",
    "ssh://-oProxyCommand=touch/x",
    "-oProxyCommand=touch@host:path",
    "git@-oProxyCommand=touch:path",
    "ssh://git@host:22/-x",
    "git@host:-x",
    "https://ana:secret@code.example.org/x.git",
    "https://token@code.example.org/x.git",
    "ssh://git:secret@code.example.org/x.git",
    "git://code.example.org/x.git",
    "ftp://code.example.org/x.git",
    "https://code.example.org/x.git?private_token=secret",
    "https://code.example.org/x.git#secret",
    "https://",
    "https://code.example.org",
    "https://code.example.org:99999/x",
    "https://[::1/x",
    "file://elsewhere/x",
    "relative/path",
    "https://code.example.org/a b",
    "https://code.example.org/a\nb",
    "https://code.example.org/\x00",
    "https://code.exa\u202emple.org/x",
    "",
]


@pytest.mark.parametrize("where", HOSTILE)
def test_what_is_no_plain_address_is_refused_without_repeating_a_password(cast: Cast, where: str) -> None:
    with pytest.raises(Invalid) as refusal:
        repositories.register(cast.team, "steps", where, actor=cast.alice)
    assert refusal.value.errors[0][0] == "address"
    assert "secret@" not in refusal.value.message
    assert "=secret" not in refusal.value.message
    assert not CodeLocation.objects.exists()


@pytest.mark.parametrize(
    "ref",
    [
        "--upload-pack=x",
        "-x",
        "a..b",
        "a b",
        "a:b",
        "HEAD^",
        "a~1",
        "a*",
        "/a",
        "a/",
        "a//b",
        "a.lock",
        ".a",
        "@{1}",
        "a\\b",
        "x" * 256,
    ],
)
def test_what_is_no_plain_ref_is_refused(cast: Cast, ref: str) -> None:
    with pytest.raises(Invalid, match="A ref is the name"):
        repositories.register(cast.team, "steps", "https://code.example.org/x", actor=cast.alice, ref=ref)


@pytest.mark.parametrize("folder", ["../up", "a/../../b", "-x", "a\\b", "a\nb", "x" * 256])
def test_what_is_no_plain_folder_is_refused(cast: Cast, folder: str) -> None:
    with pytest.raises(Invalid, match="A path inside the repository"):
        repositories.register(
            cast.team, "steps", "https://code.example.org/x", actor=cast.alice, folder=folder
        )


@pytest.mark.parametrize(
    "where", ["http://localhost:80/x", "ssh://git@127.0.0.1/x", "https://[::1]/x", "http://169.254.169.254/x"]
)
def test_an_inward_address_is_refused_unless_the_settings_allow_it(
    cast: Cast, settings: Any, where: str
) -> None:
    settings.ORCHESTRATOR["INNER_ADDRESSES"] = []
    assert "is not a public address" in refused(cast, where)


def test_credentials_are_not_sent_in_clear_over_the_public_network(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import outgoing

    monkeypatch.setattr(outgoing, "checked", lambda host, port: ["8.8.8.8"])
    make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    said = refused(cast, "http://code.example.org/x", secret="deploy")
    assert said.startswith("The credentials would cross the network in clear: write https://code.example.org")


def test_credentials_of_one_host_are_not_sent_to_another_unless_named_again(
    cast: Cast, web: Web, repository: Repository
) -> None:
    make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    location = registered(cast, f"{web.address}/code/.git", secret="deploy")
    elsewhere = {"address": "https://code.example.org/x"}
    with pytest.raises(Invalid, match="The secret 'deploy' is for localhost") as refusal:
        repositories.change(location, elsewhere, actor=cast.alice)
    assert refusal.value.errors[0][0] == "secret"
    assert repositories.change(location, {**elsewhere, "secret": "deploy"}, actor=cast.alice)


def test_git_connects_to_the_address_that_was_checked_and_asks_no_resolver(
    cast: Cast, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import outgoing

    monkeypatch.setattr(outgoing, "checked", lambda host, port: ["127.0.0.1"])
    make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    port = web.address.rsplit(":", 1)[1]
    assert registered(cast, f"http://code.invalid:{port}/code/.git", secret="deploy").sync_error == ""


@needs_ssh
def test_ssh_connects_to_the_address_that_was_checked_and_asks_no_resolver(
    cast: Cast, shell: Shell, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import outgoing

    monkeypatch.setattr(outgoing, "checked", lambda host, port: ["127.0.0.1"])
    make_secret(cast.team, "key", shell.key)
    where = shell.address.replace("localhost", "code.invalid") + str(repository.folder)
    location = registered(cast, where, secret="key")
    assert location.sync_error == ""
    assert location.known_hosts.startswith("[code.invalid]:"), (
        "the key is that of the name, not of the number"
    )


def test_a_redirect_is_not_followed(cast: Cast, web: Web, tmp_path: Path) -> None:
    make_secret(cast.team, "deploy", f"{USER}:{PASSWORD}")
    with served_by_http(tmp_path) as other:
        web.redirect = other.address
        said = refused(cast, f"{web.address}/code/.git", secret="deploy")
    assert "leads on to another address" in said
    assert other.asked == []


def test_a_first_contact_never_replaces_keys_that_somebody_gives_meanwhile(
    cast: Cast, repository: Repository
) -> None:
    location = registered(cast, f"file://{repository.folder}")
    CodeLocation.objects.filter(pk=location.pk).update(known_hosts="given by an admin")
    met: Any = SimpleNamespace(known_hosts="seen on the way")
    repositories._trust(location, met)
    location.refresh_from_db()
    assert location.known_hosts == "given by an admin"
    assert not AuditEvent.objects.filter(verb="code.trust").exists()


def test_known_hosts_are_kept_with_plain_line_ends(cast: Cast) -> None:
    where, lines = "ssh://git@code.example.org/x", "a ssh-ed25519 AAAA\r\nb ssh-ed25519 BBBB\r\n"
    location = repositories.register(cast.team, "steps", where, actor=cast.alice, known_hosts=lines)
    assert location.known_hosts == "a ssh-ed25519 AAAA\nb ssh-ed25519 BBBB\n"


@needs_ssh
def test_another_host_begins_without_known_keys(cast: Cast, shell: Shell, repository: Repository) -> None:
    make_secret(cast.team, "key", shell.key)
    location = registered(cast, f"{shell.address}{repository.folder}", secret="key")
    assert location.known_hosts
    elsewhere = {"address": "ssh://git@code.example.org/x", "secret": "key"}
    repositories.change(location, elsewhere, actor=cast.alice)
    assert location.known_hosts == ""


# --- nothing leaks --------------------------------------------------------------------------------------


def test_credentials_are_in_no_table_no_log_and_no_file_afterwards(
    cast: Cast,
    web: Web,
    shell: Shell,
    repository: Repository,
    home: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: Any,
) -> None:
    from django.db import connection

    make_secret(cast.team, "right", f"{USER}:{PASSWORD}")
    make_secret(cast.team, "wrong", f"{USER}:wrong-{PASSWORD}")
    make_secret(cast.team, "key", shell.key)
    registered(cast, f"{web.address}/code/.git", secret="right")
    for name, where, secret in (
        ("b", f"{web.address}/code/.git", "wrong"),
        ("c", f"{web.address}/none.git", "right"),
        ("d", f"{shell.address}{repository.folder}", "key"),
        ("e", f"{shell.address}/nowhere", "key"),
    ):
        after_chores(repositories.register(cast.team, name, where, actor=cast.alice, secret=secret))
    body = "".join(shell.key.split("\n")[1:-2])
    marks = [PASSWORD.encode(), body[:60].encode(), shell.key.split("\n")[1].encode()]
    said = caplog.text + "".join(capfd.readouterr())
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            said += "\n".join(str(row) for (row,) in cursor.fetchall())
    files = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for mark in marks:
        assert mark.decode() not in said
        assert mark not in files
    assert list((home / "repositories" / "sessions").iterdir()) == []
    assert list((home / "repositories").glob("files-*")) == []


@needs_ssh
def test_credentials_are_on_no_command_line_and_in_no_environment(
    cast: Cast, shell: Shell, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.git import session

    seen: list[str] = []
    begin = subprocess.Popen

    def watched(command: Any, *arguments: Any, **options: Any) -> Any:
        if command[0] == session.program():  # not those of the server
            seen.append(f"{command} {options.get('env')}")
        return begin(command, *arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    make_secret(cast.team, "key", shell.key)
    assert registered(cast, f"{shell.address}{repository.folder}", secret="key").sync_error == ""
    assert seen
    assert shell.key.split("\n")[1] not in "".join(seen)
    assert all("GIT_ALLOW_PROTOCOL" in each and "GIT_CONFIG_NOSYSTEM" in each for each in seen)


# --- changing -------------------------------------------------------------------------------------------


def test_what_is_changed_is_synced_again_and_told_once(cast: Cast, repository: Repository) -> None:
    repository.commit(**{"inner/train__py": BLOCKS})
    location = registered(cast, str(repository.folder))
    assert repositories.change(location, {"folder": "inner", "ref": ""}, actor=cast.alice)
    location = after_chores(location)
    assert location.last_snapshot is not None
    assert set(location.last_snapshot.blocks) == {"train:load"}
    assert not repositories.change(location, {"folder": "inner"}, actor=cast.alice)
    assert AuditEvent.objects.filter(verb="code.change").count() == 1


def test_a_secret_is_named_that_the_team_has(cast: Cast) -> None:
    with pytest.raises(Invalid, match="no secret 'nowhere'"):
        repositories.register(
            cast.team, "a", "https://code.example.org/x", actor=cast.alice, secret="nowhere"
        )


def test_a_name_of_a_repository_is_taken_once(cast: Cast, repository: Repository) -> None:
    registered(cast, str(repository.folder))
    with pytest.raises(Conflict, match="another name"):
        repositories.register(cast.team, "steps", str(repository.folder), actor=cast.alice)


# --- folders in a work tree -----------------------------------------------------------------------------


def test_a_folder_in_a_work_tree_says_its_commit_and_what_is_not_in_it(
    cast: Cast, repository: Repository
) -> None:
    location = code.register(cast.team, "folder", str(repository.folder), actor=cast.alice)
    sha = repository.git("rev-parse", "HEAD")
    assert (code.state(location), location.commit, location.branch) == ("in-step", sha, "refs/heads/main")
    (repository.folder / "steps.py").write_text(BLOCKS.replace("10", "20"))
    (repository.folder / "new.py").write_text("x = 1\n")
    dirty = code.sync(location, actor=cast.alice)
    assert (code.state(location), dirty.dirty, dirty.commit) == ("dirty", True, sha)
    assert location.notes == [f"Not as in the commit {sha[:12]}: new.py, steps.py."]
    sha = repository.commit("Twenty rows")
    clean = code.sync(location, actor=cast.alice)
    assert (clean.tree_sha256, clean.dirty, clean.commit) == (dirty.tree_sha256, False, sha)
    assert code.state(location) == "in-step"


def test_a_folder_of_a_work_tree_runs_nothing_that_its_repository_names(
    cast: Cast, repository: Repository, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "filter.x.clean",
        "filter.x.smudge",
        "core.pager",
        "diff.external",
        "gpg.program",
    ):
        repository.git("config", name, str(script))
    repository.git("config", "log.showSignature", "true")
    (repository.folder / ".gitattributes").write_text("* filter=x\n")
    (repository.folder / "steps.py").write_text(BLOCKS + "\n")
    location = code.register(cast.team, "folder", str(repository.folder), actor=cast.alice)
    assert code.state(location) == "dirty"
    assert not mark.exists()


# --- words ----------------------------------------------------------------------------------------------


def test_progress_is_read_from_what_git_says() -> None:
    from pipelines.git.session import progress_of

    assert progress_of("remote: Counting objects: 5, done.\rReceiving objects:  20% (1/5)\r") == (20, 0)
    earlier = "Receiving objects:  20% (1/5), 1.00 KiB | 2 KiB/s\r"
    assert progress_of(f"{earlier}Receiving objects:  60% (3/5), 2.50 MiB | 1 MiB/s\r") == (60, 2_621_440)
    assert progress_of("Resolving deltas: 100% (2/2), done.") is None


def test_a_location_shows_how_far_its_sync_is(
    cast: Cast, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repositories, "REPORT_EVERY", 0)
    shown: list[Any] = []
    read = code.read

    def watched(folder: Path, lock_file: str) -> code.Content:
        shown.append(CodeLocation.objects.get().syncing)
        return read(folder, lock_file)

    monkeypatch.setattr(code, "read", watched)
    registered(cast, str(repository.folder))
    assert shown == [{"words": "reading the blocks", "per_cent": 0}]


def test_a_fault_of_ours_is_on_the_page_and_the_sync_is_tried_again(
    cast: Cast, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(code, "read", broken)
    location = repositories.register(cast.team, "steps", str(repository.folder), actor=cast.alice)
    chores.carry_out_due()
    location.refresh_from_db()
    assert (location.syncing, "Something unexpected" in location.sync_error) == (None, True)
    assert Chore.objects.get(kind="sync").state == "waiting"


@needs_ssh
def test_fingerprints_are_those_of_ssh_keygen(shell: Shell, tmp_path: Path) -> None:
    from pipelines.git import host_keys

    (tmp_path / "known").write_text(f"# comment\nbroken line here\n{shell.host_line}\n")
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "known"], capture_output=True, text=True, check=True
    ).stdout
    (key,) = host_keys.read((tmp_path / "known").read_text())
    assert key.fingerprint in told
    assert key.kind == "ssh-ed25519"


def test_a_tree_that_unfolds_without_end_is_left_before_it_fills_the_memory(
    cast: Cast, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MOST_NAMED", 64 * 1024)
    below = repository.git("rev-parse", "HEAD:steps.py")
    line = "100644 blob"
    for _ in range(5):
        entries = "".join(f"{line} {below}\t{name}\n" for name in range(10))
        below = mktree(repository, entries)
        line = "040000 tree"
    commit = repository.git("commit-tree", "-m", "A bomb", below)
    repository.git("update-ref", "refs/heads/bomb", commit)
    location = registered(cast, f"file://{repository.folder}", ref="bomb")
    assert "more refs or files than are read" in location.sync_error
    assert location.last_snapshot is None


def mktree(repository: Repository, entries: str) -> str:
    done = subprocess.run(
        ["git", "mktree"],
        cwd=repository.folder,
        env=ENVIRONMENT,
        input=entries,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
