"""Secrets of a team: the only writer of them, and the only place where their values are opened.

A value goes in and is never shown again; a task that names the secret is given it by its worker. Who may call
what is for the callers to ask: writing takes `manage` in the team, a reference to a worker's own variable or
file takes a site admin.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from pipelines import audit, grants, references, sealing
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid, Refusal
from pipelines.models import ApiToken, Pipeline, Secret, SecretSource, Team, User
from pipelines.storable import is_text

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
SHORTEST: Final = 4  # characters; anything shorter could not be told from ordinary text in a log
LONGEST: Final = 64 * 1024  # bytes of UTF-8; an environment variable takes no more than twice that
LONGEST_DESCRIPTION: Final = 10_000
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


# --- writing --------------------------------------------------------------------------------------------


def create(
    team: Team,
    name: str,
    value: str | None = None,
    *,
    actor: User | None,
    token: ApiToken | None = None,
    description: str = "",
    source: str = SecretSource.VALUE,
    address: str = "",
) -> Secret:
    """A new secret with its value, or (for a site admin) one that refers to a worker's variable or file.

    Conflict when the team has one of that name, or no key is here; Invalid for a name, value or address that
    cannot be. A name that was used before goes on counting its versions.
    """
    _refuse_name(name)
    secret = Secret(
        team=team, name=name, description=_described(description), created_by=actor, changed_by=actor
    )
    secret.source, secret.address = _placed(source, address, value)
    try:
        with transaction.atomic():
            secret.version = 1 + _last_version(team, name)
            _seal(secret, value)
            secret.save(force_insert=True)
            audit.write(actor, "secret.create", secret, _told(secret), team=team, token=token)
    except IntegrityError:
        raise Conflict(
            f"The team {team.slug} has a secret '{name}': give that one a new value.", code="name-taken"
        ) from None
    secret.refresh_from_db(fields=["created_at", "changed_at"])
    return secret


def _last_version(team: Team, name: str) -> int:
    """The newest version that a name has had, archived ones too; 0 for a new name."""
    found = Secret.objects.filter(team=team, name=name).aggregate(last=Max("version"))
    return found["last"] or 0


def change(
    secret: Secret,
    *,
    actor: User | None,
    token: ApiToken | None = None,
    value: str | None = None,
    address: str | None = None,
    description: str | None = None,
) -> Secret:
    """A new value (or address, of a reference), which counts the version up, or a new description.

    What is None stays. Conflict when it was archived, Invalid when the value does not fit the kind of secret.
    """
    with transaction.atomic():
        row = _locked(secret)
        if row.archived_at is not None:
            raise Conflict(f"The secret '{row.name}' is archived: make a new one.", code="archived")
        changed = _changed(row, value, address, description)
        if changed:
            row.changed_by, row.changed_at = actor, EngineNow()
            row.save()
            audit.write(
                actor, "secret.change", row, {**_told(row), "changed": changed}, team=row.team, token=token
            )
    row.refresh_from_db(fields=["changed_at"])
    return row


def _changed(row: Secret, value: str | None, address: str | None, description: str | None) -> list[str]:
    """Set what is new on a locked row; the names of it."""
    changed = []
    if value is not None or address is not None:
        row.source, row.address = _placed(row.source, row.address if address is None else address, value)
        row.version += 1
        _seal(row, value)
        changed.append("address" if value is None else "value")
    if description is not None and description != row.description:
        row.description = _described(description)
        changed.append("description")
    return changed


def archive(secret: Secret, *, actor: User | None, token: ApiToken | None = None) -> bool:
    """Take a secret out of use and forget its value for good. False when it was archived before."""
    with transaction.atomic():
        row = _locked(secret)
        if row.archived_at is not None:
            return False
        row.archived_at, row.ciphertext, row.key_id = EngineNow(), b"", ""
        row.save()
        audit.write(actor, "secret.archive", row, _told(row), team=row.team, token=token)
    return True


def _locked(secret: Secret) -> Secret:
    """The row as it is now, which nobody else changes before this transaction ends."""
    return Secret.objects.select_for_update(of=("self",)).select_related("team").get(pk=secret.pk)


def _told(secret: Secret) -> dict[str, Any]:
    """What the audit chain says of a secret: never its value."""
    place = {"address": secret.address} if secret.address else {}
    return {"name": secret.name, "version": secret.version, "source": str(secret.source), **place}


def _seal(secret: Secret, value: str | None) -> None:
    if value is not None:
        sealed = sealing.key_ring().seal(value, owner_of(secret))
        secret.ciphertext, secret.key_id = sealed.ciphertext, sealed.key_id


def owner_of(secret: Secret) -> sealing.Owner:
    """What the value of a row, as it is now, is bound to."""
    return sealing.Owner(str(secret.team.uuid), secret.name, secret.version)


def sealed_of(secret: Secret) -> sealing.Sealed:
    """The value of a row as it is stored."""
    return sealing.Sealed(bytes(secret.ciphertext), secret.key_id)


# --- what can be a secret -------------------------------------------------------------------------------


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        what = "1 to 63 small letters, digits, '-' and '_', beginning with a letter or digit."
        raise Invalid(f"A secret's name has {what}", errors=[("name", what)])


def _described(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION or not is_text(text):
        what = f"A text of at most {LONGEST_DESCRIPTION} characters."
        raise Invalid(f"The description is: {what}", errors=[("description", what)])
    return text


def _placed(source: str, address: str, value: str | None) -> tuple[str, str]:
    """Source and address, checked with the value that must or must not come with them."""
    if source == SecretSource.VALUE:
        if value is None or address:
            raise Invalid("A stored secret has a value and no address.", errors=[("value", "Give a value.")])
        refuse_value(value)
        return source, ""
    if source not in SecretSource.values:
        known = ", ".join(SecretSource.values)
        raise Invalid(f"The source of a secret is one of {known}.", errors=[("source", f"One of {known}.")])
    if value is not None:
        message = f"This secret refers to the {source} of the worker and has no value here."
        raise Invalid(message, errors=[("value", "Give an address instead, or make another secret.")])
    problem = _wrong_address(source, address)
    if problem:
        raise Invalid(problem, errors=[("address", problem)])
    return source, address


def refuse_value(value: str) -> None:
    """Raise Invalid for a value that cannot be stored, handed over or hidden; it is never repeated."""
    problem = wrong_value(value)
    if problem:
        raise Invalid(f"The value {problem}.", errors=[("value", f"It {problem}.")])


def wrong_value(value: str) -> str:
    """Why a value cannot be a secret, as the rest of a sentence that begins with it; "" when it can."""
    if not is_text(value):
        return "holds characters that are no text"
    if len(value.strip()) < SHORTEST:
        return f"has fewer than {SHORTEST} characters, too few to be hidden in logs"
    if len(value.encode()) > LONGEST:
        return f"has more than {LONGEST // 1024} KiB"
    return ""


def _wrong_address(source: str, address: str) -> str:
    """Why a worker would not read there; "" when it may."""
    if source == SecretSource.ENVIRONMENT:
        prefix = settings.ORCHESTRATOR["SECRET_VARIABLES"]
        if _VARIABLE.fullmatch(address) and address.startswith(prefix) and len(address) <= 255:
            return ""
        return f"Only environment variables whose names begin with {prefix} are read."
    folder = settings.ORCHESTRATOR["SECRET_FILES"]
    if not folder:
        return "No files are read: set ORCHESTRATOR_SECRET_FILES to a folder, on every machine with workers."
    path = PurePosixPath(address)
    if (
        address
        and is_text(address)
        and len(address) <= 255
        and not path.is_absolute()
        and ".." not in path.parts
    ):
        return ""
    return f"Write the path of a file relative to {folder}."


# --- reading --------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Opened:
    """A secret in a worker's hands. It has no text form, so that no log shows it by accident."""

    name: str
    version: int | None  # None: the value stands outside, and nobody counted its changes
    value: str


