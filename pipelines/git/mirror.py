"""The commits of one repository that were fetched: a bare repository of ours, read with plumbing only.

Files are taken out blob by blob. Git never checks anything out here, so filters, hooks, submodules, LFS and
line-end conversions have no part in it: a snapshot holds the very bytes of the commit.
"""

from __future__ import annotations

import difflib
import fcntl
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Final

from pipelines import snapshots
from pipelines.git import faults
from pipelines.git.address import COMMIT
from pipelines.git.faults import GitFault
from pipelines.git.session import (
    FETCH_SECONDS,
    MOST_FETCHED,
    Session,
    carried_out,
    local_environment,
    program,
    progress_of,
)
from pipelines.store import Unstorable
from pipelines.store.manifests import checked_link

LOCAL_SECONDS: Final = 120.0  # for a command that only reads the mirror
NEW: Final = "refs/orchestrator/new"
SYNCED: Final = "refs/orchestrator/synced"
DEPTHS: Final = (50, 500, 5000)  # commits looked back to find the one that was synced
MANY_PACKS: Final = 20  # one for each fetch; more are put together
CHUNK: Final = 1024 * 1024
MOST_NAMED: Final = 64 * 1024 * 1024  # bytes of the list of a tree's files
LFS: Final = b"version https://git-lfs.github.com/spec/"
_AUTHOR: Final = re.compile(r"^author .*> (\d+) ([+-]\d{4})$", re.MULTILINE)
_COMMITTER: Final = re.compile(r"^committer .*> (\d+) [+-]\d{4}$", re.MULTILINE)

Report = Callable[[str, int], None]  # words and per cent


@dataclass(frozen=True)
class Tip:
    """What a ref points at now. ``ref``: its full name, "" for a commit that was named itself."""

    ref: str
    commit: str


@dataclass(frozen=True)
class Commit:
    """A commit. ``at``: when its author made it; ``subject``: the first line of its message."""

    sha: str
    at: datetime
    committed: int
    subject: str


@dataclass
class Found:
    """What a tree holds beside files: nothing of it becomes part of a snapshot."""

    submodules: list[str] = field(default_factory=list)
    pointers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """A line of `ls-tree`: ``mode`` as git writes it, ``size`` in bytes."""

    mode: str
    sha: str
    size: int
    path: str


