"""Known weaknesses of the locked packages: fails on one, says so where the advisories cannot be asked.

Exit codes: 0 nothing known, 1 at least one weakness, :data:`NOT_ASKED` no advisories to be had from here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tools import FRONTEND, ROOT, VENV, npm_command, say

NOT_ASKED = 3
LOCKS = ("requirements/base.txt", "requirements/dev.txt", "pipelines/demo_code/requirements.lock")


def main() -> None:
    codes = [*(of_lock(lock) for lock in LOCKS), of_frontend()]
    sys.exit(1 if 1 in codes else NOT_ASKED if NOT_ASKED in codes else 0)


def of_lock(lock: str) -> int:
    """Ask PyPI's advisories for each package of a hashed lock."""
    words = [
        "--requirement",
        lock,
        "--require-hashes",
        "--disable-pip",
        "--progress-spinner=off",
        "--format=json",
    ]
    done = subprocess.run([VENV / "bin" / "pip-audit", *words], cwd=ROOT, capture_output=True, text=True)
    packages = parsed(done.stdout).get("dependencies", [])
    for package in packages:
        for weakness in package.get("vulns", []):
            fixed = ", ".join(weakness["fix_versions"]) or "no version"
            say(f"{lock}: {package['name']} {package['version']}: {weakness['id']}, fixed by {fixed}")
    asked = sum("skip_reason" not in package for package in packages)
    say(f"{lock}: {asked} of {len(packages)} packages could be asked about")
    if any(package.get("vulns") for package in packages):
        return 1
    return 0 if packages and asked == len(packages) else NOT_ASKED


def of_frontend() -> int:
    """Ask npm's advisories for the packages that reach a browser."""
    command, environment = npm_command()
    done = subprocess.run(
        [*command, "audit", "--omit=dev", "--json"],
        cwd=FRONTEND,
        env=environment,
        capture_output=True,
        text=True,
    )
    counts = parsed(done.stdout).get("metadata", {}).get("vulnerabilities")
    if counts is None:
        say("frontend/package-lock.json: npm gives no advisories here")
        return NOT_ASKED
    if counts["total"]:
        say(f"frontend/package-lock.json: {counts}: see `npm audit`")
    return 1 if counts["total"] else 0


def parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    main()
