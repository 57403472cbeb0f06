"""Environments of code locations: one virtual environment per lock file and Python, built by uv and kept.

No ORM, no settings; paths are given. Under the cache folder, which every home of a machine may share:

    locks/<sha256 of the lock>.txt     lock files seen so far
    envs/<environment hash>/           the environment; complete when it holds `.complete`, whose time of
                                       change says when it was last used
    envs/<environment hash>.log        what uv said when it built it
    envs/<environment hash>.lock       held by the process that builds it, and by the uv it started
    envs/<environment hash>.use        held by processes that use it; nobody removes it meanwhile
    uv/                                uv's own cache, so that a second environment shares its files
"""

from __future__ import annotations

import codecs
import fcntl
import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO

from runs.environments import interpreters, uv
from runs.environments.interpreters import Python
from runs.environments.uv import BuildFailed as BuildFailed  # callers know it by this name

BUILD_TIMEOUT = 1800.0  # seconds
COMPLETE = ".complete"
MOST_PACKAGES = 5000  # that are listed
LOOK_EVERY = 0.2  # seconds between two tries for a lock that another process holds
# As uv writes a package in its messages (`name==1.0`), and as a lock file pins one.
PACKAGE = re.compile(r"`?([A-Za-z0-9][\w.-]*==[\w.!+-]+)`?")
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:==\s*([^\s;\\]+)|@\s*(\S+))", re.MULTILINE)
FULL = re.compile(r"no space left on device", re.IGNORECASE)
# Troubles of the network, which may be over at the next try; all else that uv concludes is final.
FLEETING = re.compile(
    r"error sending request|client error \(connect|dns error|connection (refused|reset|closed)|timed out|"
    r"unexpected eof|error decoding response|HTTP status server error|\((408|429) |network was disabled",
    re.IGNORECASE,
)
# Lines that would have uv read other files of this machine, and show them in its messages, or build a folder;
# or put variables of this machine, passwords of an index say, into an address.
ELSEWHERE = re.compile(r"\s*(-[rce]|--requirement|--constraint|--editable)|.*\$\{")


class Watcher:
    """Is told how a build goes on. This one keeps it to itself; every method is called often."""

    def begin(self) -> None:
        """This process, and no other of this machine, builds from now on."""

    def step(self, words: str) -> None:
        """Something begins, in words: `Installing 12 packages`."""

    def said(self, text: str) -> None:
        """What uv has said since the last call; "" says only that the build lives."""


class Network:
    """How a build reaches other machines. This one: as this machine does, wherever the lock file leads."""

    def admit(self, lock: bytes) -> None:
        """Raises BuildFailed for a lock file that leads where it may not."""

    @contextmanager
    def proxy(self) -> Iterator[str]:
        """The address of a proxy that uv takes meanwhile, or ""."""
        yield ""

    def refused(self) -> str:
        """Why the proxy refused an address, in words, or ""."""
        return ""


def environment_hash(lock: bytes | str, python: str) -> str:
    """Names an environment: sha256 over the lock (its bytes or their sha256), Python version and platform."""
    digest = hashlib.sha256(lock).hexdigest() if isinstance(lock, bytes) else lock
    machine = f"{platform.system()}-{platform.machine()}".lower()
    return hashlib.sha256(f"{digest}\npython {python}\n{machine}\n".encode()).hexdigest()


def remember_lock(cache: Path, lock: bytes) -> str:
    """Keep a lock file for later builds; returns its sha256."""
    digest = hashlib.sha256(lock).hexdigest()
    path = lock_path(cache, digest)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(lock)
        os.replace(file.name, path)
    return digest


def lock_path(cache: Path, lock_sha256: str) -> Path:
    return cache / "locks" / f"{lock_sha256}.txt"


def environment_path(cache: Path, lock_sha256: str, python: str | None = None) -> Path:
    """Where the environment of a lock is, or will be. `python`: its version, default the product's own."""
    return cache / "envs" / environment_hash(lock_sha256, python or platform.python_version())


