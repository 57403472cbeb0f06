"""`make test`: every check, one after the other; what was skipped stands in the last lines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

from audit import NOT_ASKED
from tools import PYTHON, ROOT, VENV, npm, say

FAST = os.environ.get("FAST", "") not in ("", "0")
REQUIRE_BROWSER = os.environ.get("REQUIRE_BROWSER", "") not in ("", "0")
BROWSER_PACKAGES = ("chromium", "libatomic1")
NO_BROWSER = f"there is no Chromium that can be driven: install {' and '.join(BROWSER_PACKAGES)}"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Outside the product's packages these are ours as well.
PYTHON_CODE = ("manage.py", "orchestrator_site", "pipelines", "runs", "lineage", "tests", ".ci")

# Processes that carry out tests at the same time, at most: each needs some 300 MB with its servers.
MOST_BESIDE = 4

# What could not be looked at, for the last lines.
SKIPPED: list[str] = []


def command(*words: str) -> Callable[[], int]:
    def carry_out() -> int:
        return subprocess.run([str(VENV / "bin" / words[0]), *words[1:]], cwd=ROOT).returncode

    return carry_out


def node(script: str) -> Callable[[], int]:
    return lambda: npm("run", "--silent", script)


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


def pytest(browser: str | None) -> int:
    left_out = ["slow"] if FAST else []
    if FAST or browser is None:
        left_out.append("browser")
    chosen = ["-m", " and ".join(f"not {mark}" for mark in left_out)] if left_out else []
    environment = {**os.environ, **({"CHROMIUM": browser} if browser else {})}
    # Files side by side, each process with servers of its own: most of the time they wait for one another.
    beside = ["-n", str(min(os.cpu_count() or 1, MOST_BESIDE)), "--dist", "loadfile"]
    words = [str(PYTHON), "-m", "pytest", "-q", "--durations=10", *beside, *chosen]
    return subprocess.run(words, cwd=ROOT, env=environment).returncode


def dependency_audit() -> int:
    """Weaknesses of the locked packages; where nobody can be asked, the last lines say so."""
    code = command("python", ".ci/audit.py")()
    if code == NOT_ASKED:
        SKIPPED.append("advisories of some packages, as there is no way to them from here (dependency audit)")
        return 0
    return code


def main() -> None:
    browser = None if FAST else find_browser()
    if browser is None and not FAST and REQUIRE_BROWSER:
        sys.exit(f"-- REQUIRE_BROWSER is set and {NO_BROWSER}")
    checks: list[tuple[str, Callable[[], int]]] = [
        ("format", command("ruff", "format", "--check", *PYTHON_CODE)),
        ("lint", command("ruff", "check", "--output-format=concise", *PYTHON_CODE)),
        ("types", command("mypy")),
        ("import direction", command("lint-imports", "--no-logo")),
        (
            "migrations",
            command("python", "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"),
        ),
        *([] if FAST else [("dependency audit", dependency_audit)]),
        ("schema unchanged", command("python", "manage.py", "write_schema", "--check")),
        ("frontend lint", node("lint")),
        ("frontend types", node("types")),
        ("frontend tests", node("test")),
        ("pytest", lambda: pytest(browser)),
    ]
    results = [(name, *carry_out(name, check)) for name, check in checks]
    conclude(results, browser)


def carry_out(name: str, check: Callable[[], int]) -> tuple[int, float]:
    say(name)
    started = time.monotonic()
    return check(), time.monotonic() - started


def conclude(results: list[tuple[str, int, float]], browser: str | None) -> None:
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
