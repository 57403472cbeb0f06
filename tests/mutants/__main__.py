"""``python -m tests.mutants [part of a name ...]``: which test notices which sabotage; 1 if one survives.

The sabotages are shared out to as many sessions as there are processors (``--jobs N``), each with its own
servers; the files of the tree are never touched.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.sabotage import ROOT, Sabotage
from tests.mutants.sabotages import SABOTAGES
from tests.mutants.session import ANCHOR, NOTHING

MOST_SECONDS = 1800


def main(words: Sequence[str] | None = None) -> int:
    """Commit the chosen sabotages, print what was found; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("names", nargs="*", help="only sabotages whose names contain one of these")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="sessions side by side")
    parser.add_argument("--list", action="store_true", help="name them and commit none")
    chosen = parser.parse_args(words)
    sabotages = [
        each for each in SABOTAGES if not chosen.names or any(name in each.name for name in chosen.names)
    ]
    if not sabotages:
        parser.error("no sabotage has such a name; --list names them")
    if chosen.list:
        print("\n".join(each.name for each in sabotages))
        return 0
    began = time.monotonic()
    found = carry_out(sabotages, chosen.jobs)
    return tell(sabotages, found, time.monotonic() - began)


def carry_out(sabotages: Sequence[Sabotage], jobs: int) -> dict[str, str]:
    """Name -> test that noticed, "" for none; a name is missing when its session broke off."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="orchestrator-mutants-") as folder:
        shares = [share for number in range(jobs) if (share := sabotages[number::jobs])]
        reports = [Path(folder) / f"{number}.json" for number in range(len(shares))]
        sessions = [_session(share, report) for share, report in zip(shares, reports, strict=True)]
        for session, share, report in zip(sessions, shares, reports, strict=True):
            said, _ = session.communicate(timeout=MOST_SECONDS)
            results = json.loads(report.read_text()) if report.exists() else {}
            if any(sabotage.name not in results for sabotage in share):
                print(said[-4000:], file=sys.stderr)
            for name, test in results.items():
                found[name] = found.get(name) or test
    return found


def _session(share: Sequence[Sabotage], report: Path) -> subprocess.Popen[str]:
    tests = dict.fromkeys(test for sabotage in share for test in sabotage.tests)
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.session", "-p", "no:cacheprovider",
        "--mutants", ";".join(sabotage.name for sabotage in share), "--mutants-report", str(report),
        ANCHOR, *tests,
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tell(sabotages: Sequence[Sabotage], found: dict[str, str], seconds: float) -> int:
    """Print each sabotage with the test that noticed it; 1 when one survived or was not committed."""
    if found.get(NOTHING, "?"):
        print(f"FAILS WITHOUT ANY SABOTAGE: {found.get(NOTHING, 'no session came to its tests')}")
        return 1
    bad = 0
    for sabotage in sabotages:
        test = found.get(sabotage.name)
        said = f"caught by {test}" if test else "SURVIVED" if test == "" else "NOT COMMITTED"
        print(f"{sabotage.name}\n    {said}")
        bad += not test
    print(f"{len(sabotages) - bad} of {len(sabotages)} sabotages were caught in {seconds:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
