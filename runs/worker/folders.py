"""The folders that attempts work in: made for each, removed after it, also when its worker died."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from queue import SimpleQueue

from django.conf import settings


def root() -> Path:
    """Where the folders of all attempts of this home lie."""
    return Path(settings.ORCHESTRATOR["HOME"]) / "work"


def of_attempt(token: str) -> Path:
    """The folder of one attempt."""
    return root() / token


def make(folder: Path) -> None:
    """The folder and its place for outputs. Raises OSError."""
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        folder.mkdir(parents=True)
    os.mkdir(folder / "outputs")


def remove(folder: Path) -> None:
    """Everything in it and itself; what cannot be removed is found again when a worker starts."""
    try:
        os.rmdir(folder / "outputs")
        os.rmdir(folder)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


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
