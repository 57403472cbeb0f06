"""Whether a folder of the server, inside a git work tree, holds what its commit holds.

`git status` would run the filters and monitors that the repository's own configuration names. So the commit's
list of files is read by plumbing, and the files are compared by their hash as git makes it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines import snapshots
from pipelines.git.faults import GitFault
from pipelines.git.mirror import LOCAL_SECONDS, Commit, commit_of
from pipelines.git.session import local_environment, program
from pipelines.store import walk

MANY: Final = 3  # changed files that are named


@dataclass(frozen=True)
class Standing:
    """The commit of a work tree, its branch ("" when none is checked out), and files that differ from it."""

    commit: Commit
    ref: str
    changed: list[str]

    @property
    def sentence(self) -> str:
        """What differs, in words; "" when nothing does."""
        if not self.changed:
            return ""
        named = ", ".join(self.changed[:MANY])
        more = f" and {len(self.changed) - MANY} more" if len(self.changed) > MANY else ""
        return f"Not as in the commit {self.commit.sha[:12]}: {named}{more}."


def standing(folder: Path) -> Standing | None:
    """How a folder stands to its commit; None outside of a work tree, before a first commit, without git."""
    try:
        inner = _ask(folder, "rev-parse", "--show-prefix").rstrip("\n")
        sha = _ask(folder, "rev-parse", "--verify", "HEAD^{commit}").strip()
        commit = commit_of(sha, _ask(folder, "cat-file", "commit", sha))
        committed = _committed(folder, f"{sha}:{inner.rstrip('/')}" if inner else sha)
    except (GitFault, OSError, subprocess.SubprocessError):
        return None
    ref = _or_nothing(folder, "symbolic-ref", "--quiet", "HEAD").strip()
    return Standing(commit, ref, _changed(folder, committed))


def _committed(folder: Path, tree: str) -> dict[str, tuple[str, str]]:
    """Path -> mode and hash, of what belongs to a snapshot. A folder that was never committed has none."""
    found = {}
    for line in _or_nothing(folder, "ls-tree", "-r", "-z", "--full-tree", tree).split("\0"):
        about, _, path = line.partition("\t")
        if path and about.split()[1] == "blob" and snapshots.kept_path(path):
            found[path] = (about.split()[0], about.split()[2])
    return found


def _changed(folder: Path, committed: dict[str, tuple[str, str]]) -> list[str]:
    present = dict(walk(folder, snapshots.kept))
    changed = set(present.keys() ^ committed.keys())
    for path in present.keys() & committed.keys():
        mode, sha = committed[path]
        if _hash(present[path], len(sha)) != sha or _is_link(mode) != present[path].is_symlink():
            changed.add(path)
    return sorted(changed)


def _is_link(mode: str) -> bool:
    return mode == "120000"


def _hash(path: Path, length: int) -> str:
    """The name that git gives to these bytes; ``length`` of its names tells which hash it uses."""
    data = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
    digest = hashlib.sha256 if length == 64 else hashlib.sha1
    return digest(b"blob %d\0" % len(data) + data).hexdigest()


def _or_nothing(folder: Path, *words: str) -> str:
    try:
        return _ask(folder, *words)
    except GitFault:
        return ""


def _ask(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [program(), "-c", "safe.directory=*", "-c", "core.fsmonitor=false", *words],
        cwd=folder,
        env=local_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LOCAL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise GitFault("git-failed", done.stderr.decode("utf-8", errors="replace")[-200:])
    return done.stdout.decode("utf-8", errors="surrogateescape")
