"""`make test`: every check; what was skipped stands in the last lines.

What looks at the code only goes in two lanes, as most of it uses one processor; then come the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import IO

from audit import NOT_ASKED
from tools import PYTHON, ROOT, VENV, npm, say

FAST = os.environ.get("FAST", "") not in ("", "0")
REQUIRE_BROWSER = os.environ.get("REQUIRE_BROWSER", "") not in ("", "0")
BROWSER_PACKAGES = ("chromium", "libatomic1")
NO_BROWSER = f"there is no Chromium that can be driven: install {' and '.join(BROWSER_PACKAGES)}"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Outside the product's packages these are ours as well.
PYTHON_CODE = ("manage.py", "orchestrator_site", "pipelines", "runs", "lineage", "tests", ".ci")

# openapi-typescript and vitest read their own path as a URL.
NO_PERCENT = "the frontend cannot be tested under a path with a % in it"

# Processes that carry out tests at the same time, at most: each needs some 300 MB with its servers.
MOST_BESIDE = 4

# A check: its name, and what carries it out, given where its output goes; that returns the exit code.
Check = tuple[str, Callable[[IO[bytes] | None], int]]
# Name, exit code, seconds.
Result = tuple[str, int, float]
TALKING = Lock()

# What could not be looked at, for the last lines.
SKIPPED: list[str] = []


def command(*words: str) -> Callable[[IO[bytes] | None], int]:
    return lambda output: run([str(VENV / "bin" / words[0]), *words[1:]], output)


def node(script: str) -> Callable[[IO[bytes] | None], int]:
    return lambda output: npm("run", "--silent", script, output=output)


def run(words: list[str], output: IO[bytes] | None, **environment: str) -> int:
    """The exit code of a command in the root folder."""
    known = {**os.environ, **environment}
    return subprocess.run(words, cwd=ROOT, env=known, stdout=output, stderr=output).returncode


def find_browser() -> str | None:
    """A Chromium that can be driven here; as root on Debian it is installed when there is none."""
    found = drivable_browser()
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    say("installing Chromium from the system's packages")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *BROWSER_PACKAGES]):
        subprocess.run(["apt-get", *words], env=environment, stdout=subprocess.DEVNULL)
    return drivable_browser()


def drivable_browser() -> str | None:
    """Playwright's driver needs a library of the system; without it no browser is of use."""
    question = "from playwright._impl._driver import compute_driver_executable as d; print(d()[0])"
    driver = subprocess.run([str(PYTHON), "-c", question], capture_output=True, text=True).stdout.strip()
    if not driver or subprocess.run([driver, "--version"], capture_output=True).returncode:
        return None
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest(browser: str | None) -> Callable[[IO[bytes] | None], int]:
    left_out = ["slow"] if FAST else []
    if FAST or browser is None:
        left_out.append("browser")
    chosen = ["-m", " and ".join(f"not {mark}" for mark in left_out)] if left_out else []
    # Groups side by side (tests/conftest.py says what is one, and the order), each process with servers of
    # its own, and one process more than processors: half of the time they wait.
    beside = ["-n", str(min((os.cpu_count() or 1) + 1, MOST_BESIDE))]
    beside += ["--dist", "loadfile", "--no-loadscope-reorder"]
    words = [str(PYTHON), "-m", "pytest", "-q", "--durations=25", *beside, *chosen]
    return lambda output: run(words, output, **({"CHROMIUM": browser} if browser else {}))


def dependency_audit(output: IO[bytes] | None) -> int:
    """Weaknesses of the locked packages; where nobody can be asked, the last lines say so."""
    code = command("python", ".ci/audit.py")(output)
    if code == NOT_ASKED:
        SKIPPED.append("advisories of some packages, as there is no way to them from here (dependency audit)")
        return 0
    return code


def main() -> None:
    if "%" in str(ROOT):
        sys.exit(f"-- {NO_PERCENT}: clone to another folder than {ROOT}.")
    browser = None if FAST else find_browser()
    if browser is None and not FAST and REQUIRE_BROWSER:
        sys.exit(f"-- REQUIRE_BROWSER is set and {NO_BROWSER}")
    migrations = command("python", "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run")
    of_python: list[Check] = [
        ("format", command("ruff", "format", "--check", *PYTHON_CODE)),
        ("lint", command("ruff", "check", "--output-format=concise", *PYTHON_CODE)),
        ("types", command("mypy")),
        ("import direction", command("lint-imports", "--no-logo")),
        ("migrations", migrations),
        *([] if FAST else [("dependency audit", dependency_audit)]),
        ("schema unchanged", command("python", "manage.py", "write_schema", "--check")),
    ]
    of_frontend: list[Check] = [("frontend lint", node("lint")), ("frontend types", node("types"))]
    tests: list[Check] = [("frontend tests", node("test")), ("pytest", pytest(browser))]
    conclude(in_lanes(of_python, of_frontend) + [timed(check, None) for check in tests], browser)


def in_lanes(*lanes: Sequence[Check]) -> list[Result]:
    """The checks of a lane one after the other, the lanes beside each other."""
    with ThreadPoolExecutor(len(lanes)) as threads:
        results = threads.map(lambda lane: [told_at_once(check) for check in lane], lanes)
        return [result for lane in results for result in lane]


def told_at_once(check: Check) -> Result:
    """A check whose output comes at its end, so that it does not mix with another's."""
    with tempfile.TemporaryFile() as output:
        result = timed(check, output)
        output.seek(0)
        with TALKING:
            say(check[0])
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
    return result


def timed(check: Check, output: IO[bytes] | None) -> Result:
    name, carry_out = check
    if output is None:
        say(name)
    started = time.monotonic()
    return name, carry_out(output), time.monotonic() - started


def conclude(results: list[Result], browser: str | None) -> None:
    print()
    for name, code, seconds in results:
        say(f"{'ok    ' if code == 0 else 'FAILED'} {name} ({seconds:.0f} s)")
    if FAST:
        say("SKIPPED by FAST=1: tests marked slow or browser; `make test` runs them")
    elif browser is None:
        say(f"SKIPPED: browser walks, as {NO_BROWSER}, or run as root")
    for what in SKIPPED:
        say(f"SKIPPED: {what}")
    if (ROOT / "tests" / "benchmarks").is_dir():
        say("not part of this: `make bench` (figures), `make soak` (ten minutes of chaos; half a minute is)")
        say("not part of this: `make mutants` (all sabotages of the engine; a sample of them is)")
    failed = [name for name, code, _ in results if code]
    if failed:
        sys.exit(f"-- FAILED: {', '.join(failed)}")
    say("all checks passed")


if __name__ == "__main__":
    main()