def built(cache: Path, lock_sha256: str, python: str | None = None) -> bool:
    """Is the environment there? Then nothing needs a network."""
    return (environment_path(cache, lock_sha256, python) / COMPLETE).is_file()


def packages(lock: bytes) -> list[tuple[str, str]]:
    """The packages that a lock file pins, as (name, version or address), in its order."""
    text = lock.decode(errors="replace")
    found = ((each[1], each[2] or each[3]) for each in PINNED.finditer(text))
    return list(islice(found, MOST_PACKAGES))


def interpreter(
    cache: Path,
    lock_sha256: str,
    read_lock: Callable[[], bytes] | None = None,
    *,
    python: Python | None = None,
    watcher: Watcher | None = None,
    run_nothing: bool = False,
    network: Network | None = None,
) -> Path:
    """The interpreter of a lock's environment, which is built now if it is not there. Raises BuildFailed.

    `read_lock` gives the lock's bytes where this machine has not seen them; `python` is the interpreter to
    build on, by default the product's own. `run_nothing`: no code of a package is carried out by building, so
    all must be wheels. Safe to call from many processes at once: one builds, the others wait.
    """
    python, watcher, network = python or interpreters.own(), watcher or Watcher(), network or Network()
    folder = environment_path(cache, lock_sha256, python.version)
    try:
        if not built(cache, lock_sha256, python.version):
            lock = _fetched(cache, lock_sha256, read_lock)
            network.admit(lock.read_bytes())
            with exclusive(folder.with_suffix(".lock"), watcher) as held:
                if not built(cache, lock_sha256, python.version):
                    build(folder, lock, cache / "uv", python, watcher, held, network, run_nothing=run_nothing)
    except OSError as error:
        raise unusable(cache, error) from error
    return folder / "bin" / "python"


def unusable(cache: Path, error: OSError) -> BuildFailed:
    """The folder of environments cannot be read or written; says what to do."""
    return BuildFailed(
        f"{error.filename or cache} cannot be used ({error.strerror}): environments are built there; "
        "ORCHESTRATOR_CACHE names another folder"
    )


def _fetched(cache: Path, lock_sha256: str, read_lock: Callable[[], bytes] | None) -> Path:
    """The lock file on this machine."""
    lock = lock_path(cache, lock_sha256)
    if not lock.is_file():
        if read_lock is None:
            raise BuildFailed(f"the lock file {lock_sha256[:12]} is not known here: sync its code location")
        if remember_lock(cache, read_lock()) != lock_sha256:
            raise BuildFailed(
                f"the bytes of the lock file {lock_sha256[:12]} are not the ones that were synced"
            )
    return lock


