"""Keys and sealing: authenticated encryption of stored secrets, with keys that change while everything runs.

Keys are Fernet keys, the newest first. They come from ``ORCHESTRATOR_SECRET_KEYS``, or from a file that is
read at every use, so that a new key needs no restart. A sealed value carries whose it is; one that was moved
to another row is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from pipelines.errors import Conflict

_BETWEEN_KEYS: Final = re.compile(r"[,\s]+")


class KeyMissing(Conflict):
    """The key that is needed is not here; the operator can bring it back."""

    default_code = "secret-key-missing"


class NotTheSame(Conflict):
    """A sealed value is damaged, or belongs to another row."""

    default_code = "secret-not-genuine"


@dataclass(frozen=True)
class Owner:
    """What a sealed value is bound to: the uuid of its team, the secret's name and its version."""

    team: str
    name: str
    version: int


@dataclass(frozen=True)
class Sealed:
    """A value as it is stored."""

    ciphertext: bytes
    key_id: str


class KeyRing:
    """The keys of this installation, newest first. ``texts`` are never empty."""

    def __init__(self, texts: list[str]) -> None:
        self.ids = [key_id(text) for text in texts]
        self._fernet = MultiFernet([Fernet(text) for text in texts])

    @property
    def newest(self) -> str:
        """The id of the key that seals from now on."""
        return self.ids[0]

    def seal(self, value: str, owner: Owner) -> Sealed:
        """Encrypt a value for one row and version."""
        body = json.dumps([owner.team, owner.name, owner.version, value])
        return Sealed(self._fernet.encrypt(body.encode()), self.newest)

    def open(self, sealed: Sealed, owner: Owner) -> str:
        """The value. KeyMissing without its key; NotTheSame when it was altered or belongs elsewhere."""
        body = self._decrypted(sealed, owner.name)
        team, name, version, value = json.loads(body)
        if (team, name, version) != (owner.team, owner.name, owner.version):
            raise NotTheSame(
                f"What is stored as version {owner.version} of the secret '{owner.name}' was sealed for "
                "another one: give the secret its value again."
            )
        return str(value)

    def seal_again(self, sealed: Sealed, name: str) -> Sealed:
        """The same content under the newest key."""
        self._decrypted(sealed, name)
        return Sealed(self._fernet.rotate(sealed.ciphertext), self.newest)

    def _decrypted(self, sealed: Sealed, name: str) -> bytes:
        if sealed.key_id not in self.ids:
            raise KeyMissing(
                f"The secret '{name}' was sealed with the key {sealed.key_id}, which is not among the keys "
                f"here ({', '.join(self.ids)}): bring that key back, or give the secret its value again."
            )
        try:
            return self._fernet.decrypt(sealed.ciphertext)
        except InvalidToken:
            raise NotTheSame(
                f"What is stored for the secret '{name}' is damaged: give the secret its value again."
            ) from None


def key_id(text: str) -> str:
    """How a key is called where it may be seen: 16 hex digits that do not lead back to it."""
    return hashlib.sha256(b"secret key " + text.encode()).hexdigest()[:16]


def key_ring() -> KeyRing:
    """The keys as they are now. KeyMissing when there are none, or one that is none."""
    texts = _texts()
    if not texts:
        raise KeyMissing(
            "There is no key to seal secrets with: set ORCHESTRATOR_SECRET_KEYS (or "
            "ORCHESTRATOR_SECRET_KEYS_FILE) to the same keys in every process; "
            "`manage.py secrets new-key --print` makes the first one."
        )
    try:
        return KeyRing(texts)
    except ValueError:
        raise KeyMissing(
            "One of the keys for secrets is not 32 bytes in URL-safe base64, as `manage.py secrets new-key "
            f"--print` makes them: correct {key_file() or 'ORCHESTRATOR_SECRET_KEYS'}."
        ) from None


def key_file() -> Path | None:
    """The file the keys are read from; None when they stand in the environment."""
    path = settings.ORCHESTRATOR["SECRET_KEYS_FILE"]
    return Path(path) if path else None


def _texts() -> list[str]:
    file = key_file()
    try:
        text = file.read_text(encoding="ascii") if file else settings.ORCHESTRATOR["SECRET_KEYS"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise KeyMissing(f"The keys for secrets cannot be read from {file}: {error}.") from None
    return [part for part in _BETWEEN_KEYS.split(text) if part]


# --- making and dropping keys ---------------------------------------------------------------------------


def new_key() -> str:
    """A fresh key as text."""
    return Fernet.generate_key().decode()


def first_key() -> str | None:
    """At the start of an installation that keeps its keys in a file: make the first one. Safe to repeat."""
    file = key_file()
    if file is None or file.exists():
        return None
    write_keys(file, [new_key()])
    return f"Secrets are sealed with the key in {file}: keep a copy of it apart from that of the database."


def add_key() -> str:
    """Put a fresh key before the others in the key file; returns its id. Conflict without a file."""
    text = new_key()
    with _alone(_own_file()) as file:
        write_keys(file, [text, *_texts()])
    return key_id(text)


def keep_only(ids: set[str]) -> list[str]:
    """Take the other keys out of the key file; the newest always stays. Returns the ids of those dropped."""
    with _alone(_own_file()) as file:
        newest, *older = _texts()
        kept = [newest, *(text for text in older if key_id(text) in ids)]
        write_keys(file, kept)
    return [key_id(text) for text in older if text not in kept]


def _own_file() -> Path:
    file = key_file()
    if file is None:
        raise Conflict("The keys stand in ORCHESTRATOR_SECRET_KEYS: change them there, in every process.")
    return file


@contextmanager
def _alone(file: Path) -> Iterator[Path]:
    """Nobody else changes the file meanwhile: of two keys added at the same moment none may be lost.

    The folder is locked, as the file itself is replaced.
    """
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(folder)


def write_keys(file: Path, texts: list[str]) -> None:
    """Write a key file of mode 0600 so that readers see all of it or none."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write("\n".join(texts) + "\n")
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
