"""The `orchestrator` command against a real server: what it prints, and the exit codes that CI goes by."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from orchestrator_site import cli
from orchestrator_site.cli import terminal
from orchestrator_site.cli.client import Api
from pipelines.clock import EngineNow
from pipelines.models import Pipeline, PipelineVersion
from runs.models import Queue, Run
from tests.factories import SMALL, Cast, join, make_cast, make_published, make_token
from tests.pipelines.git_servers import make_repository
from tests.runs.factories import Hands

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

Said = tuple[int, str, str]
Command = Callable[..., Said]
BAD = SMALL.replace("greet.outputs", "great.outputs")


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture
def command(
    cast: Cast, live_server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs `orchestrator WORDS…` as Alice: exit code, what it printed, and what it complained."""
    monkeypatch.setenv("ORCHESTRATOR_URL", live_server.url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", make_token(cast.alice))
    monkeypatch.setattr(terminal, "POLL", 0.05)

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["orchestrator", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return written(tmp_path, "small", SMALL)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def worker(fail: dict[str, str] | None = None) -> threading.Thread:
    """Hands that carry out whatever is started within the next seconds."""

    def work() -> None:
        try:
            hands = Hands()
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and not hands.work_off(fail):
                time.sleep(0.05)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_good_document_is_valid(command: Command, small: Path) -> None:
    assert command("validate", small) == (0, f"{small}: valid\n", "")


def test_a_bad_document_is_named_with_its_line_and_exits_1(command: Command, tmp_path: Path) -> None:
    bad = written(tmp_path, "bad", BAD)
    code, out, _ = command("validate", bad)
    assert code == 1
    assert re.match(rf"{re.escape(str(bad))}:15:\d+: error: .*greet", out)


def test_json_for_programs(command: Command, small: Path, tmp_path: Path) -> None:
    bad = written(tmp_path, "bad", BAD)
    code, out, _ = command("validate", "--json", small, bad)
    found = json.loads(out)
    assert code == 1
    assert found[str(small)] == []
    assert found[str(bad)][0]["line"] == 15


def test_documents_are_judged_without_any_server(small: Path, tmp_path: Path) -> None:
    bad = written(tmp_path, "bad", BAD)
    words = [sys.executable, "-m", "orchestrator_site.cli", "validate", "--offline"]
    given: dict[str, Any] = {
        "env": {"PATH": "/usr/bin:/bin"},
        "cwd": settings.BASE_DIR,
        "capture_output": True,
        "text": True,
    }
    done = subprocess.run([*words, str(small)], **given)
    assert (done.returncode, done.stdout) == (0, f"{small}: valid\n")
    done = subprocess.run([*words, str(bad)], **given)
    assert done.returncode == 1
    assert ":15:" in done.stdout


def test_applying_creates_then_publishes_then_finds_nothing_to_do(command: Command, small: Path) -> None:
    assert command("apply", small)[:2] == (0, f"{small}: alpha:small published version 1 (active)\n")
    assert command("apply", small)[:2] == (0, f"{small}: alpha:small unchanged, version 1 (active)\n")
    small.write_text(SMALL + "# more\n")
    code, out, _ = command("apply", small, "--no-activate", "-m", "second")
    assert (code, out) == (0, f"{small}: alpha:small published version 2 (not active)\n")
    assert PipelineVersion.objects.get(number=2).message == "second"
    assert Pipeline.objects.get().active_version == PipelineVersion.objects.get(number=1)


def test_nothing_is_applied_when_one_document_is_bad(command: Command, small: Path, tmp_path: Path) -> None:
    code, out, _ = command("apply", small, written(tmp_path, "bad", BAD))
    assert code == 1
    assert "error" in out
    assert not Pipeline.objects.exists()


def test_in_several_teams_one_says_which(command: Command, cast: Cast, small: Path) -> None:
    join(cast.others, cast.alice, "editor")
    code, _, err = command("apply", small)
    assert code == 2
    assert "alpha, others" in err
    assert command("apply", small, "--team", "others")[1].endswith(
        "others:small published version 1 (active)\n"
    )


def test_a_run_is_waited_for_and_its_end_is_the_exit_code(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    hands = worker()
    code, out, _ = command("run", "small", "-p", "who=7", "--wait")
    hands.join()
    assert code == 0
    assert "alpha:small #1 started: http" in out
    assert "greet: succeeded" in out
    assert out.endswith("alpha:small #1 succeeded\n")
    assert Run.objects.get().params == {"who": "7"}, "a parameter that is text stays text"


def test_a_run_that_does_not_begin_at_once_says_what_it_waits_for(command: Command, cast: Cast) -> None:
    make_published(SMALL + "overlap: queue\n", team=cast.team, owner=cast.alice)
    command("run", "small", "-p", "who=7")
    _, out, _ = command("run", "small", "-p", "who=7")
    assert "alpha:small #2 queued: http" in out
    assert "Queued behind #1, which has not ended." in out


def test_a_run_that_is_waited_for_says_once_why_nothing_of_it_runs(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    Queue.objects.filter(slug="cpu").update(paused_at=EngineNow(), paused_reason="Cleaning.")

    def goes_on() -> None:
        time.sleep(2)
        Queue.objects.filter(slug="cpu").update(paused_at=None)
        connection.close()

    hands, cleaner = worker(), threading.Thread(target=goes_on)
    cleaner.start()
    code, out, _ = command("run", "small", "--wait")
    hands.join()
    cleaner.join()
    assert code == 0
    assert out.count("  greet: The queue cpu is paused: Cleaning.\n") == 1


def test_a_run_that_fails_exits_1_and_says_why(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    hands = worker(fail={"greet": "exit"})
    code, out, _ = command("run", "small", "--wait")
    hands.join()
    assert code == 1
    assert "alpha:small #1 failed" in out
    assert "shout: not run" in out


def test_the_same_key_starts_one_run(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    first = command("run", "small", "--key", "monday", "--json")
    again = command("run", "small", "--key", "monday", "--json")
    assert first[0] == again[0] == 0
    assert json.loads(first[1])["id"] == json.loads(again[1])["id"]
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "words, said",
    [
        (["-p", "who"], "write name=value"),
        (["-p", "wo=1"], "who"),
        (["--version", "9"], "no version 9"),
        (["--only", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_started_exits_2_and_says_why(
    command: Command, cast: Cast, words: list[str], said: str
) -> None:
    make_published(team=cast.team, owner=cast.alice)
    code, _, err = command("run", "small", *words)
    assert code == 2
    assert said in err


def test_runs_are_listed(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    command("run", "small")
    code, out, _ = command("runs", "small")
    assert code == 0
    assert "alpha:small #1" in out
    assert "alice" in out
    assert json.loads(command("runs", "--state", "succeeded", "--json")[1]) == []


def test_a_run_is_found_by_number_by_name_and_by_id(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    command("run", "small")
    for which in ("small#1", "small", Run.objects.get().uuid):
        assert command("logs", which) == (0, "", "")
    code, _, err = command("logs", "small#9")
    assert (code, err) == (2, "There is no run small#9.\n")
    assert command("logs", "small", "nothing")[0] == 2


def test_why_a_task_does_not_run_is_said_with_pages_and_ways_out(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    command("run", "small")
    code, out, _ = command("explain", "small#1", "shout")
    assert code == 0
    page = rf"http://\S+/runs/{Run.objects.get().uuid}\?task=greet"
    assert re.fullmatch(
        "shout: queued\n"
        r"  It waits for greet \(queued\) to end\.\n"
        rf"    greet: {page}\n"
        r"  No worker serves the queue cpu\.\n"
        r"    Start a worker: manage\.py worker --queue cpu\n",
        out,
    )
    codes = [
        blocker["code"]
        for blocker in json.loads(command("explain", "small", "shout", "--json")[1])["blockers"]
    ]
    assert codes == ["tasks", "no-workers"]


def test_a_task_with_nothing_in_its_way_says_so(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    command("run", "small")
    Hands()
    said = "greet: queued\n  Nothing is in its way: the next free worker of the queue cpu takes it.\n"
    assert command("explain", "small", "greet") == (0, said, "")
    assert command("explain", "small", "nothing") == (2, "", "The run has no task nothing.\n")


def test_a_run_and_a_pipeline_are_paused_and_let_go_on(command: Command, cast: Cast) -> None:
    make_published(team=cast.team, owner=cast.alice)
    command("run", "small")
    for what, rows in (("small#1", Run.objects), ("small", Pipeline.objects)):
        paused = command("pause", what, "--reason", "Data is late.")
        assert paused == (0, f"{what}: paused until somebody lets it go on\n", "")
        assert rows.get().paused_reason == "Data is late."
        assert command("unpause", what) == (0, f"{what}: goes on\n", "")
        code, _, err = command("unpause", what)
        assert (code, "is not paused" in err) == (2, True)
    assert "until 2999-01-01" in command("pause", "small", "-r", "x", "--until", "2999-01-01T00:00:00Z")[1]


def test_a_deployment_that_is_not_there_is_said(command: Command) -> None:
    code, _, err = command("trace", "nowhere")
    assert code == 2
    assert err


def test_without_a_token_it_says_where_to_get_one(
    command: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORCHESTRATOR_TOKEN")
    code, _, err = command("validate", small)
    assert code == 2
    assert "manage.py token" in err


def test_a_token_that_does_not_work_exits_2(
    command: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "nonsense")
    code, _, err = command("validate", small)
    assert code == 2
    assert "not known" in err


def test_a_server_that_is_not_there_exits_3(
    command: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://127.0.0.1:9")
    code, _, err = command("validate", small)
    assert code == 3
    assert "http://127.0.0.1:9 cannot be reached" in err


class Rude:
    """A server that closes the first connections without a word, as one that restarts; then it answers."""

    def __init__(self, silent: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        threading.Thread(target=self._serve, args=(silent,), daemon=True).start()

    def _serve(self, silent: int) -> None:
        while True:
            client, _ = self.listener.accept()
            with client:
                self.asked.append(client.recv(64 * 1024).partition(b" ")[0])
                if len(self.asked) > silent:
                    body = b'{"results": [], "next": null}'
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def test_a_question_is_asked_again_when_the_connection_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Rude(silent=2)
    monkeypatch.setenv("ORCHESTRATOR_URL", server.url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "token")
    assert Api().get("runs/") == {"results": [], "next": None}
    assert server.asked == [b"GET"] * 3


def test_a_change_is_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Rude(silent=1)
    monkeypatch.setenv("ORCHESTRATOR_URL", server.url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "token")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)):
        Api().post("runs/", {})
    assert server.asked == [b"POST"]


def test_what_is_printed_is_never_read_as_markup(command: Command, tmp_path: Path) -> None:
    odd = written(tmp_path, "odd", "name: '[red]x[/red]'\ntasks: {}\n")
    assert "[/red]" in command("validate", odd)[1]


def test_sync_reads_a_location_again_and_says_where_it_stands(
    command: Command, cast: Cast, tmp_path: Path
) -> None:
    from pipelines import code, repositories
    from runs import chores

    repository = make_repository(tmp_path / "code")
    sha = repository.commit("First blocks", steps__py="def load() -> int: ...\n")
    code.register(cast.team, "folder", str(repository.folder), actor=cast.alice)
    assert command("sync", "folder") == (0, f"folder: in step\n{sha} First blocks\n", "")
    repositories.register(cast.team, "git", str(repository.folder), actor=cast.alice)

    def carry_out() -> None:
        chores.carry_out_due()
        connection.close()

    worker = threading.Timer(0.2, carry_out)
    worker.start()
    try:
        assert command("sync", "alpha:git") == (0, f"git: in step\n{sha} First blocks\n", "")
    finally:
        worker.join()
    assert command("sync", "nowhere")[::2] == (2, "There is no code location nowhere.\n")
    shutil.rmtree(repository.folder)
    status, _, complained = command("sync", "folder")
    assert (status, "cannot be synced" in complained) == (2, True)
