"""The folders that attempts work in: made for each, removed after it, also when its worker died."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from django.conf import settings


def root() -> Path:
    """Where the folders of all attempts of this home lie."""
    return Path(settings.ORCHESTRATOR["HOME"]) / "work"


def of_attempt(token: str) -> Path:
    """The folder of one attempt."""
    return root() / token


def temporary(folder: Path) -> Path:
    """Where the attempt that works in ``folder`` has its temporary files; short, as sockets may lie there."""
    return Path(tempfile.gettempdir()) / f"attempt-{folder.name}"


def make(folder: Path) -> None:
    """The folder and its place for outputs, and the one for temporary files. Raises OSError."""
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        folder.mkdir(parents=True)
    os.mkdir(folder / "outputs")
    os.mkdir(temporary(folder), mode=0o700)


def remove(folder: Path) -> None:
    """Everything in both and themselves; what cannot be removed is found again when a worker starts."""
    try:
        os.rmdir(temporary(folder))
        os.rmdir(folder / "outputs")
        os.rmdir(folder)
    except OSError:
        for each in (temporary(folder), folder):
            remove_tree(each)


def remove_tree(folder: Path) -> None:
    """A folder and all in it, also where the task has closed folders or has put too many into each other."""
    try:
        shutil.rmtree(folder, onerror=_open_and_retry)
    except RecursionError:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)


def _open_and_retry(function: Callable[..., object], path: str, _error: object) -> None:
    """A folder without rights for its owner keeps its contents: give them back, and go on in it."""
    try:
        for closed in (os.path.dirname(path), path):
            if stat.S_ISDIR(os.lstat(closed).st_mode):
                os.chmod(closed, 0o700)
        if function in (os.open, os.scandir, os.listdir):
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(path)
    except OSError:
        return


class Janitor:
    """Removes folders while the worker is busy with the next attempt already."""

    def __init__(self) -> None:
        self._folders: SimpleQueue[Path | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="janitor", daemon=True)
        self._thread.start()

    def remove(self, folder: Path) -> None:
        """Have a folder removed soon; returns at once."""
        self._folders.put(folder)

    def close(self) -> None:
        """Remove what is left; returns when that is done, or after 5 s."""
        self._folders.put(None)
        self._thread.join(5.0)

    def _work(self) -> None:
        while (folder := self._folders.get()) is not None:
            remove(folder)