@contextmanager
def exclusive(path: Path, watcher: Watcher) -> Iterator[int]:
    """One process at a time; the lock ends with the process that held it and the uv it started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waited = False
    with open(path, "w") as file:
        while not _locked(file.fileno(), fcntl.LOCK_EX):
            if not waited:
                watcher.step("Waiting for another process that builds it")
                waited = True
            watcher.said("")
            time.sleep(LOOK_EVERY)
        yield file.fileno()


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def build(
    folder: Path,
    lock: Path,
    uv_cache: Path,
    python: Python,
    watcher: Watcher,
    held: int,
    network: Network,
    *,
    run_nothing: bool = False,
) -> None:
    """Make the environment from nothing; what an earlier, interrupted build left is removed first."""
    watcher.begin()
    refuse_elsewhere(lock.read_bytes())
    shutil.rmtree(folder, ignore_errors=True)
    log = folder.with_suffix(".log")
    program = uv.program()
    count = len(packages(lock.read_bytes()))
    steps = {
        f"Making an environment with Python {python.version}": [
            program, "venv", "--python", python.path, "--no-project", str(folder),
        ],
        f"Installing {count} package{'' if count == 1 else 's'}": [
            program, "pip", "sync", "--python", str(folder / "bin" / "python"), "--require-hashes",
            *(["--no-build"] if run_nothing else []), "--allow-empty-requirements", str(lock),
        ],
    }  # fmt: skip
    with open(log, "wb") as output, network.proxy() as proxy:
        tail = Tail(log, watcher)
        for words, step in steps.items():
            watcher.step(words)
            try:
                run_step(step, output, log, uv_cache, tail, held, proxy)
            except BuildFailed as failure:
                if not (refused := network.refused()):
                    raise
                raise BuildFailed(f"the lock file leads elsewhere: {refused}", log, final=True) from failure
        watcher.step("Compiling")
        compile_all(folder, python, output, uv_cache, tail, held)
    (folder / COMPLETE).write_text(f"{python.version}\n")


def refuse_elsewhere(lock: bytes) -> None:
    """Raises BuildFailed for a lock file that leads to other files."""
    lines = lock.decode(errors="replace").splitlines()
    if found := next(filter(ELSEWHERE.match, lines), None):
        raise BuildFailed(
            f"the lock file has the line `{found.strip()[:80]}`: it may only name packages; put in its place "
            "what it leads to",
            final=True,
        )


def compile_all(
    folder: Path, python: Python, output: IO[bytes], uv_cache: Path, tail: Tail, held: int
) -> None:
    """Compile the packages with an interpreter that does not know them: one of theirs would run their .pth.

    What does not compile, a template say, or not in time, stays as it is.
    """
    words = [python.path, "-I", "-S", "-m", "compileall", "-q", "-j", "0", str(folder / "lib")]
    with suppress(TimeoutError):
        uv.run(words, output, uv_cache, timeout=BUILD_TIMEOUT, keep_open=held, look=tail.look)


class Tail:
    """Passes on what a growing file has that was not passed on yet."""

    def __init__(self, path: Path, watcher: Watcher) -> None:
        self.file = path.open("rb")
        self.watcher = watcher
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def look(self) -> None:
        self.watcher.said(self.decoder.decode(self.file.read()))


def run_step(
    step: list[str], output: IO[bytes], log: Path, uv_cache: Path, tail: Tail, held: int, proxy: str
) -> None:
    try:
        code = uv.run(
            step, output, uv_cache, timeout=BUILD_TIMEOUT, keep_open=held, look=tail.look, proxy=proxy
        )
    except TimeoutError:
        raise BuildFailed(f"uv was not done after {BUILD_TIMEOUT:.0f} s", log) from None
    finally:
        tail.look()
    if code != 0:
        text = log.read_text(errors="replace")
        raise BuildFailed(what_failed(text), log, final=code > 0 and is_final(text))


def is_final(text: str) -> bool:
    """Would uv, which said this, say the same again however often it is asked?"""
    return not (FULL.search(text) or FLEETING.search(text))


def what_failed(text: str) -> str:
    """The sentence that matters of what uv said, with the package it is about."""
    if FULL.search(text):
        return "the disk is full: free some space where environments are built, or name another folder"
    lines = [line.strip(" ×╰─▶├│").strip() for line in text.splitlines() if line.strip()]
    marks = ("failed", "error", "cause:", "no solution", "because", "hash mismatch")
    telling = [line for line in lines if line.lower().startswith(marks)] or lines[-1:]
    package = package_of(text)
    sentence = _in_words(list(dict.fromkeys(telling[:3]))) or "uv ended without saying why"
    return sentence if not package or package in sentence else f"{package}: {sentence}"


def _in_words(telling: list[str]) -> str:
    """One sentence of these lines: why there is no solution says all that the line before it does."""
    said = [line.removeprefix("error: ").removeprefix("cause: ").rstrip(".") for line in telling]
    because = [line for line in said if line.startswith("Because ")]
    return "; ".join(because or said)


def package_of(text: str) -> str:
    """The first package, as `name==version`, that a text of uv speaks of; "" when there is none."""
    found = PACKAGE.search(text)
    return found[1] if found else ""
