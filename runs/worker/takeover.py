"""What a team's user has written, taken into root's hands before root reads it.

Other attempts of the same team may still run as that user and could exchange a file for a link to one of ours
between a check and its use. In a folder that belongs to root they can exchange nothing.
"""

from __future__ import annotations

import os
import stat
from typing import Final

from runs.protocol import Json
from runs.worker import reports
from runs.worker.limits import MOST_FILES

DEEPEST: Final = 200  # folders in each other


class TooMuch(Exception):
    """The folders hold more, or lie in each other deeper, than anybody looks at; the message says which."""


def taken_over(result: Json, folder: str, uid: int) -> Json:
    """A runner's report whose files are out of the user's reach, or an error about one that is not its own.

    ``folder``: where the attempt worked; nothing of it runs any more. Raises OSError.
    """
    outputs = [output for output in result.get("outputs") or [] if output.get("path")]
    if not outputs:
        return result
    try:
        take_over(folder, uid)
    except TooMuch as problem:
        return _refused(result, f"the folders of this attempt {problem}")
    for output in outputs:
        if leads_out(output["path"], folder):
            words = f"output {output['name']} is not a file or folder that the task itself has written"
            return _refused(result, words)
    return result


def _refused(result: Json, words: str) -> Json:
    kept = {name: value for name, value in result.items() if name != "outputs"}
    return {**kept, "error": reports.error("validation", "BadOutput", words)}


def take_over(folder: str, uid: int) -> None:
    """Make every folder root's own; remove what is no folder, link or file of the user. Raises OSError.

    A file of another owner is a second name that the task gave to it, perhaps to one that it may not read.
    """
    taking = _Taking(uid)
    taking.folder(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), 0)


class _Taking:
    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.count = 0

    def folder(self, number: int, depth: int) -> None:
        """Take the folder of a descriptor, which is closed here."""
        try:
            if depth > DEEPEST:
                raise TooMuch(f"lie in each other more than {DEEPEST} deep")
            os.fchown(number, 0, 0)
            os.fchmod(number, 0o700)
            for name in self._names(number):
                self._entry(number, name, depth)
        finally:
            os.close(number)

    def _names(self, number: int) -> list[str]:
        names = []
        with os.scandir(number) as entries:
            for entry in entries:
                self.count += 1
                if self.count > MOST_FILES:
                    raise TooMuch(f"hold more than {MOST_FILES:,} files and folders")
                names.append(entry.name)
        return names

    def _entry(self, parent: int, name: str, depth: int) -> None:
        known = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISDIR(known.st_mode):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            self.folder(inner, depth + 1)
        elif not stat.S_ISLNK(known.st_mode) and not (
            stat.S_ISREG(known.st_mode) and known.st_uid == self.uid
        ):
            os.unlink(name, dir_fd=parent)


def leads_out(path: str, folder: str) -> bool:
    """Is there nothing at the path of an output, or something outside of the folder?"""
    real = os.path.realpath(path)
    return not (real.startswith(os.path.realpath(folder) + os.sep) and os.path.exists(real))
