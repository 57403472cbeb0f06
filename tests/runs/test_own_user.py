"""`own user`: a zygote that has come through the door, and what its user finds behind it."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings

from runs.worker import users, view, zygotes
from runs.worker.view import Confined, Door
from runs.worker.zygotes import Unfit, Zygote
from tests.orchestrator_site.running import folder_for_all
from tests.runs.trials import UserTrials, closed_home, marked, until

UID = 64_321
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="`own user` needs root: not looked at"),
    pytest.mark.slow,
]

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


WAIT = "import time\ndef t() -> int:\n    print('up', flush=True)\n    time.sleep(100)\n    return 1\n"


@pytest.fixture
def home(tmp_path: Path, settings: LazySettings) -> Path:
    return closed_home(tmp_path, settings)


def trials_of(home: Path) -> UserTrials[Confined]:
    return UserTrials(home, Confined(UID), sys.executable)


@pytest.fixture
def own(home: Path) -> Iterator[UserTrials[Confined]]:
    if problem := users.why_not():
        pytest.skip(f"this machine gives no `own user`: {problem}")
    trials = trials_of(home)
    yield trials
    trials.pool.close()


def test_a_task_runs_as_the_user_of_its_team_without_any_right_of_root(own: UserTrials[Confined]) -> None:
    trial = own.start(WHO)
    seen = trial.wait().outputs["result"]
    assert seen["ids"] == [UID] * 6
    assert seen["groups"] == []
    assert seen["umask"] == "0o77"
    assert set(seen["facts"].values()) == {"0000000000000000", "1"}
    assert seen["name"] == seen["user"] == f"task-{UID}"
    assert seen["home"] == str(trial.work)
    assert seen["temporary"].startswith("/tmp/attempt-")


def test_the_home_of_the_product_and_that_of_root_seem_empty(own: UserTrials[Confined]) -> None:
    source = "import os\ndef look(paths: list) -> dict:\n    return {p: os.path.exists(p) for p in paths}\n"
    paths = [str(own.home / "secrets.json"), str(own.home / "store"), "/root/.profile"]
    seen = own.answer(source, inputs={"paths": {"type": "json", "value": paths}})
    assert seen == dict.fromkeys(paths, False)


def test_a_folder_that_may_be_passed_and_not_listed_seems_empty_but_for_what_is_needed(
    own: UserTrials[Confined],
) -> None:
    with folder_for_all() as folder:
        (folder / "code").mkdir()
        (folder / "note").write_text("for others' eyes, were it not for the folder")
        (folder / "code" / "blocks.py").write_text(
            "import os\ndef look() -> list:\n"
            "    return os.listdir(os.path.dirname(os.path.dirname(__file__)))\n"
        )
        folder.chmod(0o711)
        code = str(folder / "code")
        user = replace(own.user, code_path=code)
        assert own.answer(None, user=user, entry="blocks:look", code_path=code) == ["code"]


def test_code_is_read_and_not_changed_and_other_code_is_out_of_sight(own: UserTrials[Confined]) -> None:
    mine, other = own.home / "snapshots" / "mine", own.home / "snapshots" / "other"
    for folder in (mine, other):
        folder.mkdir(parents=True, mode=0o700)
        (folder / "blocks.py").write_text("import os\nOTHER = __file__.replace('mine', 'other')\n" + CHANGES)
    view.let_read(mine)
    user = replace(own.user, code_path=str(mine))
    seen = own.answer(None, user=user, entry="blocks:change", code_path=str(mine))
    assert seen.pop("other") is False
    assert set(seen.values()) <= {"PermissionError", "OSError"}


CHANGES = """
def change() -> dict:
    said = {"other": os.path.exists(OTHER)}
    for name, path in (("write", __file__), ("add", __file__ + "c")):
        try:
            open(path, "a").close()
        except OSError as problem:
            said[name] = type(problem).__name__
    return said
