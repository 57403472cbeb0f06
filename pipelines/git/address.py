"""What may be written as the address of a repository, as a ref, and as a folder inside it. Pure.

Git takes far more than addresses: options (`--upload-pack=…`), helpers that run commands (`ext::…`), users
with passwords. All of that is refused here by name, before git sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from pipelines.errors import Invalid

PORTS: Final = {"https": 443, "http": 80, "ssh": 22}
FORMS: Final = "https://host/path, ssh://git@host/path or git@host:path"
_SCP: Final = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@/:\[\]]+):(?P<path>[^:].*)")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_REF: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+#=,-]*")
_PASSWORD: Final = re.compile(r"(//[^/@\s:]*):[^/@\s]*@")
COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Address:
    """An address that was understood. ``text`` is what git is given; a local one has no host."""

    text: str
    scheme: str
    host: str = ""
    port: int = 0

    @property
    def local(self) -> bool:
        """Does it read the disk of the server?"""
        return self.scheme == "file"

    @property
    def known_as(self) -> str:
        """How a file of known hosts names this host."""
        return self.host if self.port == PORTS["ssh"] else f"[{self.host}]:{self.port}"


def understood(text: str) -> Address:
    """The address of a repository. Raises Invalid, which never repeats a password."""
    if not text or not text.isprintable() or any(sign.isspace() for sign in text):
        raise _refused(f"Write the address of a repository without spaces: {FORMS}.")
    if text.startswith("-") or "::" in text.split("/")[0]:
        raise _refused(f"This is no address but something that git would carry out: write {FORMS}.")
    if text.startswith("/"):
        return Address(text, "file")
    if "://" not in text:
        return _short(text)
    return _url(text)


def _short(text: str) -> Address:
    """The short form of ssh, user@host:path."""
    match = _SCP.fullmatch(text)
    if match is None:
        raise _refused(f"This is not the address of a repository: write {FORMS}.")
    _refuse_odd(match["user"] or "", match["host"].strip("[]"), match["path"])
    return Address(text, "ssh", match["host"].strip("[]").lower(), PORTS["ssh"])


def _url(text: str) -> Address:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refused(f"This is not the address of a repository: write {FORMS}.") from None
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise _refused("A repository on the server's disk is written file:///path.")
        return Address(text, "file")
    if parts.scheme not in PORTS:
        raise _refused(f"Git is not asked over {parts.scheme}: write {FORMS}.")
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise _refused(
            "Leave user and password out of the address: store them as a secret of the team, and name that."
        )
    if parts.query or parts.fragment:
        raise _refused("Leave out what stands after ? or #: an address ends with the path of the repository.")
    _refuse_odd(parts.username or "", parts.hostname or "", parts.path)
    return Address(text, parts.scheme, str(parts.hostname).lower(), port or PORTS[parts.scheme])


def _refuse_odd(user: str, host: str, path: str) -> None:
    if not _HOST.fullmatch(host) or (user and not _USER.fullmatch(user)):
        raise _refused(f"The name of the host, or the user before it, cannot be one: write {FORMS}.")
    if not path.strip("/") or path.lstrip("/~").startswith("-"):
        raise _refused(f"The path of the repository is missing, or begins with a hyphen: write {FORMS}.")


def _refused(message: str) -> Invalid:
    return Invalid(message, errors=[("address", message)])


def checked_ref(ref: str) -> str:
    """A branch, tag or whole commit; "" is what the repository itself begins with. Raises Invalid."""
    wrong = (
        ".." in ref
        or "//" in ref
        or ref.endswith(("/", ".", ".lock"))
        or any(part.startswith(".") for part in ref.split("/"))
    )
    if ref and (wrong or not _REF.fullmatch(ref) or len(ref) > 255):
        message = (
            "A ref is the name of a branch or a tag, or a whole commit: letters, digits and . _ / - + #, "
            "beginning with a letter or a digit."
        )
        raise Invalid(message, errors=[("ref", message)])
    return ref


def checked_inner(path: str, field: str) -> str:
    """A relative path inside the repository, without slashes around it. Raises Invalid."""
    path = path.strip().strip("/")
    parts = PurePosixPath(path).parts
    if len(path) > 255 or not path.isprintable() or ".." in parts or "\\" in path or path.startswith("-"):
        message = "A path inside the repository, such as pipelines/digits."
        raise Invalid(f"{field}: {message}", errors=[(field, message)])
    return "/".join(part for part in parts if part != ".")


def masked(text: str) -> str:
    """A text in which no address shows a password."""
    return _PASSWORD.sub(r"\1:…@", text)
