"""The level `container`: a zygote inside a container of podman, with an image of a site admin's choice.

The image brings Python and packages. Of this machine the container has the folder of the team's attempts,
the code and the scripts of this folder; its root cannot be written, and nothing in it has a right of root.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import Error, InterfaceError

from runs import isolation
from runs.models import Queue
from runs.worker import folders, processes
from runs.worker.requests import CannotRun, Prepared
from runs.worker.view import HERE, MOST_SCRATCH, PROCESSES, Confined, Door, memory

ENTRY: Final = HERE / "enter.py"
DESCRIPTOR: Final = 3  # the one that podman hands on
HAND_ON: Final = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execvp(sys.argv[2], sys.argv[2:])"
PATIENCE: Final = 30.0  # seconds for an answer of the engine
LOOK_EVERY: Final = 10.0  # seconds for which an image that was there, or was missing, is not looked for
# Bytes and processes of the zygote, on top of what its task may use.
OWN_MEMORY: Final = 128 * 1024**2
OWN_PROCESSES: Final = 16
MANY_FILES: Final = 1024
GPU_DEVICE: Final = "nvidia.com/gpu="  # as the NVIDIA Container Toolkit names devices to podman (CDI)
HOME_LABEL: Final = "orchestrator.home"
WORKER_LABEL: Final = "orchestrator.worker"


class EngineFailed(Exception):
    """What podman says of a command that it refuses."""


@dataclass(frozen=True)
class Image:
    """An image of this machine: what it was asked for as, and what it is."""

    name: str
    id: str
    digest: str


@dataclass(frozen=True)
class Contained(Confined):
    """A team's user inside a container. `memory`: bytes of one task; `processes`: that it may have.

    `gpus`: the UUIDs of those that are let in.
    """

    image: Image = field(kw_only=True)
    network: bool = field(kw_only=True)
    memory: int = field(kw_only=True)
    processes: int = field(kw_only=True)
    open_files: int = field(kw_only=True)
    gpus: tuple[str, ...] = field(default=(), kw_only=True)

    def facts(self) -> dict[str, str]:
        """What a record says of the image."""
        return {"name": self.image.name, "digest": self.image.digest}

    def door(self, command: list[str], socket: int, clean: dict[str, str]) -> Door:
        """`command`: interpreter, option, script, descriptor and the rest, as for a zygote without."""
        container = Container()
        inside = ["-s", str(ENTRY), str(DESCRIPTOR), *command[4:]]
        run = [*engine(), "run", *self._options(container.name, clean), self.image.id, *inside]
        return Door([sys.executable, "-I", "-S", "-c", HAND_ON, str(socket), *run], _for_podman(), container)

    def _options(self, name: str, clean: dict[str, str]) -> list[str]:
        size = min(MOST_SCRATCH, memory() // 4)
        whole = self.memory + OWN_MEMORY
        written = str(folders.make_for(self.uid))
        read = [str(HERE), *filter(None, [self.code_path])]
        # The image knows best where its programs are.
        told = {key: value for key, value in self.environment(clean).items() if key != "PATH"}
        return [
            f"--name={name}",
            f"--label={HOME_LABEL}={_home()}",
            f"--label={WORKER_LABEL}={os.getpid()}:{processes.began(os.getpid())}",
            "--rm",
            "--pull=never",
            "--log-driver=none",
            "--image-volume=ignore",
            "--systemd=false",
            "--http-proxy=false",
            "--preserve-fds=1",
            "--entrypoint=python3",
            "--workdir=/",
            "--umask=0077",
            f"--user={self.uid}:{self.uid}",
            "--cap-drop=all",
            "--security-opt=no-new-privileges",
            "--read-only",
            "--read-only-tmpfs=false",
            f"--tmpfs=/tmp:rw,nosuid,nodev,size={size}",
            f"--tmpfs=/var/tmp:rw,nosuid,nodev,size={size}",
            f"--shm-size={size}",
            f"--memory={whole}",
            f"--memory-swap={whole}",
            f"--pids-limit={self.processes + OWN_PROCESSES}",
            "--ulimit=core=0:0",
            f"--ulimit={_limit('nofile', resource.RLIMIT_NOFILE, max(self.open_files, MANY_FILES))}",
            f"--ulimit={_limit('nproc', resource.RLIMIT_NPROC, PROCESSES)}",
            *([] if self.network else ["--network=none"]),
            *(f"--device={GPU_DEVICE}{gpu}" for gpu in self.gpus),
            *(f"--env={key}={value}" for key, value in told.items()),
            *(f"--mount=type=bind,ro=true,src={path},dst={path}" for path in read),
            f"--mount=type=bind,src={written},dst={written}",
        ]


class Container:
    """One that was started here. `pid`: its first process as this machine numbers it, once it has begun."""

    def __init__(self) -> None:
        self.name = f"orchestrator-{uuid.uuid4()}"
        self.pid: int | None = None
        self._first = -1
        self._using = threading.Lock()  # its number may be another process's once it is closed
        self._monitor = 0

    def begun(self) -> None:
        """Find its first process, to end it without asking anybody. Raises EngineFailed."""
        said = ask("inspect", "--type=container", "--format={{.State.Pid}} {{.State.ConmonPid}}", self.name)
        self.pid, self._monitor = map(int, said.split())
        try:
            self._first = os.pidfd_open(self.pid)
        except OSError as problem:
            raise EngineFailed(f"it has ended already ({problem.strerror})") from None

    def kill(self) -> None:
        """End every process in it at once."""
        with self._using, contextlib.suppress(ProcessLookupError):
            if self._first >= 0:
                signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def remove(self) -> None:
        """End it if need be and let podman forget it. What fails here is found when a worker starts."""
        self.kill()
        with contextlib.suppress(EngineFailed):
            ask("rm", "--force", "--ignore", "--time=0", self.name)
        with self._using:
            if self._first >= 0:
                os.close(self._first)
                self._first = -1
        self._collect()

    def _collect(self) -> None:
        """The monitor of podman is a child of ours, as we are a subreaper; it ends after its container."""
        until = time.monotonic() + 1.0
        while self._monitor and time.monotonic() < until:
            try:
                if os.waitpid(self._monitor, os.WNOHANG)[0]:
                    return
            except ChildProcessError:
                return
            time.sleep(0.01)


def engine() -> list[str]:
    """The words that every command to the engine begins with."""
    return shlex.split(settings.ORCHESTRATOR["PODMAN"])


def ask(*words: str) -> str:
    """What podman answers. Raises EngineFailed with its last line."""
    try:
        done = subprocess.run(
            [*engine(), *words],
            env=_for_podman(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except FileNotFoundError:
        raise EngineFailed("podman is not installed (ORCHESTRATOR_PODMAN)") from None
    except subprocess.TimeoutExpired:
        raise EngineFailed(f"podman does not answer within {PATIENCE:.0f} s") from None
    except (OSError, subprocess.CalledProcessError) as problem:
        lines = str(getattr(problem, "stderr", "") or problem).strip().splitlines()
        raise EngineFailed(f"podman: {lines[-1] if lines else problem}") from None
    return done.stdout.strip()


def _for_podman() -> dict[str, str]:
    """The variables of podman itself: none of the product's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_RUNTIME_DIR") if name in os.environ}
    return {"PATH": os.defpath, **kept}


