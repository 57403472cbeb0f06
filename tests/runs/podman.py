"""An image made of this machine's own Python, and the words of a podman that starts containers of it."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

PYTHON = "/usr/bin/python3"
NAME = "localhost/orchestrator-trial:1"
# Some machines need another runtime than podman would choose.
ENGINES = ("podman", "podman --runtime runc", "podman --runtime runc --cgroup-manager=cgroupfs")
LEFT_OUT = ("__pycache__", "test", "idlelib", "lib2to3")


def problem_or_engine(folder: Path) -> tuple[str, str]:
    """Why there are no containers here, or the words that every command to the engine begins with."""
    if shutil.which("podman") is None:
        return "podman is not installed", ""
    if not os.path.exists(PYTHON) or shutil.which("ldd") is None:
        return f"no image can be made: {PYTHON} or ldd is missing", ""
    archive = folder / "image.tar"
    pack(archive)
    for words in (os.environ.get("ORCHESTRATOR_PODMAN", ""), *ENGINES):
        if words and works(words.split(), archive):
            return "", words
    return "podman starts no container of an image that was made here", ""


def works(engine: list[str], archive: Path) -> bool:
    limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000", "--network=none"]
    steps = (["import", str(archive), NAME], ["run", "--rm", *limits, NAME, "python3", "-c", "print(1)"])
    return all(subprocess.run([*engine, *step], capture_output=True).returncode == 0 for step in steps)


def run_as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode = 0o4755
    return member


def pack(archive: Path) -> None:
    """Python with its library, a shell, and the shared libraries that they need."""
    said = subprocess.run([PYTHON, "-c", "import os; print(os.__file__)"], capture_output=True, text=True)
    library = os.path.dirname(said.stdout.strip())
    programs = {os.path.realpath(PYTHON): "usr/bin/python3", os.path.realpath("/bin/sh"): "usr/bin/sh"}
    asked = ["ldd", *programs, *glob.glob(f"{library}/lib-dynload/*.so")]
    words = subprocess.run(asked, capture_output=True, text=True).stdout.split()
    needed = {word for word in words if word.startswith("/") and not word.endswith(":")}
    files = {name: path for path, name in programs.items()}
    # One that would run as root, for those who look for such.
    files["usr/bin/su"] = os.path.realpath("/bin/sh")
    files |= {("usr" + path if path.startswith("/lib") else path[1:]): path for path in needed}
    for parent, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith("config-")]
        files |= {f"{parent}/{name}"[1:]: f"{parent}/{name}" for name in names}
    with tarfile.open(archive, "w", dereference=True) as tar:
        for name, path in sorted(files.items()):
            if os.path.exists(path):
                tar.inodes = {}  # type: ignore[attr-defined]  # or a library with two names becomes a link that podman refuses
                tar.add(path, name, recursive=False, filter=run_as_root if name.endswith("/su") else None)
        for name in ("bin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            tar.addfile(link)
        for name in ("tmp", "var", "var/tmp", "proc", "sys", "dev", "run", "etc"):
            empty = tarfile.TarInfo(name)
            empty.type, empty.mode = tarfile.DIRTYPE, 0o1777 if name.endswith("tmp") else 0o755
            tar.addfile(empty)