def tip(session: Session, ref: str) -> Tip:
    """Where a branch or tag points in the repository now, without fetching it. Raises GitFault."""
    if COMMIT.fullmatch(ref):
        session.ask("ls-remote", "-q", "--", session.address.text, "HEAD")
        return Tip("", ref)
    wanted = (
        [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"] if ref else ["HEAD"]
    )
    patterns = [*wanted, *(f"{name}^{{}}" for name in wanted if name.startswith("refs/tags/"))]
    listed = session.ask("ls-remote", "-q", "--symref", "--", session.address.text, *patterns)
    named = {name: sha for sha, name in _lines(listed)}
    for name in wanted:
        if name in named:
            return Tip(
                _behind_head(listed) if name == "HEAD" else name, named.get(f"{name}^{{}}", named[name])
            )
    raise _not_there(session, ref)


def _lines(listed: str) -> Iterator[tuple[str, str]]:
    for line in listed.splitlines():
        sha, _, name = line.partition("\t")
        if COMMIT.fullmatch(sha):
            yield sha, name


def _behind_head(listed: str) -> str:
    """The branch that HEAD stands for, where the server says so."""
    found = re.search(r"^ref: (\S+)\tHEAD$", listed, re.MULTILINE)
    return found[1] if found else "HEAD"


def _not_there(session: Session, ref: str) -> GitFault:
    names = [
        name.split("/", 2)[-1]
        for _, name in _lines(session.ask("ls-remote", "-q", "--", session.address.text))
    ]
    if not names:
        return faults.empty()
    near = difflib.get_close_matches(ref, names, n=2, cutoff=0.5)
    return faults.no_ref(ref or "HEAD", [f"'{name}'" for name in near])


class Mirror:
    """A bare repository in a folder of ours; made when it is first used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time; the lock ends with the process that held it."""
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.folder.with_suffix(".lock"), "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # --- fetching -------------------------------------------------------------------------------------

    def fetch(self, session: Session, found: Tip, report: Report, depth: int = 1) -> str:
        """Have the commit of a tip, with ``depth`` commits of its history; its sha. Raises GitFault."""
        self._make()
        source = found.ref or found.commit
        session.ask(
            f"--git-dir={self.folder}",
            "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--force", f"--depth={depth}",
            "--", session.address.text, f"{source}:{NEW}",
            seconds=FETCH_SECONDS, hear=_watching(report),
        )  # fmt: skip
        return self._ask("rev-parse", "--verify", f"{NEW}^{{commit}}").strip()

    def _make(self) -> None:
        if not (self.folder / "HEAD").is_file():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._ask("init", "--quiet", "--bare", "--template=", str(self.folder))

    def keep(self, commit: str) -> None:
        """Remember the commit that was synced, so that later ones can be compared with it."""
        self._ask("update-ref", SYNCED, commit)
        if len(list(self.folder.glob("objects/pack/*.pack"))) > MANY_PACKS:
            self._ask("gc", "--quiet", "--prune=now")

    def descends(self, session: Session, old: str, new: Tip, report: Report) -> bool | None:
        """Does the history of a tip hold the commit ``old``? None when that cannot be told.

        A shallow history is deepened until it holds the old commit, or ends in older ones.
        """
        for depth in DEPTHS:
            sha = self.fetch(session, new, report, depth)
            if self._has(old) and self._holds("merge-base", "--is-ancestor", old, sha):
                return True
            if not (self.folder / "shallow").is_file() or (self._has(old) and self._ends_before(old, sha)):
                return False
        return None

    def _ends_before(self, old: str, sha: str) -> bool:
        ends = self._ask("rev-list", "--max-parents=0", "--timestamp", sha).split("\n")
        return max(int(line.split()[0]) for line in ends if line) < self.commit(old).committed

    # --- reading --------------------------------------------------------------------------------------

    def commit(self, sha: str) -> Commit:
        """Who made a commit when, and what it says."""
        return commit_of(sha, self._ask("cat-file", "commit", sha))

    def take_out(self, sha: str, folder: str, into: Path, report: Report) -> Found:
        """Write the files of a commit's folder. Raises GitFault, snapshots.TooLarge, Unstorable, OSError."""
        tree = f"{sha}:{folder}"
        if folder and self._ask("cat-file", "-t", tree, wrong=faults.no_folder(folder)).strip() != "tree":
            raise faults.no_folder(folder)
        found = Found()
        entries = list(self._kept(tree, found))
        report(f"reading {len(entries):,} files", 0)
        with self._blobs([entry.sha for entry in entries]) as blobs:
            links = [entry for entry in entries if not _write(entry, blobs, into, found)]
        # Only now: a file must never be written through a link.
        for link in links:
            checked_link(into, link.path, into / link.path)
        return found

    def _kept(self, tree: str, found: Found) -> Iterator[Entry]:
        """The entries that belong to a snapshot, links last; refuses too many before a byte is written."""
        listed = [entry for entry in self._listed(tree, found) if snapshots.kept_path(entry.path)]
        snapshots.refuse_large(((entry.path, entry.size) for entry in listed), "The folder of the repository")
        return iter(sorted(listed, key=lambda entry: (entry.mode == "120000", entry.path)))

    def _listed(self, tree: str, found: Found) -> Iterator[Entry]:
        for line in self._list(tree).split("\0"):
            if line:
                about, _, path = line.partition("\t")
                mode, kind, sha, size = about.split()
                if kind == "commit":
                    found.submodules.append(path)
                else:
                    yield Entry(mode, sha, int(size), _safe(path))

    def _list(self, tree: str) -> str:
        """All files of a tree, in bounds: a few trees inside each other can name billions."""
        words = (f"--git-dir={self.folder}", "ls-tree", "-r", "-z", "-l", "--full-tree", tree)
        try:
            done = carried_out(
                words, local_environment(), self.folder, seconds=LOCAL_SECONDS, most=MOST_NAMED
            )
        except TimeoutError:
            raise subprocess.TimeoutExpired(words, LOCAL_SECONDS) from None
        return _printed(done.returncode, done.printed, done.said)

    @contextmanager
    def _blobs(self, shas: list[str]) -> Iterator[IO[bytes]]:
        """The contents of blobs, one after the other, as `cat-file --batch` gives them."""
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{sha}\n" for sha in shas).encode())
            wanted.seek(0)
            command = [program(), f"--git-dir={self.folder}", "cat-file", "--batch"]
            with subprocess.Popen(
                command, stdin=wanted, stdout=subprocess.PIPE, env=local_environment()
            ) as git:
                assert git.stdout is not None  # noqa: S101
                try:
                    yield git.stdout
                finally:
                    git.kill()

    def _has(self, sha: str) -> bool:
        return bool(sha) and self._holds("cat-file", "-e", f"{sha}^{{commit}}")

    def _holds(self, *words: str) -> bool:
        return _local(self.folder, words).returncode == 0

    def _ask(self, *words: str, wrong: GitFault | None = None) -> str:
        done = _local(self.folder, words)
        return _printed(done.returncode, done.stdout, done.stderr.decode("utf-8", errors="replace"), wrong)


def _printed(returncode: int, printed: bytes, said: str, wrong: GitFault | None = None) -> str:
    if returncode != 0:
        raise wrong or GitFault("git-failed", f"Git could not read what was fetched: {said.strip()[-500:]}")
    return printed.decode("utf-8", errors="surrogateescape")


def _local(folder: Path, words: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [program(), f"--git-dir={folder}", *words],
        env=local_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LOCAL_SECONDS,
        check=False,
    )


def commit_of(sha: str, text: str) -> Commit:
    """A commit out of the text that git keeps of it."""
    head, _, message = text.partition("\n\n")
    author, committer = _AUTHOR.search(head), _COMMITTER.search(head)
    if author is None or committer is None:
        raise GitFault("git-failed", f"The commit {sha[:12]} cannot be read.")
    subject = message.strip().split("\n", 1)[0].encode("utf-8", errors="replace").decode().replace("\0", "")
    return Commit(sha, _moment(int(author[1]), author[2]), int(committer[1]), subject[:300])


def _moment(seconds: int, zone: str) -> datetime:
    """An author's clock may say anything; what no calendar holds is the beginning of time."""
    away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
    try:
        return datetime.fromtimestamp(seconds, timezone(away))
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _watching(report: Report) -> Callable[[str], None]:
    """Hears git's progress and ends a fetch that receives too much."""

    def hear(said: str) -> None:
        found = progress_of(said)
        if found is None:
            return
        per_cent, size = found
        if size > MOST_FETCHED:
            raise faults.too_big(MOST_FETCHED)
        report(f"fetching, {size / 1024**2:.1f} MiB received" if size else "fetching", per_cent)

    return hear


def _safe(path: str) -> str:
    """A path of a tree that stays inside the folder it is written to. Raises Unstorable."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise Unstorable(f"the name {path!r} is not UTF-8: rename it") from None
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        raise Unstorable(f"the repository names a file {path!r}, which is no path inside a folder")
    return path


def _write(entry: Entry, blobs: IO[bytes], into: Path, found: Found) -> bool:
    """Write one blob; False for a link, which is then checked. Raises Unstorable, OSError."""
    head = blobs.readline().split()
    if len(head) != 3 or int(head[2]) != entry.size:
        raise GitFault("git-failed", f"The repository has no content for {entry.path}: sync again.")
    target = into / entry.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == "120000":
            os.symlink(os.fsdecode(blobs.read(entry.size)), target)
        else:
            _write_file(target, entry, blobs, found)
    except (FileExistsError, NotADirectoryError):
        raise Unstorable(
            f"the repository names {entry.path} twice, as a file and as something else"
        ) from None
    blobs.read(1)
    return entry.mode != "120000"


def _write_file(target: Path, entry: Entry, blobs: IO[bytes], found: Found) -> None:
    mode = 0o700 if entry.mode == "100755" else 0o600
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        left = entry.size
        while left:
            piece = blobs.read(min(left, CHUNK))
            if not piece:
                raise GitFault("git-failed", f"The content of {entry.path} ends too early: sync again.")
            if left == entry.size and piece.startswith(LFS):
                found.pointers.append(entry.path)
            left -= len(piece)
            file.write(piece)
