"""uv, which builds environments and knows the interpreters of a machine: where it is and how it is run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

# What uv may see of our environment: how to reach an index, nothing of the product.
PASSED_ON = re.compile(r"(PATH|HOME|TMPDIR|LANG|UV_.*|SSL_CERT_.*|(HTTPS?|NO|ALL)_PROXY)", re.IGNORECASE)
LOOK_EVERY = 0.2  # seconds between two looks at what uv has said


class BuildFailed(Exception):
    """The environment could not be built. `log`: the file with everything that uv said, or None.

    `final`: it is the lock file that asks for what is not to be had, so that trying again cannot help.
    """

    def __init__(self, message: str, log: Path | None = None, *, final: bool = False) -> None:
        super().__init__(message)
        self.log = log
        self.final = final


def program() -> str:
    """The uv that came with the product, else the one on the path. Raises BuildFailed."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        if found is None:
            raise BuildFailed("uv is not installed: it builds the environments of tasks") from None
        return found


def environment(uv_cache: Path) -> dict[str, str]:
    """The variables that uv gets; it downloads no interpreter."""
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    passed.setdefault("UV_CACHE_DIR", str(uv_cache))
    return passed | {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}


def through(proxy: str) -> dict[str, str]:
    """The variables by which uv asks everything by a proxy; none for ""."""
    return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "", "no_proxy": ""} if proxy else {}


def run(
    words: list[str],
    output: IO[bytes],
    uv_cache: Path,
    *,
    timeout: float,
    keep_open: int,
    look: Callable[[], None],
    proxy: str = "",
) -> int:
    """Run uv with its output in a file; returns its exit code. Raises TimeoutError after `timeout` seconds.

    `look` is called every 0.2 s. `keep_open`, a lock's descriptor, is handed down: should this process be
    killed, the lock stays taken until the uv that it left behind has ended. `proxy`: uv asks all by it.
    """
    until = time.monotonic() + timeout
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd="/",
        env=environment(uv_cache) | through(proxy), pass_fds=[keep_open], start_new_session=True,
    )  # fmt: skip
    try:
        while True:
            try:
                return process.wait(LOOK_EVERY)
            except subprocess.TimeoutExpired:
                look()
            if time.monotonic() > until:
                raise TimeoutError
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