def _home() -> str:
    return os.path.realpath(settings.ORCHESTRATOR["HOME"])


def _limit(name: str, kind: int, wanted: int) -> str:
    """A limit for the container, never above what this process could give itself."""
    most = resource.getrlimit(kind)[1]
    number = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    return f"{name}={number}:{number}"


# --- what this machine has --------------------------------------------------------------------------------


def why_not(no_own_user: str) -> str:
    """Why this worker can give no containers; "" when it can. `no_own_user`: why it gives no `own user`."""
    if no_own_user:
        return no_own_user
    try:
        ask("info", "--format={{.Host.OCIRuntime.Name}}")
    except EngineFailed as problem:
        return str(problem)
    return ""


def image_of(name: str) -> Image:
    """The image of this machine with that name. Raises EngineFailed."""
    if not name:
        raise EngineFailed("no image is named: a site admin names one for the queue")
    try:
        ask("image", "exists", name)
    except EngineFailed as problem:
        words = f"the image {name} is not on this machine: podman pull {name}"
        raise EngineFailed(words if "returned non-zero" in str(problem) else str(problem)) from None
    found = json.loads(ask("image", "inspect", name))[0]
    return Image(name, found["Id"], found.get("Digest") or "")


class ImageWatch:
    """Why a worker should take nothing of its queue for want of the image; asked before each claim."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._words = ""
        self._again = 0.0

    def trouble(self) -> str:
        """A sentence, or ""; at most every 10 s anybody is asked."""
        if time.monotonic() >= self._again:
            self._again = time.monotonic() + LOOK_EVERY
            try:
                self._words = self._look()
            except (Error, InterfaceError):
                return self._words
        return self._words

    def _look(self) -> str:
        wanted = Queue.objects.filter(slug=self._queue, isolation=isolation.CONTAINER)
        for name in wanted.values_list("image", flat=True):
            try:
                image_of(name)
            except EngineFailed as problem:
                return f"It can start no container: {problem}."
        return ""


def contain(user: Confined, queue: str, prepared: Prepared, gpus: Sequence[str] = ()) -> Contained:
    """The user of a team inside a container of its queue's image, with these GPUs. Raises CannotRun."""
    name, network = Queue.objects.values_list("image", "network").get(slug=queue)
    try:
        image = image_of(name)
    except EngineFailed as problem:
        raise CannotRun("infrastructure", f"no container can be started: {problem}") from None
    limits = prepared.limits
    prepared.request["walled"] = True
    contained = Contained(
        user.uid, image=image, network=network, memory=limits.memory,
        processes=limits.processes, open_files=limits.open_files, gpus=tuple(gpus),
    )  # fmt: skip
    prepared.provenance["image"] = contained.facts()
    return contained


# --- after a worker's death -------------------------------------------------------------------------------


def left() -> Iterator[str]:
    """Containers of this home whose worker is gone, by id. Raises EngineFailed."""
    said = ask("ps", "--all", f"--filter=label={HOME_LABEL}={_home()}", "--format=json")
    for found in json.loads(said or "[]"):
        if not _is_alive(found["Labels"].get(WORKER_LABEL, "")):
            yield found["Id"]


def _is_alive(worker: str) -> bool:
    pid, _, since = worker.partition(":")
    return pid.isdecimal() and str(processes.began(int(pid))) == since


def remove_left() -> int:
    """End and remove them; returns how many: none where there is no engine, or no root to use it."""
    if os.geteuid() != 0:
        return 0
    try:
        found = list(left())
        for name in found:
            ask("rm", "--force", "--ignore", "--time=0", name)
    except EngineFailed:
        return 0
    return len(found)
