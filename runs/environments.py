"""Environments of code locations: one virtual environment per lock file and Python, built by uv and kept.

No ORM, no settings; paths are given. Under the cache folder:

    locks/<sha256 of the lock>.txt     lock files seen so far
    envs/<environment hash>/           the environment; complete when it holds `.complete`
    envs/<environment hash>.log        what uv said when it built it
    uv/                                uv's own cache, so that a second environment shares its files
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

BUILD_TIMEOUT = 1800.0  # seconds
COMPLETE = ".complete"
# What uv may see of our environment: how to reach an index, nothing of the product.
PASSED_ON = re.compile(r"(PATH|HOME|TMPDIR|LANG|UV_.*|SSL_CERT_.*|(HTTPS?|NO|ALL)_PROXY)", re.IGNORECASE)
PACKAGE = re.compile(r"`?([A-Za-z0-9][\w.-]*==[\w.!+-]+)`?")


class BuildFailed(Exception):
    """The environment could not be built. `log`: the file with everything that uv said, or None."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


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


def built(cache: Path, lock_sha256: str) -> bool:
    """Is the environment there? Then nothing needs a network."""
    return (environment_path(cache, lock_sha256) / COMPLETE).is_file()


def interpreter(cache: Path, lock_sha256: str, read_lock: Callable[[], bytes] | None = None) -> Path:
    """The interpreter of a lock's environment, which is built now if it is not there. Raises BuildFailed.

    `read_lock` gives the lock's bytes where this machine has not seen them. Safe to call from many processes
    at once: one builds, the others wait.
    """
    folder = environment_path(cache, lock_sha256)
    python = folder / "bin" / "python"
    if built(cache, lock_sha256):
        return python
    lock = lock_path(cache, lock_sha256)
    if not lock.is_file():
        if read_lock is None:
            raise BuildFailed(f"the lock file {lock_sha256[:12]} is not known here: sync its code location")
        if remember_lock(cache, read_lock()) != lock_sha256:
            raise BuildFailed(
                f"the bytes of the lock file {lock_sha256[:12]} are not the ones that were synced"
            )
    with exclusive(folder.with_suffix(".lock")):
        if not built(cache, lock_sha256):
            build(folder, lock, cache / "uv")
    return python


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One process at a time; the lock ends with the process that held it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(folder: Path, lock: Path, uv_cache: Path) -> None:
    """Make the environment from nothing; what an earlier, interrupted build left is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    log = folder.with_suffix(".log")
    uv = uv_program()
    with open(log, "wb") as output:
        steps = [
            [uv, "venv", "--python", sys.executable, "--no-project", str(folder)],
            [uv, "pip", "sync", "--python", str(folder / "bin" / "python"), "--require-hashes",
             "--compile-bytecode", "--allow-empty-requirements", str(lock)],
        ]  # fmt: skip
        for step in steps:
            run_step(step, output, log, uv_cache)
    (folder / COMPLETE).write_text(f"{platform.python_version()}\n")


def run_step(step: list[str], output: IO[bytes], log: Path, uv_cache: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    environment.setdefault("UV_CACHE_DIR", str(uv_cache))
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    try:
        subprocess.run(
            step, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
            timeout=BUILD_TIMEOUT, check=True, cwd="/",
        )  # fmt: skip
    except subprocess.CalledProcessError:
        raise BuildFailed(what_failed(log.read_text(errors="replace")), log) from None
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"uv was not done after {BUILD_TIMEOUT:.0f} s", log) from None


def what_failed(text: str) -> str:
    """The sentence that matters of what uv said, with the package it is about."""
    lines = [line.strip(" ×╰─▶├│").strip() for line in text.splitlines() if line.strip()]
    marks = ("failed", "error", "cause:", "no solution", "because", "hash mismatch")
    telling = [line for line in lines if line.lower().startswith(marks)] or lines[-1:]
    package = next((found[1] for line in lines if (found := PACKAGE.search(line))), None)
    sentence = "; ".join(dict.fromkeys(telling[:3])) or "uv ended without saying why"
    return sentence if package is None or package in sentence else f"{package}: {sentence}"


def uv_program() -> str:
    """The uv that came with the product, else the one on the path. Raises BuildFailed."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        if found is None:
            raise BuildFailed("uv is not installed: it builds the environments of tasks") from None
        return found
