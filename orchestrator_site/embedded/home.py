"""ORCHESTRATOR_HOME: the folder that holds everything one installation keeps.

    VERSION        the format of this folder, a whole number
    secrets.json   passwords of the embedded servers and the key of the site, mode 0600
    secret-keys    what seals the teams' stored secrets, mode 0600; the newest key first
    up.lock        held (flock) by the one `manage.py up` that uses the home; says its process id
    postgres/data  redis/  logs/  store/

Imported by the settings: standard library only.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

FORMAT = 1
LEAST_FREE = 100 * 1024 * 1024  # bytes on the home's disk, below which PostgreSQL would soon stop
CLOCK_SLACK = 86400.0  # seconds that the clock may be behind the last start
# Other characters mean something in the places where the servers and their clients read paths.
PLAIN_PATH = re.compile(r"[\w./+@= -]+")
# What to do about an error of the file system, by its number.
WAYS_OUT = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EROFS: "it lies on a disk that is for reading only",
}
# A unix socket's whole path must fit sockaddr_un.sun_path: 108 bytes with the closing zero.
LONGEST_SOCKET_PATH = 107
DATABASE_NAME = "orchestrator"
OWNER_ROLE = "orchestrator_owner"
APPLICATION_ROLE = "orchestrator"
SUPERUSER_ROLE = "postgres"
POSTGRES_PORT = 5432  # names the socket file only; nothing listens on TCP


class HomeError(Exception):
    """Why a home cannot be used: one sentence that says what, where and the way out."""


@dataclass(frozen=True)
class Secrets:
    """Random passwords of the embedded servers, and the key that signs sessions."""

    site_key: str
    superuser: str
    owner: str
    application: str
    redis: str

    @classmethod
    def fresh(cls) -> Secrets:
        return cls(**{field.name: secrets.token_urlsafe(48) for field in fields(cls)})


class Home:
    """The paths of one home, and the rules for entering it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.postgres = path / "postgres"
        self.data = self.postgres / "data"
        self.initialising = self.postgres / "INITIALISING"
        self.redis = path / "redis"
        self.secrets_file = path / "secrets.json"
        self.secret_keys_file = path / "secret-keys"
        self.version_file = path / "VERSION"
        self.lock_file = path / "up.lock"

    # Sockets

    @property
    def short_folder(self) -> Path:
        """Where sockets live when the home's own path is too long for one."""
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        name = f"orchestrator-{digest}"
        folder = Path(tempfile.gettempdir()) / name
        return folder if len(os.fsencode(folder)) < LONGEST_SOCKET_PATH - 30 else Path("/tmp") / name  # noqa: S108

    def _socket_folder(self, folder: Path, name: str) -> Path:
        fits = len(os.fsencode(folder / name)) <= LONGEST_SOCKET_PATH
        return folder if fits and PLAIN_PATH.fullmatch(str(folder)) else self.short_folder

    @property
    def postgres_socket_folder(self) -> Path:
        return self._socket_folder(self.data, f".s.PGSQL.{POSTGRES_PORT}.lock")

    @property
    def redis_socket(self) -> Path:
        return self._socket_folder(self.redis, "redis.sock") / "redis.sock"

    def redis_url(self, known: Secrets) -> str:
        return f"unix://:{known.redis}@{quote(os.fsencode(self.redis_socket))}?db=0"

    # Secrets

    def read_secrets(self) -> Secrets | None:
        """The stored secrets; None where the home has none yet.

        Raises HomeError when they are there and cannot be read.
        """
        try:
            return Secrets(**json.loads(self.secrets_file.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            way_out = WAYS_OUT.get(error.errno or 0, "run as the user who started this home first")
            raise HomeError(
                f"{self.secrets_file} cannot be read ({error.strerror}): {way_out}, "
                "or set ORCHESTRATOR_HOME to a folder of your own."
            ) from None
        except (ValueError, TypeError):
            raise HomeError(
                f"{self.secrets_file} is damaged: restore it from a backup, "
                "for without it the database cannot be opened."
            ) from None

    def keep_secrets(self, fresh: Secrets) -> None:
        """Store these secrets unless the home has some; raises HomeError when it has others."""
        stored = self.read_secrets()
        if stored is None:
            write_private(self.secrets_file, json.dumps(asdict(fresh), indent=1) + "\n")
        elif stored != fresh:
            raise HomeError(f"{self.path} was just initialised by another process: start again.")

    # Entering

    def enter(self) -> int:
        """Make or check the folder and lock it; returns the descriptor that holds the lock.

        Raises HomeError: not writable, on a full disk, of a newer version, in use, or from the future.
        """
        if "\n" in str(self.path) or not str(self.path).isprintable():
            raise HomeError(
                f"{str(self.path)!r} holds characters that cannot be printed: set ORCHESTRATOR_HOME to "
                "another folder."
            )
        try:
            self._make()
            self._check_room()
            self._check_clock()
            lock = self._lock()
            self._check_version()
        except OSError as error:
            way_out = WAYS_OUT.get(error.errno or 0, "change its permissions")
            raise HomeError(
                f"{self.path} is not writable ({error.strerror}): {way_out}, "
                "or set ORCHESTRATOR_HOME to a folder of your own."
            ) from None
        return lock

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE:
            raise HomeError(
                f"The disk of {self.path} has {free // 1024**2} MiB left, and PostgreSQL needs at least "
                f"{LEAST_FREE // 1024**2}: free some space there, or set ORCHESTRATOR_HOME to another disk."
            )

    def _check_clock(self) -> None:
        """A clock that went back would put new runs before old ones, and end no lease for that long."""
        if not self.lock_file.exists():
            return
        last, now = self.lock_file.stat().st_mtime, time.time()
        if now < last - CLOCK_SLACK:
            raise HomeError(
                f"The clock of this machine says {day(now)}, and {self.path} was started on {day(last)}: "
                f"set the clock, or, if it is right, remove {self.lock_file}."
            )

    def _make(self) -> None:
        for folder in (self.path, self.logs, self.postgres, self.redis):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, f"Permission denied: {folder}")

    def _lock(self) -> int:
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise HomeError(
                f"{self.path} is in use by another `up` (process {holder}): stop that one, "
                "or set ORCHESTRATOR_HOME to another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return descriptor

    def _check_version(self) -> None:
        try:
            text = self.version_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if (self.data / "PG_VERSION").exists() and not self.initialising.exists():
                raise HomeError(
                    f"{self.path} has a database but no VERSION file: if this home is whole, "
                    f"write {FORMAT} into {self.version_file}."
                ) from None
            write_private(self.version_file, f"{FORMAT}\n")
            return
        if not text.isdecimal():
            raise HomeError(
                f"{self.version_file} says {text[:40]!r}; it must be a whole number such as {FORMAT}."
            )
        if int(text) > FORMAT:
            raise HomeError(
                f"{self.path} was made by a newer version of this product "
                f"(home format {text}, this one knows {FORMAT}): "
                "start that version, or set ORCHESTRATOR_HOME to another folder."
            )


def day(moment: float) -> str:
    """Seconds since the epoch as a date and a time of UTC."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that readers see all of it or none."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def make_private_folder(path: Path, uid: int, gid: int) -> None:
    """A folder of mode 0700 that belongs to `uid`. Raises HomeError: it cannot be made, or is another's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        way_out = WAYS_OUT.get(error.errno or 0, "change its permissions")
        raise HomeError(
            f"{path} cannot be made ({error.strerror}): {way_out}, or set TMPDIR to a folder of your own."
        ) from None
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {uid, os.geteuid()}:
        raise HomeError(f"{path} belongs to somebody else: remove it, or set TMPDIR to a folder of your own.")
    os.chown(path, uid, gid, follow_symlinks=False)
    path.chmod(0o700)