"""


def test_a_program_that_would_run_as_root_does_not(own: UserTrials[Confined]) -> None:
    code = own.home / "code"
    code.mkdir(mode=0o755)
    program = code / "id"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)
    source = (
        "import subprocess\ndef who(path: str) -> str:\n"
        "    return subprocess.check_output([path, '-u'], text=True)\n"
    )
    user = replace(own.user, code_path=str(code))
    assert (
        own.answer(source, user=user, inputs={"path": {"type": "string", "value": str(program)}})
        == f"{UID}\n"
    )


def test_what_an_attempt_leaves_in_private_folders_is_gone_for_the_next(own: UserTrials[Confined]) -> None:
    leave = (
        "import os\ndef leave() -> str:\n    os.mkdir('/tmp/left')\n    open('/tmp/left/a', 'w').close()\n"
    )
    leave += "    open('/dev/shm/left', 'w').close()\n    return str(os.getppid())\n"
    look = "import os\ndef look() -> list:\n"
    look += "    return [os.path.exists(p) for p in ('/tmp/left', '/dev/shm/left')]\n"
    assert own.answer(leave) == "1"
    assert own.answer(look) == [False, False]
    assert not Path("/dev/shm/left").exists()
    assert len(own.pool._zygotes) == 1


def test_what_an_attempt_has_closed_is_gone_for_the_next_too(own: UserTrials[Confined]) -> None:
    leave = (
        "import os\ndef leave() -> None:\n    os.makedirs('/tmp/closed/inner')\n"
        "    open('/tmp/closed/inner/a', 'w').close()\n    os.chmod('/tmp/closed', 0)\n"
    )
    look = "import os\ndef look() -> bool:\n    return os.path.exists('/tmp/closed')\n"
    own.run(leave, outputs={})
    (zygote,) = own.pool._zygotes.values()
    until(lambda: not zygote.alive, 5.0, "the zygote has ended, and its private folders with it")
    assert own.answer(look) is False


def test_a_daemon_ends_with_its_attempt_and_with_its_zygote(own: UserTrials[Confined]) -> None:
    mark = f"daemon-{uuid.uuid4().hex}"
    source = (
        f"import subprocess, time\ndef t() -> int:\n"
        f"    subprocess.Popen(['setsid', 'sh', '-c', ': {mark}; sleep 100'])\n    print('up', flush=True)\n"
    )
    own.run(source + "    return 1\n")
    assert marked(mark) == []
    trial = own.start(source + "    time.sleep(100)\n    return 1\n")
    trial.wait_for("up")
    until(lambda: marked(mark) != [], 5, "the daemon is there")
    trial.running.zygote.process.kill()
    until(lambda: marked(mark) == [], 5, "the daemon has ended with its namespace")


def test_the_pid_of_an_attempt_is_the_one_that_the_worker_sees(own: UserTrials[Confined]) -> None:
    trial = own.start(WAIT)
    trial.wait_for("up")
    assert trial.running.pid is not None
    assert Path(f"/proc/{trial.running.pid}").stat().st_uid == UID
    trial.running.kill()
    assert trial.wait().event["signal"] == 9


def test_a_task_cannot_end_its_zygote_nor_look_into_it(own: UserTrials[Confined]) -> None:
    source = (
        "import os\ndef t() -> list:\n    os.kill(1, 9)\n    os.kill(1, 19)\n"
        "    return [os.access(f'/proc/1/{name}', os.R_OK) for name in ('environ', 'mem', 'fd')]\n"
    )
    assert own.answer(source) == [False, False, False]
    assert own.answer(source) == [False, False, False]
    assert len(own.pool._zygotes) == 1


HIDDEN = """
import ctypes, os, time
def hide(mib: int) -> int:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    held = os.memfd_create("held")
    for _ in range(mib):
        os.write(held, b"x" * 1024 * 1024)
    time.sleep(10)
    return 1
"""
SCRATCH = """
import time
def fill(mib: int) -> int:
    with open("/var/tmp/held", "wb") as file:
        file.write(b"x" * 1024 * 1024 * mib)
    time.sleep(10)
    return 1
"""


@pytest.mark.parametrize("source", [HIDDEN, SCRATCH])
def test_memory_counts_that_a_task_hides_or_has_in_its_private_folders(
    own: UserTrials[Confined], source: str
) -> None:
    inputs = {"mib": {"type": "json", "value": 300}}
    error = own.run(source, inputs=inputs, memory=128 * 1024**2).error
    assert (error["reason"], error["type"]) == ("oom", "MemoryLimit")


def test_a_task_below_its_limit_is_left_alone_in_its_private_folders(own: UserTrials[Confined]) -> None:
    source = SCRATCH.replace("sleep(10)", "sleep(1)")
    inputs = {"mib": {"type": "json", "value": 50}}
    assert own.answer(source, inputs=inputs, memory=256 * 1024**2) == 1


def test_the_users_of_two_teams_do_not_reach_each_other(own: UserTrials[Confined]) -> None:
    trial = own.start(WAIT.replace("print", "open('own', 'w').close(); print"))
    trial.wait_for("up")
    source = "import os\ndef t(path: str) -> bool:\n    return os.path.exists(path)\n"
    given = {"path": {"type": "string", "value": str(trial.work / "own")}}
    other = trials_of(own.home)
    assert other.answer(source, inputs=given) is True
    assert other.answer(source, inputs=given, user=Confined(UID + 1)) is False
    other.pool.close()
    trial.running.kill()
    trial.wait()


def test_an_environment_that_the_user_may_not_read_is_said_before(own: UserTrials[Confined]) -> None:
    folder = own.home / "envs" / "closed"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    folder.chmod(0o700)
    with pytest.raises(Unfit, match=f"{folder} cannot be read by the user task-{UID}"):
        Zygote.start(folder / "bin" / "python", confined=own.user)
    view.let_read(folder)
    Zygote.start(folder / "bin" / "python", confined=own.user).close()


def test_a_machine_too_slow_to_begin_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zygotes, "ENTRY_PATIENCE", 0.2)
    monkeypatch.setattr(Confined, "door", lambda *_: Door(["/bin/sleep", "30"], {}))
    with pytest.raises(Unfit, match=r"it had not become the user of its team after 0\.2 s"):
        Zygote.start(sys.executable, confined=Confined(UID))


def test_a_worker_that_is_not_root_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert users.why_not() == "the workers do not run as root"


@pytest.mark.parametrize(
    "capability, words",
    [("sys_admin", "lets its root make no namespaces"), ("setuid", "become another user")],
)
def test_a_root_without_the_capabilities_says_which_are_missing(
    capability: str, words: str, home: Path
) -> None:
    if problem := users.why_not():
        pytest.skip(f"this machine gives no `own user`: {problem}")
    bounds = [f"--bounding-set=-{capability}", f"--inh-caps=-{capability}"]
    question = "import django; django.setup(); from runs.worker import users; print(users.why_not())"
    said = subprocess.run(
        ["setpriv", *bounds, sys.executable, "-c", question],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert words in said.stdout
