"""Environments: built once per lock file by uv, from wheels on this disk so that no network is needed."""

from __future__ import annotations

import base64
import hashlib
import shlex
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runs.environments import uv, venvs
from runs.environments.venvs import BuildFailed

ROOT = Path(__file__).parents[2]


def make_wheel(
    folder: Path, name: str, version: str = "1.0", *, source: str = "", more: dict[str, str] | None = None
) -> Path:
    """A wheel with one module that knows its version and does what the source says; and `more` files."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n{source}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(more or {}),
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}\n"
        for path, text in files.items()
    )
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def locked(*wheels: Path, digest: str = "") -> bytes:
    lines = []
    for wheel in wheels:
        found = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{wheel.name.split('-')[0]} @ {wheel.as_uri()} --hash=sha256:{found}\n")
    return "".join(lines).encode()


def pinned(wheel: Path) -> bytes:
    """A lock as the product takes it: uv finds the wheel in the folder that UV_FIND_LINKS names."""
    name, version, _ = wheel.name.split("-", 2)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n".encode()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / "wheels", "grain")


def say(python: Path, code: str) -> str:
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_an_environment_holds_what_the_lock_says_and_nothing_of_ours(cache: Path, wheel: Path) -> None:
    python = venvs.interpreter(cache, venvs.remember_lock(cache, locked(wheel)))
    assert say(python, "import grain; print(grain.version)") == "1.0"
    assert say(python, "import importlib.util as u; print(u.find_spec('django'))") == "None"
    assert say(python, "import sys; print(sys.version.split()[0])") == sys.version.split()[0]


def test_an_environment_is_built_once(cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = venvs.remember_lock(cache, locked(wheel))
    assert not venvs.built(cache, digest)
    first = venvs.interpreter(cache, digest)
    assert venvs.built(cache, digest)
    monkeypatch.setattr(uv, "program", lambda: pytest.fail("uv was asked again"))
    assert venvs.interpreter(cache, digest) == first


def test_another_lock_is_another_environment(cache: Path, wheel: Path, tmp_path: Path) -> None:
    other = make_wheel(tmp_path / "wheels", "grain", "2.0")
    pythons = [venvs.interpreter(cache, venvs.remember_lock(cache, locked(each))) for each in (wheel, other)]
    assert [say(python, "import grain; print(grain.version)") for python in pythons] == ["1.0", "2.0"]


def test_the_hash_depends_on_lock_and_python() -> None:
    lock = b"numpy==1\n"
    same = venvs.environment_hash(hashlib.sha256(lock).hexdigest(), "3.11.7")
    assert venvs.environment_hash(lock, "3.11.7") == same
    assert venvs.environment_hash(lock, "3.12.0") != same
    assert venvs.environment_hash(b"numpy==2\n", "3.11.7") != same


def test_a_package_with_other_bytes_is_refused_by_name(cache: Path, wheel: Path) -> None:
    digest = venvs.remember_lock(cache, locked(wheel, digest="0" * 64))
    with pytest.raises(BuildFailed, match="grain") as failed:
        venvs.interpreter(cache, digest)
    assert "Hash mismatch" in str(failed.value)
    assert failed.value.log is not None
    assert failed.value.log.read_text()
    assert not venvs.built(cache, digest)


def test_a_package_that_cannot_be_had_is_named(cache: Path) -> None:
    lock = b"no-such-package==1.0 --hash=sha256:" + b"0" * 64 + b"\n"
    with pytest.raises(BuildFailed, match="no-such-package"):
        venvs.interpreter(cache, venvs.remember_lock(cache, lock))


def test_an_interrupted_build_is_begun_anew(cache: Path, wheel: Path) -> None:
    digest = venvs.remember_lock(cache, locked(wheel))
    half = venvs.environment_path(cache, digest)
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").write_text("half written")
    assert say(venvs.interpreter(cache, digest), "import grain; print(grain.version)") == "1.0"


def test_many_that_want_the_same_environment_build_it_once(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = venvs.remember_lock(cache, locked(wheel))
    builds: list[Path] = []
    build = venvs.build

    def counted(folder: Path, *others: Any, **named: Any) -> None:
        builds.append(folder)
        build(folder, *others, **named)

    monkeypatch.setattr(venvs, "build", counted)
    threads = [threading.Thread(target=venvs.interpreter, args=(cache, digest)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


SLOW_UV = """#!/bin/sh
echo "$$ began $1" >> {marks}
[ "$1" = pip ] && sleep {seconds}
{uv} "$@"
code=$?
echo "$$ ended $1" >> {marks}
exit $code
"""
BUILDER = """
import sys
from pathlib import Path
from runs.environments import uv, venvs
uv.program = lambda: sys.argv[2]
print(venvs.interpreter(Path(sys.argv[1]), sys.argv[3]))
"""


class Builders:
    """Processes that want one environment, from a uv that takes its time and says when it runs."""

    def __init__(self, folder: Path, cache: Path, digest: str, seconds: float) -> None:
        self.words = [sys.executable, "-c", BUILDER, str(cache), str(folder / "slow-uv"), digest]
        self.marks = folder / "marks"
        marks, program = (shlex.quote(str(path)) for path in (self.marks, uv.program()))
        script = SLOW_UV.format(marks=marks, seconds=seconds, uv=program)
        (folder / "slow-uv").write_text(script)
        (folder / "slow-uv").chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while not self.marks.exists() or words not in self.marks.read_text():
            assert time.monotonic() < deadline, f"{words}: never"
            time.sleep(0.02)


def test_two_workers_that_want_the_same_environment_build_it_once(
    cache: Path, wheel: Path, tmp_path: Path
) -> None:
    builders = Builders(tmp_path, cache, venvs.remember_lock(cache, locked(wheel)), 0.5)
    pair = [builders.start(), builders.start()]
    said = {process.communicate(timeout=60)[0] for process in pair}
    assert len(said) == 1
    assert say(Path(said.pop().strip()), "import grain; print(grain.version)") == "1.0"
    assert builders.marks.read_text().count("began venv") == 1


def test_a_build_that_was_killed_is_begun_anew_when_its_uv_has_ended(
    cache: Path, wheel: Path, tmp_path: Path
) -> None:
    digest = venvs.remember_lock(cache, locked(wheel))
    builders = Builders(tmp_path, cache, digest, 1.5)
    first = builders.start()
    builders.wait_for("began pip")
    first.kill()
    first.wait()
    second = builders.start()
    python = second.communicate(timeout=60)[0].strip()
    assert say(Path(python), "import grain; print(grain.version)") == "1.0"
    lines = [line.split(maxsplit=1)[1] for line in builders.marks.read_text().splitlines()]
    # The uv that was left behind kept the lock: the two never worked in one folder at a time.
    once = ["began venv", "ended venv", "began pip", "ended pip"]
    assert lines == once * 2


def test_a_folder_that_cannot_be_written_is_said_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(BuildFailed, match="ORCHESTRATOR_CACHE names another folder"):
        venvs.interpreter(tmp_path / "cache", "0" * 64, lambda: b"")


def test_a_full_disk_is_said_in_words() -> None:
    said = "error: Failed to install: grain\n  Caused by: No space left on device (os error 28)\n"
    assert venvs.what_failed(said).startswith("the disk is full")


def test_the_packages_of_a_lock_file() -> None:
    lock = (
        b"# head\nnumpy==1.26.4 \\\n    --hash=sha256:00\nPillow[x]==10.0 ; sys_platform == 'linux'\n"
        b"own @ file:///x.whl --hash=sha256:11\n"
    )
    assert venvs.packages(lock) == [("numpy", "1.26.4"), ("Pillow", "10.0"), ("own", "file:///x.whl")]


def test_an_unknown_lock_says_what_to_do(cache: Path) -> None:
    with pytest.raises(BuildFailed, match="sync its code location"):
        venvs.interpreter(cache, "0" * 64)


def test_a_lock_is_fetched_where_this_machine_has_not_seen_it(cache: Path, wheel: Path) -> None:
    lock = locked(wheel)
    digest = hashlib.sha256(lock).hexdigest()
    assert venvs.interpreter(cache, digest, lambda: lock).exists()
    with pytest.raises(BuildFailed, match="not the ones that were synced"):
        venvs.interpreter(cache, "1" * 64, lambda: lock)


def test_uv_sees_no_secret_of_the_product(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_SECRET_KEY", "canary")
    spy = tmp_path / "uv"
    spy.write_text("#!/bin/sh\nenv\n")
    spy.chmod(0o755)
    said = tmp_path / "said"
    with said.open("wb") as output, (tmp_path / "lock").open("w") as held:
        assert uv.run([str(spy)], output, cache, timeout=10, keep_open=held.fileno(), look=lambda: None) == 0
    assert "canary" not in said.read_text()
    assert "UV_CACHE_DIR" in said.read_text()


NO_SOLUTION = (
    "error: No solution found when resolving dependencies\n"
    "  cause: Because no-such was not found in the package registry and you require no-such==1.0, "
    "we can conclude that your requirements are unsatisfiable.\n"
)
REFUSED = (
    "error: Request failed after 3 retries in 5.9s\n  cause: Failed to fetch: http://127.0.0.1:9/simple/x/\n"
    "  cause: client error (Connect)\n  cause: tcp connect error\n  cause: Connection refused\n"
)
UNAVAILABLE = (
    "error: Failed to fetch: http://x/y\n  cause: HTTP status server error (503 Service Unavailable)\n"
)
OFFLINE = f"{NO_SOLUTION}\nhint: Packages were unavailable because the network was disabled.\n"
NOT_FOUND = (
    "error: Failed to fetch: http://x/y.whl\n  cause: HTTP status client error (404 Not Found) for url\n"
)


@pytest.mark.parametrize(
    "said, final",
    [(NO_SOLUTION, True), (NOT_FOUND, True), (REFUSED, False), (UNAVAILABLE, False), (OFFLINE, False)],
)
def test_only_troubles_of_the_network_may_be_over_at_the_next_try(said: str, final: bool) -> None:
    assert venvs.is_final(said) is final


def test_what_a_lock_file_asks_for_in_vain_is_final(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    unknown = b"no-such-package==1.0 --hash=sha256:" + b"0" * 64 + b"\n"
    for lock in (unknown, locked(wheel, digest="0" * 64), b"-r other.txt\n"):
        with pytest.raises(BuildFailed) as failed:
            venvs.interpreter(cache, venvs.remember_lock(cache, lock))
        assert failed.value.final, failed.value
