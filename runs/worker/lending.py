"""Inputs in the hands of a team's user: readable for it, out of reach of every other, the store closed.

A file of the store gets a second name in a folder that only this user can enter: nothing is copied where both
lie in one file system. Elsewhere its bytes are copied for each attempt.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from runs.protocol import Json
from runs.worker import folders
from runs.worker.requests import Prepared
from runs.worker.view import Confined, let_read, widen


def admit(prepared: Prepared, work: Path, user: Confined) -> Confined:
    """Make a request one that the user of a team can carry out; answers that user with the code it may read.

    Raises OSError.
    """
    request = prepared.request
    request["inputs"] = lend(request["inputs"], work, user.uid)
    # A home that is there and its own; a folder for temporary files that only its view of the machine has.
    request["env"] = {**request["env"], "HOME": str(work)}
    request["temporary"] = f"/tmp/attempt-{work.name}"  # noqa: S108
    code = request.get("code_path") or ""
    for folder in (code, os.path.dirname(os.path.dirname(prepared.interpreter))):
        if folder and made_by_us(Path(folder)):
            let_read(Path(folder))
    return replace(user, code_path=code)


def made_by_us(folder: Path) -> bool:
    """Is this a snapshot or an environment, whose rights are ours to set?"""
    ours = (Path(settings.ORCHESTRATOR["HOME"]), Path(settings.ORCHESTRATOR["CACHE"]))
    return any(folder.is_relative_to(each) for each in ours)


def lend(inputs: Json, work: Path, uid: int) -> Json:
    """The inputs of a request with paths that the user may read. Raises OSError."""
    lent = folders.lent(work)
    given = {}
    for place, (name, port) in enumerate(inputs.items()):
        if "path" in port:
            target = lent / str(place)
            if not lent.is_dir():
                _make(lent, uid)
            _place(Path(port["path"]), target)
            port = {**port, "path": str(target)}
        given[name] = port
    return given


def _make(lent: Path, uid: int) -> None:
    """A folder that the user may enter and not change."""
    os.mkdir(lent, 0o700)
    os.chown(lent, 0, uid)
    os.chmod(lent, 0o750)  # noqa: S103 - its group is the user alone


def _place(source: Path, target: Path) -> None:
    if source.is_symlink():
        os.symlink(os.readlink(source), target)
    elif source.is_dir():
        os.mkdir(target)
        os.chmod(target, 0o755)  # noqa: S103 - closed by the folder above
        for entry in os.scandir(source):
            _place(Path(entry.path), target / entry.name)
    else:
        _place_file(source, target)


def _place_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        shutil.copymode(source, target)
    # Of the stored file, too: who reads that is decided by the closed folders of the store.
    widen(os.fspath(target))
