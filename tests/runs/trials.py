"""Attempts carried out for real: a zygote, a runner, a log, nothing else of the product."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.conf import LazySettings

from runs.worker import folders
from runs.worker.view import Confined
from runs.worker.zygotes import Running, Zygote, ZygotePool

Json = dict[str, Any]
AnyUser = TypeVar("AnyUser", bound=Confined)


@dataclass
class Ended:
    """How an attempt ended: the event, the runner's report, the log, and its folder."""

    event: Json
    log: str
    work: Path

    @property
    def result(self) -> Json:
        found: Json = self.event["result"]
        return found

    @property
    def error(self) -> Json:
        assert "error" in self.result, f"the attempt succeeded: {self.result}"
        found: Json = self.result["error"]
        return found

    @property
    def outputs(self) -> Json:
        """Outputs by name: the value, or the whole descriptor of a file."""
        assert "outputs" in self.result, f"the attempt failed: {self.result}\n{self.log}"
        return {output["name"]: output.get("value", output) for output in self.result["outputs"]}


@dataclass
class Trial:
    """An attempt that may still be running."""

    running: Running
    log_file: Path
    work: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for(self, words: str, seconds: float = 10.0) -> str:
        """Until the log has these words, and the zygote has said which process wrote them."""
        deadline = time.monotonic() + seconds
        while words not in self.log or self.running.pid is None:
            self.running.poll(0.01)
            assert time.monotonic() < deadline, f"the log never said {words!r}: {self.log!r}"
        return self.log

    def wait(self) -> Ended:
        return Ended(self.running.wait(), self.log, self.work)


@dataclass
class Trials:
    """Makes attempts in a temporary folder. `pool` keeps zygotes of the product's interpreter warm."""

    root: Path
    pool: ZygotePool
    preload: tuple[str, ...] = ()
    interpreter: str = sys.executable
    started: list[Trial] = field(default_factory=list)

    def code(self, text: str, name: str = "blocks") -> Path:
        """A module of a code location; returns the location's folder."""
        folder = self.root / "code"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
        return folder

    def start(self, *, zygote: Zygote | None = None, cold: bool = False, **request: Any) -> Trial:
        """Start an attempt; what is not given is a python task without inputs and outputs."""
        attempt = str(uuid.uuid4())
        work = self.root / attempt
        (work / "outputs").mkdir(parents=True)
        whole = {
            "attempt": attempt,
            "task": "train",
            "kind": "python",
            "work": str(work),
            "inputs": {},
            **request,
        }
        whole["outputs"] = ports(whole.get("outputs", {}))
        log = work / "log.txt"
        zygote = zygote or self.pool.get(self.interpreter, self.preload, cold=cold)
        with log.open("wb") as file:
            trial = Trial(zygote.run(whole, file.fileno(), file.fileno()), log, work)
        self.started.append(trial)
        return trial

    def start_shell(self, text: str, **request: Any) -> Trial:
        return self.start(**{"kind": "shell", "shell": text, **request})

    def run(self, **request: Any) -> Ended:
        return self.start(**request).wait()

    def source(self, text: str, **request: Any) -> Ended:
        return self.run(source=text, **request)

    def shell(self, text: str, **request: Any) -> Ended:
        return self.start_shell(text, **request).wait()


class UserTrials(Generic[AnyUser]):
    """Attempts of one team's user, in zygotes of this test alone; `defaults` of every request."""

    def __init__(self, home: Path, user: AnyUser, interpreter: str, **defaults: Any) -> None:
        self.home = home
        self.user = user
        self.interpreter = interpreter
        self.defaults = defaults
        self.pool = ZygotePool()

    def start(self, source: str | None, *, user: Confined | None = None, **request: Any) -> Trial:
        user = user or self.user
        attempt = str(uuid.uuid4())
        work = folders.of_attempt(attempt, user.uid)
        folders.make_owned(work, user.uid)
        whole = {
            "attempt": attempt, "task": "probe", "kind": "python", "work": str(work), "inputs": {},
            "source": source, "env": {"HOME": str(work)}, "temporary": f"/tmp/attempt-{attempt}",
            **self.defaults, **request,
        }  # fmt: skip
        whole["outputs"] = ports(whole.get("outputs", {"result": "json"}))
        log = self.home / f"{attempt}.log"
        zygote = self.pool.get(self.interpreter, confined=user)
        with log.open("wb") as file:
            return Trial(zygote.run(whole, file.fileno(), file.fileno()), log, work)

    def run(self, source: str | None, **request: Any) -> Ended:
        return self.start(source, **request).wait()

    def answer(self, source: str | None, **request: Any) -> Any:
        return self.run(source, **request).outputs["result"]


def closed_home(tmp_path: Path, settings: LazySettings, **told: Any) -> Path:
    """A home that only root may enter, as every home of root's is."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "HOME": home, "STORE": str(home / "store"), **told}
    (home / "secrets.json").write_text("canary")
    return home


def ports(outputs: dict[str, str] | list[Json]) -> list[Json]:
    if isinstance(outputs, list):
        return outputs
    return [{"name": name, "type": kind} for name, kind in outputs.items()]


def value(given: Any, kind: str = "json") -> Json:
    """An input that travels in the request."""
    return {"type": kind, "value": given}


def exists(pid: int) -> bool:
    """Is there a process, other than a zombie, of this number?"""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0] not in "ZX"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool], seconds: float, says: str) -> float:
    """Wait for a condition; returns the seconds it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"after {seconds} s still not true: {says}"
        time.sleep(0.01)
    return time.monotonic() - begun


def marked(mark: str) -> list[int]:
    """Processes that have a word in their command line or environment, but this one."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            text = Path(f"/proc/{name}/cmdline").read_bytes() + Path(f"/proc/{name}/environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in text and exists(int(name)):
            found.append(int(name))
    return found
