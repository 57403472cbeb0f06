"""What the user of a team sees of the machine: the plan that `confine.py` carries out."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from runs.worker import folders

if TYPE_CHECKING:
    from runs.worker.container import Container

HERE: Final = Path(__file__).parent
DOOR: Final = HERE / "confine.py"
# Writable for everybody on a usual machine; a team's user gets empty ones of its own.
SCRATCH: Final = ("/dev/shm", "/tmp", "/var/tmp", "/run/lock")  # noqa: S108
# Where engines of containers put what only the product shall know.
ENGINE_SECRETS: Final = ("/run/secrets",)
MOST_SCRATCH: Final = 4 * 1024**3  # bytes, or a quarter of the machine's memory when that is less
PROCESSES: Final = 8192  # of one user on one machine, threads counted


@dataclass(frozen=True)
class Door:
    """What to execute so that a zygote begins on the other side. `container`: the one that it will be in."""

    command: list[str]
    environment: dict[str, str]
    container: Container | None = None


@dataclass(frozen=True)
class Confined:
    """The user of a team and the one code folder that its zygote may read ("" without one)."""

    uid: int
    code_path: str = ""

    @property
    def name(self) -> str:
        """What the user is called inside its view; no list of accounts of the machine knows it."""
        return f"task-{self.uid}"

    def door(self, command: list[str], socket: int, clean: dict[str, str]) -> Door:
        """`command`: the words of a zygote; `clean`: its environment variables were it the workers' own."""
        plan = json.dumps(self.plan(command, socket))
        return Door([sys.executable, "-I", "-S", str(DOOR), plan], self.environment(clean))

    def plan(self, command: list[str], socket: int) -> dict[str, Any]:
        """What `confine.py` is told: see there. The folder of the user's attempts is made if need be."""
        return {
            "uid": self.uid,
            "name": self.name,
            "socket": socket,
            "processes": PROCESSES,
            "hidden": hidden(),
            "scratch": [path for path in SCRATCH if os.path.isdir(path) and os.path.realpath(path) == path],
            "scratch_bytes": min(MOST_SCRATCH, memory() // 4),
            "read": [str(HERE), *interpreter_folders(command[0]), *filter(None, [self.code_path])],
            "write": [str(folders.make_for(self.uid))],
            "command": command,
        }

    def environment(self, clean: dict[str, str]) -> dict[str, str]:
        """The environment variables of the user's zygote: no home of the workers, names that exist."""
        kept = {name: value for name, value in clean.items() if name != "TMPDIR"}
        return {**kept, "HOME": "/tmp", "USER": self.name, "LOGNAME": self.name}  # noqa: S108


def hidden() -> list[str]:
    """Files and folders of the product that no task needs, wherever the settings have put them."""
    product = settings.ORCHESTRATOR
    store = str(product["STORE"]).removeprefix("file://")
    named = [product["HOME"], store, product["CACHE"], product["SECRET_FILES"], *product["HIDDEN"]]
    return [*(str(path) for path in named if str(path).startswith("/")), *ENGINE_SECRETS]


def memory() -> int:
    """Bytes of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def interpreter_folders(interpreter: str) -> list[str]:
    """The folders that an interpreter needs: its environment, and the Python that this was made from."""
    ways = [*links(interpreter), os.path.realpath(interpreter)]
    ways += [base for way in ways if (base := made_from(way))]
    ways += [os.path.realpath(way) for way in ways]
    found = dict.fromkeys(os.path.dirname(os.path.dirname(way)) for way in ways)
    return [folder for folder in found if folder != "/"]


def links(path: str) -> Iterator[str]:
    """A path, and those that it stands for one after the other."""
    for _ in range(16):
        yield path
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))


def made_from(interpreter: str) -> str:
    """The Python that the virtual environment of an interpreter names as its own; "" outside of one."""
    try:
        text = (Path(interpreter).parent.parent / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return ""
    homes = [line.partition("=")[2].strip() for line in text.splitlines() if line.startswith("home")]
    return os.path.join(homes[0], os.path.basename(sys.executable)) if homes else ""


def let_read(folder: Path) -> None:
    """Let all read a folder of the product's making: who gets to it is decided by the folders above."""
    if folder.stat().st_mode & stat.S_IROTH:
        return
    # The folder itself comes last: its mode says that the rest is done.
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            widen(os.path.join(path, name))
        widen(path)


def widen(path: str) -> None:
    """Give others the rights to read, and to execute what its owner may execute."""
    mode = os.lstat(path).st_mode
    if not stat.S_ISLNK(mode):
        os.chmod(path, stat.S_IMODE(mode) | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
