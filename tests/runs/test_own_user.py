"""`own user`: a zygote that has come through the door, and what its user finds behind it."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from runs.worker import folders, users, view
from runs.worker.view import Confined
from runs.worker.zygotes import Unfit, Zygote, ZygotePool
from tests.runs.trials import Ended, Trial, marked, ports, until

UID = 64_321
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="`own user` needs root: not looked at")

WHO = """
import getpass, os, pwd, tempfile
def who() -> dict:
    status = open("/proc/self/status").read()
    return {
        "ids": os.getresuid() + os.getresgid(), "groups": os.getgroups(), "umask": oct(os.umask(0)),
        "name": pwd.getpwuid(os.getuid()).pw_name, "user": getpass.getuser(), "home": os.path.expanduser("~"),
        "temporary": tempfile.gettempdir(),
        "facts": {line.split(":")[0]: line.split()[1] for line in status.splitlines()
                  if line.startswith(("Cap", "NoNewPrivs"))},
    }
"""


class OwnTrials:
    """Attempts of one team's user, in zygotes of this test alone."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pool = ZygotePool()
        self.user = Confined(UID)

    def start(self, source: str, *, user: Confined | None = None, **request: Any) -> Trial:
        user = user or self.user
        attempt = str(uuid.uuid4())
        work = folders.of_attempt(attempt, user.uid)
        folders.make_owned(work, user.uid)
        whole = {
            "attempt": attempt, "task": "probe", "kind": "python", "work": str(work), "inputs": {},
            "source": source, "env": {"HOME": str(work)}, "temporary": f"/tmp/attempt-{attempt}", **request,
        }  # fmt: skip
        whole["outputs"] = ports(whole.get("outputs", {"result": "json"}))
        log = self.home / f"{attempt}.log"
        zygote = self.pool.get(sys.executable, confined=user)
        with log.open("wb") as file:
            return Trial(zygote.run(whole, file.fileno(), file.fileno()), log, work)

    def run(self, source: str, **request: Any) -> Ended:
        return self.start(source, **request).wait()

    def answer(self, source: str, **request: Any) -> Any:
        return self.run(source, **request).outputs["result"]


@pytest.fixture
def home(tmp_path: Path, settings: LazySettings) -> Path:
    """A home that only root may enter, as every home of root's is."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "HOME": home, "STORE": str(home / "store")}
    (home / "secrets.json").write_text("canary")
    return home


@pytest.fixture
def own(home: Path) -> Iterator[OwnTrials]:
    if problem := users.why_not():
        pytest.skip(f"this machine gives no `own user`: {problem}")
    trials = OwnTrials(home)
    yield trials
    trials.pool.close()


def test_a_task_runs_as_the_user_of_its_team_without_any_right_of_root(own: OwnTrials) -> None:
    trial = own.start(WHO)
    seen = trial.wait().outputs["result"]
    assert seen["ids"] == [UID] * 6
    assert seen["groups"] == []
    assert seen["umask"] == "0o77"
    assert set(seen["facts"].values()) == {"0000000000000000", "1"}
    assert seen["name"] == seen["user"] == f"task-{UID}"
    assert seen["home"] == str(trial.work)
    assert seen["temporary"].startswith("/tmp/attempt-")
