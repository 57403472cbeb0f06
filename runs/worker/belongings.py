"""What a process tree holds beside its address space. Standard library only: the zygote loads this file too.

Memory hides in files that have no disk (/dev/shm, memfd), disk in files that have no name any more. Both are
found through the descriptors of the tree, so only while something of it has them open.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # importing `typing` would cost every fork of the zygote its pages
if TYPE_CHECKING:
    from collections.abc import Iterator

    Identity = tuple[int, int]  # device and inode: one file, however many descriptors lead to it

SHARED = "/dev/shm/"  # noqa: S108 - the place where POSIX shared memory lies
MEMORY_FILE = "/memfd:"
GONE = " (deleted)"
BLOCK = 512  # bytes of a block in st_blocks, whatever the file system


class Held:
    """Bytes of memory and of disk in files that this tree has open."""

    def __init__(self) -> None:
        self.memory: dict[Identity, int] = {}
        self.disk: dict[Identity, int] = {}


class Belongings:
    """The files of one attempt. `began`: seconds since the epoch; what is older belongs to somebody else.

    `private`: a folder of the file system in memory that this attempt has for itself, /dev/shm included.
    """

    def __init__(self, began: float, private: str = "") -> None:
        self.began = began
        self.private = private
        self.shared: set[str] = set()

    def look(self, pids: list[int]) -> Held:
        """What the processes have open now, and what they left in /dev/shm when they were seen before."""
        held = Held()
        for pid in pids:
            for target, found in open_files(pid):
                self._count(held, target, found)
        for path in self.shared:
            left = status(path)
            if left is not None:
                held.memory[left.st_dev, left.st_ino] = left.st_blocks * BLOCK
        if self.private:
            self._count_private(held)
        return held

    def _count(self, held: Held, target: str, found: os.stat_result) -> None:
        size = found.st_blocks * BLOCK
        if target.startswith((SHARED, MEMORY_FILE)):
            held.memory[found.st_dev, found.st_ino] = size
            if self._may_stay(target) and found.st_ctime >= self.began:
                self.shared.add(target)
        elif found.st_nlink == 0:
            held.disk[found.st_dev, found.st_ino] = size

    def _may_stay(self, target: str) -> bool:
        """Is it a file that stays in the /dev/shm which we see?"""
        return target.startswith(SHARED) and not target.endswith(GONE) and not self.private

    def _count_private(self, held: Held) -> None:
        """All of the private file system, open or not, instead of those of its files that are open."""
        known = status(self.private)
        if known is None:
            return  # its namespace has ended
        for files in (held.memory, held.disk):
            for identity in [each for each in files if each[0] == known.st_dev]:
                del files[identity]
        whole = os.statvfs(self.private)
        held.memory[known.st_dev, 0] = (whole.f_blocks - whole.f_bfree) * whole.f_frsize

    def clear(self) -> None:
        """Remove what the attempt left in /dev/shm, once none of its processes lives."""
        for path in self.shared:
            try:
                os.unlink(path)
            except OSError:
                continue  # it has removed the file itself


def open_files(pid: int) -> list[tuple[str, os.stat_result]]:
    """Regular files that a process has open: what the descriptor is called, and what is known of the file."""
    found: list[tuple[str, os.stat_result]] = []
    folder = f"/proc/{pid}/fd/"
    try:
        names = os.listdir(folder)
    except OSError:
        return found  # it has ended
    for name in names:
        try:
            target = os.readlink(folder + name)
            if target.startswith("/"):
                known = os.stat(folder + name)
                if stat.S_ISREG(known.st_mode):
                    found.append((target, known))
        except OSError:
            continue
    return found


def status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path, follow_symlinks=False)
    except OSError:
        return None


def disk_used(folders: list[str], most: int, most_files: int) -> tuple[int, int]:
    """Bytes and entries under these folders, links not followed; a file of several names counts once.

    Nobody counts on once there are more than `most` bytes or `most_files` entries.
    """
    total, count = 0, 0
    seen: set[int] = set()
    for known in walk(folders):
        count += 1
        if known.st_nlink > 1 and stat.S_ISREG(known.st_mode):
            if known.st_ino in seen:
                continue
            seen.add(known.st_ino)
        total += known.st_blocks * BLOCK
        if total > most or count > most_files:
            break
    return total, count


def walk(folders: list[str]) -> Iterator[os.stat_result]:
    """What is known of everything under these folders; without what is removed meanwhile or closed to us."""
    waiting = list(folders)
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                try:
                    known = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if stat.S_ISDIR(known.st_mode):
                    waiting.append(entry.path)
                yield known
