"""The two commands on a machine that has nothing: `make clean-machine` (as root on Debian, with debootstrap).

A root folder is made from the machine's own Debian archive, with Python 3.11 and venv, git, make and nothing
else: no caches, no Node, no Chromium, no compiler. Each case has that root to itself, by an overlay that ends
with it; a fresh clone in it says whether `make run` answers and goes when told, and `make test` passes.
What was skipped is shown. Network access is that of this machine: its name servers and certificates are lent.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, say

# debootstrap does not see that python3-distutils is what python3.11-venv asks for.
PACKAGES = "python3,python3-distutils,python3.11-venv,git,make,ca-certificates"
# Files and folders of this machine without which its root would not reach a package.
LENT = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt", "/etc/apt/sources.list",
    "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d",
)  # fmt: skip
PASSED_ON = re.compile(
    r"(PIP_INDEX_URL|PIP_CERT|UV_(DEFAULT_)?INDEX.*|NPM_CONFIG_REGISTRY|SSL_CERT_.*|REQUESTS_CA_BUNDLE"
    r"|NODE_EXTRA_CA_CERTS|(HTTPS?|NO|ALL)_PROXY)",
    re.IGNORECASE,
)
SEARCH_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
PORT = 8765
# Arguments: root, user:group, folder, then NAME=value and the words. The mounts are of the namespace alone.
ENTER = """
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
mount -t tmpfs tmpfs "$0/dev/shm"
exec chroot --userspec="$1" "$0" env -i --chdir="$2" "${@:3}"
"""
START_PATIENCE = 900  # seconds for the set-up on an empty machine and the start
TEST_PATIENCE = 5400
STOP_PATIENCE = 60


@dataclass(frozen=True)
class Case:
    """Who clones where. ``place``: below the home of the user."""

    name: str
    user: str
    place: str

    @property
    def folder(self) -> str:
        """Absolute, in the root."""
        return f"{home_of(self.user)}/{self.place}"


CASES = (
    Case("root", "root", "orchestrator"),
    Case("spaces", "ada", "my pipelines (new), 1st/the orchestrator"),
    Case("long", "grace", "/".join(["a-folder-with-a-rather-long-name"] * 7) + "/orchestrator"),
)


def home_of(user: str) -> str:
    """The home of a user in the root."""
    return "/root" if user == "root" else f"/home/{user}"


def main() -> None:
    options = arguments()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("-- this needs root and the package `debootstrap`")
    make_root(options.root)
    results = {}
    for case in CASES:
        if not options.case or case.name in options.case:
            with machine(options.root, case) as root:
                results[case.name] = walk(root, case, fast=options.fast, tests=not options.no_tests)
    for name, problems in results.items():
        say(f"{name}: {'passed' if not problems else '; '.join(problems)}")
    if any(results.values()):
        sys.exit(1)


@contextmanager
def machine(root: Path, case: Case) -> Iterator[Path]:
    """The empty machine as one case sees it: whatever is written there is gone afterwards."""
    place = root.with_name(f"{root.name}-{case.name}")
    shutil.rmtree(place, ignore_errors=True)
    over = {name: place / name for name in ("upperdir", "workdir")}
    seen = place / "root"
    for folder in (*over.values(), seen):
        folder.mkdir(parents=True)
    layers = ",".join(f"{name}={folder}" for name, folder in {"lowerdir": root, **over}.items())
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, str(seen)], check=True)
    try:
        yield seen
    finally:
        subprocess.run(["umount", "--lazy", str(seen)], check=True)
        shutil.rmtree(place, ignore_errors=True)


def log_of(case: Case, what: str) -> Path:
    """Outside of the machine, so that it stays."""
    folder = Path(tempfile.gettempdir()) / "orchestrator-clean-machine"
    folder.mkdir(exist_ok=True)
    return folder / f"{case.name}-{what}.log"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="*", help="root, spaces or long; all when none is named")
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("/var/lib/orchestrator-clean-machine"),
        help="the folder of the root",
    )
    parser.add_argument("--fast", action="store_true", help="`make test FAST=1`")
    parser.add_argument("--no-tests", action="store_true", help="`make run` only")
    return parser.parse_args()


def make_root(root: Path) -> None:
    """The empty machine, once; later calls use it again."""
    if not (root / "etc/debian_version").exists():
        say(f"making a Debian of its own in {root}")
        archive = archive_of_this_machine()
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root), archive],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    for path in LENT:
        lend(Path(path), root)
    for case in CASES:
        if case.user != "root" and not (root / "home" / case.user).exists():
            inside(root, "root", ["useradd", "--create-home", case.user]).check_returncode()
    for name in ("gcc", "cc", "node", "npm", "chromium"):
        if inside(root, "root", ["which", name]).returncode == 0:
            sys.exit(f"-- the root in {root} is not clean, it has {name}: remove the folder")
    bundle = root / "srv/orchestrator.bundle"
    subprocess.run(
        ["git", "bundle", "create", str(bundle), "HEAD"], cwd=ROOT, check=True, capture_output=True
    )


def archive_of_this_machine() -> str:
    """The address of the Debian archive that apt uses here."""
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(REPO_URI)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = next((line.split()[-1] for line in said.splitlines() if "security" not in line), None)
    if found is None:
        sys.exit("-- apt names no archive here")
    return found


def lend(path: Path, root: Path) -> None:
    target = root / path.relative_to("/")
    if path.is_dir():
        shutil.copytree(path, target, dirs_exist_ok=True)
    elif path.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def command(root: Path, user: str, words: list[str], folder: str = "/") -> list[str]:
    """A command line that runs the words in the root as the user: all its processes end with it."""
    given = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    given |= {"HOME": home_of(user), "USER": user, "LANG": "C.UTF-8", "PATH": SEARCH_PATH}
    environment = [f"{name}={value}" for name, value in given.items()]
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-ec", ENTER]
    return [*spaces, str(root), f"{user}:{user}", folder, *environment, *words]


def inside(root: Path, user: str, words: list[str], folder: str = "/") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, user, words, folder), capture_output=True, text=True)


def walk(root: Path, case: Case, *, fast: bool, tests: bool) -> list[str]:
    """What went wrong in one case, in words."""
    say(f"{case.name}: as {case.user} in {case.folder!r}")
    cloned = inside(root, case.user, ["git", "clone", "--quiet", "/srv/orchestrator.bundle", case.folder])
    if cloned.returncode:
        return [f"git clone: {cloned.stderr.strip()}"]
    problems = run_it(root, case)
    if tests and not problems:
        problems = test_it(root, case, fast)
    return problems


def run_it(root: Path, case: Case) -> list[str]:
    """`make run` answers, shows its page, and leaves when it is told to."""
    log = log_of(case, "run")
    started = time.monotonic()
    with running(root, case, log) as process:
        problems = list(answers(process, log))
        say(
            f"{case.name}: `make run` answered after {time.monotonic() - started:.0f} s"
            if not problems
            else ""
        )
    if not problems and "Stopped" not in log.read_text(errors="replace").splitlines()[-1]:
        problems = [f"`make run` did not say that it stopped: {tail(log)}"]
    return problems


@contextmanager
def running(root: Path, case: Case, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = ["make", "run", f"PORT={PORT}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(root, case.user, words, case.folder),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Tell `manage.py up` inside to stop; what is left after a while goes with its namespace."""
    with suppress(subprocess.CalledProcessError):
        found = subprocess.check_output(["pgrep", "-f", f"manage.py up --port {PORT}"], text=True).split()
        subprocess.run(["kill", "-INT", found[0]])
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def answers(process: subprocess.Popen[bytes], log: Path) -> Iterator[str]:
    """What is wrong with the answers of a started product."""
    deadline = time.monotonic() + START_PATIENCE
    while "Ready: " not in log.read_text(errors="replace"):
        if process.poll() is not None:
            yield f"`make run` ended by itself: {tail(log)}"
            return
        if time.monotonic() > deadline:
            yield f"`make run` was not ready after {START_PATIENCE} s: {tail(log)}"
            return
        time.sleep(1)
    for path, wanted in (("readyz", "ready"), ("", "<div id=")):
        done = subprocess.run(
            ["curl", "-sS", f"http://127.0.0.1:{PORT}/{path}"], capture_output=True, text=True, timeout=60
        )
        if wanted not in done.stdout:
            yield f"/{path} answered {done.stdout[:200] or done.stderr!r}"


def test_it(root: Path, case: Case, fast: bool) -> list[str]:
    """`make test` passes; what it says of skips is shown."""
    log = log_of(case, "test")
    words = ["make", "test", *(["FAST=1"] if fast else [])]
    started = time.monotonic()
    with log.open("wb") as output:
        try:
            code = subprocess.run(
                command(root, case.user, words, case.folder),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                timeout=TEST_PATIENCE,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    say(f"{case.name}: `make test` took {time.monotonic() - started:.0f} s")
    for line in log.read_text(errors="replace").splitlines():
        if "SKIPPED" in line:
            say(f"{case.name}: {line}")
    return [] if code == 0 else [f"`make test` failed ({log}): {tail(log)}"]


def tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:])


if __name__ == "__main__":
    main()