class NotReleased(Refusal):
    """A task names a secret that cannot be given to it; ``retryable`` when another machine may have it."""

    default_code = "secret-not-released"

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


def living(team_id: int) -> QuerySet[Secret]:
    """The secrets that documents of a team may name: its own, and those lent to it."""
    return grants.usable(Secret.objects.filter(archived_at=None), team_id).select_related("team")


def names(team: Team) -> set[str]:
    """What documents of a team may call secrets: ``name`` its own, ``owner:name`` those lent to it."""
    return {grants.named_in(row, team.pk) for row in living(team.pk).only("name", "team__slug")}


def release(team_id: int, wanted: Collection[str]) -> dict[str, Opened]:
    """The values of a team's secrets by name, for the worker of a task that names them. One query.

    NotReleased when one is missing, archived, or cannot be opened; the sentence says which and why.
    """
    rows = _named(team_id, wanted)
    if absent := set(wanted) - rows.keys():
        raise NotReleased(unavailable(absent))
    return {name: Opened(name, _version(row), _value(row)) for name, row in rows.items()}


def _named(team_id: int, wanted: Collection[str]) -> dict[str, Secret]:
    """Those of the names that mean a living secret, with its row. One query."""
    found = living(team_id).filter(name__in={name.rpartition(":")[2] for name in wanted})
    return {name: row for row in found if (name := grants.named_in(row, team_id)) in wanted}


