"""The supervisor alone, in a process of its own that does nothing but supervise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator_site import processes
from orchestrator_site.supervisor import Child, Forked, Supervisor
from tests.orchestrator_site.running import ROOT

BEGIN = """
import os, signal, sys, time
from pathlib import Path
from orchestrator_site import supervisor
from orchestrator_site.supervisor import Forked, Stopped, Supervisor, ChildFailed

folder = Path(sys.argv[1])

def say(sentence):
    print(sentence, flush=True)

def note(name):
    with (folder / name).open("a") as file:
        file.write(f"{os.getpid()}\\n")

def forked(name, body):
    return Forked(name, body, folder / f"{name}.log")
"""


class Script:
    """A small program that supervises; `said` is what it printed when it has ended."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + textwrap.dedent(text), str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def noted(self, name: str, count: int = 1, patience: float = 10.0) -> list[int]:
        """The process ids that were noted under a name, once there are `count` of them."""
        deadline = time.monotonic() + patience
        while len(pids := self._read(name)) < count:
            assert time.monotonic() < deadline, f"{name} was noted {len(pids)} times: {pids}"
            time.sleep(0.01)
        return pids

    def _read(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> str:
        said, _ = self.process.communicate(timeout=20)
        return said


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[str], Script]]:
    begun: list[Script] = []

    def begin(text: str) -> Script:
        begun.append(Script(tmp_path, text))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def gone(pid: int, patience: float = 2.0) -> bool:
    deadline = time.monotonic() + patience
    while psutil.pid_exists(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_child_that_keeps_dying_waits_longer_each_time(script: Callable[[str], Script]) -> None:
    running = script(
        """
        supervisor.FIRST_DELAY, supervisor.LONGEST_DELAY = 0.05, 0.2
        def body():
            note("tries")
            sys.exit(3)
        with Supervisor(say) as s:
            s.start(forked("weak", body))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    running.noted("tries", 5)
    said = running.stop().splitlines()
    for line, delay in zip(said, ("0.05", "0.1", "0.2", "0.2"), strict=False):
        assert line.startswith(f"weak died (exit code 3) and is started again in {delay} s")


def test_a_child_that_has_died_for_days_is_started_again_all_the_same() -> None:
    said: list[str] = []
    child = Child(Forked("looping", lambda: None, None), pid=1, started=time.monotonic(), deaths=2000)
    Supervisor(said.append, children=[child])._bury(child, 256)
    assert said == ["looping died (exit code 1) and is started again in 30 s."]


def test_how_a_strangers_process_ended_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = iter([(41, 0), (42, 256), (0, 0)])
    monkeypatch.setattr(os, "waitpid", lambda *_: next(ended))
    supervisor = Supervisor(lambda _: None, awaited=42)
    supervisor._reap()
    assert supervisor.ended == {42: 256}


def test_a_child_that_lived_well_comes_back_quickly_again(script: Callable[[str], Script]) -> None:
    running = script(
        """
        supervisor.FIRST_DELAY, supervisor.HEALTHY_AFTER = 0.05, 0.2
        def body():
            note("tries")
            time.sleep(0.3)
        with Supervisor(say) as s:
            s.start(forked("mortal", body))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    running.noted("tries", 3)
    said = running.stop().splitlines()
    assert [line for line in said if "in 0.05 s" in line] == said


def test_what_a_dead_child_leaves_behind_is_ended(script: Callable[[str], Script]) -> None:
    running = script(
        """
        def body():
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.setsid()
                    note("grandchildren")
                    time.sleep(60)
                note("children")
                time.sleep(60)
            note("parents")
            time.sleep(60)
        with Supervisor(say) as s:
            s.start(forked("parent", body))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    left = [running.noted(name)[0] for name in ("children", "grandchildren")]
    os.kill(running.noted("parents")[0], signal.SIGKILL)
    assert all(gone(pid) for pid in left)
    running.noted("parents", 2)
    running.stop()
    assert all(gone(pid) for name in ("parents", "children", "grandchildren") for pid in running.noted(name))


def test_a_child_that_ignores_term_is_ended_harshly_and_named(script: Callable[[str], Script]) -> None:
    running = script(
        """
        def body():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note("deaf")
            time.sleep(60)
        with Supervisor(say, patience=0.3) as s:
            s.start(forked("deaf", body))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    pid = running.noted("deaf")[0]
    assert "deaf did not stop within 0.3 s and is ended harshly." in running.stop()
    assert gone(pid)


def test_a_second_signal_ends_patience(script: Callable[[str], Script]) -> None:
    running = script(
        """
        def body():
            signal.signal(signal.SIGTERM, lambda *_: note("asked"))
            note("slow")
            while True:
                time.sleep(60)
        with Supervisor(say, patience=60) as s:
            s.start(forked("slow", body))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    running.noted("slow")
    running.process.send_signal(signal.SIGINT)
    running.noted("asked")
    started = time.monotonic()
    running.stop(signal.SIGINT)
    assert time.monotonic() - started < 5


def test_servers_are_stopped_after_everything_that_needs_them(script: Callable[[str], Script]) -> None:
    running = script(
        """
        def body(name):
            def end(*_):
                note("order-" + name)
                (folder / "order").open("a").write(name + " ")
                sys.exit()
            signal.signal(signal.SIGTERM, end)
            note("up")
            time.sleep(60)
        with Supervisor(say) as s:
            s.start(forked("server", lambda: body("server")), is_server=True)
            s.start(forked("client", lambda: body("client")))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    running.noted("up", 2)
    running.stop()
    assert (running.folder / "order").read_text().split() == ["client", "server"]


def test_a_child_that_ends_is_waited_for_and_its_failure_is_told(script: Callable[[str], Script]) -> None:
    running = script(
        """
        with Supervisor(say) as s:
            s.run_to_end(forked("good", lambda: None))
            try:
                s.run_to_end(forked("bad", lambda: sys.exit("no")))
            except ChildFailed as failure:
                say(failure)
        """
    )
    assert running.end() == "bad ended with exit code 1\n"
    assert (running.folder / "bad.log").read_text() == "no\n"


def test_a_child_that_raises_leaves_its_traceback_in_its_log(script: Callable[[str], Script]) -> None:
    running = script(
        """
        with Supervisor(say) as s:
            try:
                s.run_to_end(forked("bad", lambda: 1 / 0))
            except ChildFailed as failure:
                say(failure)
        """
    )
    assert running.end() == "bad ended with exit code 1\n"
    assert "ZeroDivisionError" in (running.folder / "bad.log").read_text()


def test_children_have_the_signals_of_any_process_and_a_session_of_their_own(
    script: Callable[[str], Script],
) -> None:
    running = script(
        """
        def body():
            print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, os.getsid(0) == os.getpid(), flush=True)
        with Supervisor(say) as s:
            s.run_to_end(forked("plain", body))
        """
    )
    running.end()
    assert (running.folder / "plain.log").read_text() == "True True\n"


def test_a_gate_holds_children_back_until_it_opens(script: Callable[[str], Script]) -> None:
    running = script(
        """
        gate = supervisor.Gate()
        def body():
            note("waiting")
            gate.wait()
            note("through")
            time.sleep(60)
        with Supervisor(say) as s:
            s.start(forked("early", body))
            time.sleep(0.3)
            say((folder / "through").exists())
            gate.open()
            s.start(forked("late", body))
            try:
                s.watch()
            except Stopped:
                pass
        """
    )
    running.noted("through", 2)
    assert running.stop() == "False\n"


def test_a_log_that_grew_is_set_aside_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    descriptor = processes.open_log(log)
    os.write(descriptor, b"x" * 100)
    processes.trim_log(log, limit=200)
    assert log.stat().st_size == 100
    processes.trim_log(log, limit=50)
    os.write(descriptor, b"after")
    os.close(descriptor)
    assert log.read_text() == "after"
    assert (tmp_path / "web.log.1").stat().st_size == 100
