"""deploy: the bytes of a model arrive at the endpoint's folder, whole or not at all.

    <address>/versions/<effect>-<digest>/model.joblib (or another name), deployment.json
    <address>/current -> versions/<effect>-<digest>

`current` is a symbolic link that is exchanged in one step, so whoever reads `current/` sees the old model or
the new one. The same effect key with the same bytes is the same deployment: done again, it changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from orchestrator_task import Invalid

NAMES = {
    "application/x-joblib": "model.joblib",
    "application/x-pickle": "model.pickle",
    "application/x-npy": "model.npy",
}


def run(
    model: Path, endpoint: str, address: str, key: str = "", media_type: str = "", **_: Any
) -> dict[str, Any]:
    """{"address": where the model now lies}. Raises Invalid for an address that is no folder."""
    folder = folder_of(address)
    effect = key or os.environ.get("ORCHESTRATOR_EFFECT_KEY", "")
    digest, size = digest_of(model)
    version = f"{re.sub(r'[^A-Za-z0-9_.]+', '-', effect).strip('-') or 'model'}-{digest[:12]}"
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    target = versions / version
    if target.is_dir():
        print(f"the bytes are at {target} already")
    else:
        facts = {"endpoint": endpoint, "key": effect, "sha256": digest, "size": size}
        copy(model, target, NAMES.get(media_type, "model"), facts)
        print(f"{size:,} bytes copied to {target}")
    point(folder / "current", Path("versions") / version)
    print(f"{folder / 'current'} points to them")
    return {"address": str(target)}


def folder_of(address: str) -> Path:
    """The folder of an endpoint's address: a path, or file:///path."""
    scheme, found, rest = address.partition("://")
    path = Path(rest if found else address)
    if (found and scheme != "file") or not path.is_absolute():
        raise Invalid(f"the address {address} of the endpoint is no folder: use /folder or file:///folder")
    return path


def digest_of(model: Path) -> tuple[str, int]:
    """sha256 and bytes of a file; of a folder over the names and digests of its files."""
    if not model.is_dir():
        with open(model, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), model.stat().st_size
    files = sorted(path for path in model.rglob("*") if path.is_file())
    digests = [(path, *digest_of(path)) for path in files]
    lines = [f"{digest} {path.relative_to(model).as_posix()}\n" for path, digest, _ in digests]
    return hashlib.sha256("".join(lines).encode()).hexdigest(), sum(size for _, _, size in digests)


def copy(model: Path, target: Path, name: str, facts: dict[str, Any]) -> None:
    """Everything into a temporary folder beside the target, then one rename."""
    making = Path(tempfile.mkdtemp(dir=target.parent, prefix=".making-"))
    try:
        if model.is_dir():
            shutil.copytree(model, making / name)
        else:
            shutil.copyfile(model, making / name)
        (making / "deployment.json").write_text(
            json.dumps({**facts, "model": name}, indent=1), encoding="utf-8"
        )
        for path in making.rglob("*"):
            sync(path)
        making.chmod(0o755)
        os.rename(making, target)
    except OSError:
        if not target.is_dir():  # else another attempt with the same key was quicker
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    sync(target.parent)


def sync(path: Path) -> None:
    """On disk before anybody is told that it is there."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def point(link: Path, to: Path) -> None:
    """Exchange a symbolic link in one step."""
    new = link.with_name(f".{link.name}-{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(to)
    os.replace(new, link)
    sync(link.parent)