def versions_of(team_id: int, wanted: Collection[str]) -> dict[str, int | None]:
    """Version of each of the names that means a secret; None where the value stands outside. One query."""
    return {name: _version(row) for name, row in _named(team_id, wanted).items()}


def _version(row: Secret) -> int | None:
    return row.version if row.source == SecretSource.VALUE else None


def unavailable(absent: Collection[str]) -> str:
    """That a team does not have these secrets, and what to do, in words."""
    if lent := sorted(name for name in absent if ":" in name):
        return f"The secret {grants.not_lent(lent[0])}"
    listed = ", ".join(f"'{name}'" for name in sorted(absent))
    return f"The team has no secret {listed}: it was archived, or never stored. Store it first."


def missing(team_id: int, wanted: Collection[str]) -> set[str]:
    """Those of the names that are no living secret of the team. No query for no names."""
    if not wanted:
        return set()
    return set(wanted) - _named(team_id, wanted).keys()


def _value(row: Secret) -> str:
    if row.source == SecretSource.VALUE:
        return _unsealed(row)
    # The rules may have changed since it was written.
    if forbidden := _wrong_address(row.source, row.address):
        raise NotReleased(f"The secret '{row.name}' is not read: {forbidden}")
    value = _from_environment(row) if row.source == SecretSource.ENVIRONMENT else _from_file(row)
    if wrong := wrong_value(value):
        raise NotReleased(f"The value of the secret '{row.name}', read from {row.address}, {wrong}.")
    return value


def _unsealed(row: Secret) -> str:
    try:
        return sealing.key_ring().open(sealed_of(row), owner_of(row))
    except sealing.KeyMissing as problem:
        raise NotReleased(problem.message, retryable=True) from None
    except sealing.NotTheSame as problem:
        raise NotReleased(problem.message) from None


def _from_environment(row: Secret) -> str:
    try:
        return os.environ[row.address]
    except KeyError:
        raise NotReleased(
            f"The secret '{row.name}' refers to the environment variable {row.address}, which this worker "
            "does not have: set it for every worker of the queue.",
            retryable=True,
        ) from None


def _from_file(row: Secret) -> str:
    """The text of a file without the line ends after it; links may not lead out of the folder."""
    folder = Path(settings.ORCHESTRATOR["SECRET_FILES"]).resolve()
    try:
        path = (folder / row.address).resolve()
        if not path.is_relative_to(folder):
            raise NotReleased(f"The secret '{row.name}' is not read: its file leads out of {folder}.")
        with path.open("rb") as file:
            return file.read(LONGEST + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = (
            "is no text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        )
        raise NotReleased(
            f"The secret '{row.name}' refers to the file {row.address}, which {reason} on this machine.",
            retryable=True,
        ) from None


# --- who uses it ----------------------------------------------------------------------------------------

MOST_USES: Final = 100


@dataclass(frozen=True)
class Use:
    """A pipeline that names a secret: in its draft, in its active version, or in both."""

    pipeline: Pipeline
    draft: bool
    active: bool


def uses(secret: Secret) -> list[Use]:
    """The pipelines of its team that name a secret, by name, at most 100. One query."""
    mark = f"secrets.{secret.name}"
    rows = Pipeline.objects.filter(team_id=secret.team_id, archived_at=None).filter(
        Q(draft_text__contains=mark) | Q(active_version__text__contains=mark)
    )
    columns = ("name", "title", "uuid", "draft_text", "active_version__text")
    found = rows.select_related("active_version").only(*columns).order_by("name")
    named = (
        Use(row, _names(row.draft_text, secret.name), _names(_active_text(row), secret.name))
        for row in found[: 2 * MOST_USES]
    )
    return [use for use in named if use.draft or use.active][:MOST_USES]


def _active_text(row: Pipeline) -> str:
    return row.active_version.text if row.active_version else ""


def _names(text: str, name: str) -> bool:
    parts = references.split(text)
    return any(
        isinstance(part, references.Reference) and part.root == "secrets" and part.name == name
        for part in parts
    )
