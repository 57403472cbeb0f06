"""Code locations that are Git repositories: registered, changed, looked at and synced.

Looking asks where the ref points now. Syncing fetches that one commit into a mirror under the home, takes the
files of the folder out of it, and makes them a snapshot like any other. Both are work of a chore, and what
goes wrong becomes a sentence on the location.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from pipelines import audit, code, secrets
from pipelines.clock import EngineNow
from pipelines.errors import Invalid, Refusal
from pipelines.git import GitFault, Mirror, Session, address, mirror, opened
from pipelines.models import ApiToken, CodeKind, CodeLocation, CodeSnapshot, Team, User
from pipelines.problems import listed
from pipelines.signals import sync_wanted
from pipelines.store import StoreError

log = structlog.get_logger()

WAITING: Final = {"words": "waiting for the system worker", "per_cent": 0}
REPORT_EVERY: Final = 0.5  # seconds between two writes of progress
# What of a location decides which bytes a sync gives.
MEANT: Final = ("address", "ref", "folder", "secret", "known_hosts", "lock_file")
LONGEST_KNOWN_HOSTS: Final = 16 * 1024
FAULTS: Final = (GitFault, Refusal, StoreError, OSError, subprocess.SubprocessError)


# --- writing --------------------------------------------------------------------------------------------


def register(
    team: Team,
    name: str,
    where: str,
    *,
    actor: User,
    preload: Sequence[str] = (),
    auto_sync: bool = False,
    token: ApiToken | None = None,
    **wanted: str,
) -> CodeLocation:
    """A new location of a team at an address of git, to be synced at once by a chore.

    ``wanted``: ref, folder, secret, known_hosts and lock_file. The caller has seen that ``actor`` manages the
    team, and is a site admin for an address on the server's disk. Invalid, Conflict.
    """
    checked = _checked(team, {"address": where, **wanted})
    try:
        with transaction.atomic():
            location = CodeLocation.objects.create(
                team=team,
                name=name,
                kind=CodeKind.GIT,
                auto_sync=auto_sync,
                preload=list(preload),
                preload_given=list(preload),
                created_by=actor,
                syncing=WAITING,
                **checked,
            )
            told = {"name": name, "auto_sync": auto_sync, **checked}
            audit.write(actor, "code.register", location, told, team=team, token=token)
            sync_wanted.send(CodeLocation, location=location, actor=actor, token=token)
    except IntegrityError:
        raise code.name_taken(team, name) from None
    return location


def change(
    location: CodeLocation, wanted: Mapping[str, Any], *, actor: User, token: ApiToken | None = None
) -> bool:
    """Set some of address, ref, folder, secret, known_hosts, lock_file and auto_sync; sync where it matters.

    False when all of it was so. Another host begins without known keys, unless some are given, and its
    credentials must be named. Invalid.
    """
    texts = {name: value for name, value in wanted.items() if name in MEANT}
    checked: dict[str, Any] = _checked(location.team, texts)
    if "address" in checked and _other_host(location, checked["address"]):
        _refuse_old_credentials(location, checked)
        checked.setdefault("known_hosts", "")
    if "auto_sync" in wanted:
        checked["auto_sync"] = bool(wanted["auto_sync"])
    changes = {name: value for name, value in checked.items() if getattr(location, name) != value}
    if not changes:
        return False
    for name, value in changes.items():
        setattr(location, name, value)
    with transaction.atomic():
        location.save(update_fields=list(changes))
        audit.write(actor, "code.change", location, changes, team=location.team, token=token)
        if changes.keys() & set(MEANT):
            ask(location, actor=actor, token=token)
    return True


@transaction.atomic
def ask(location: CodeLocation, *, actor: User | None, token: ApiToken | None = None) -> None:
    """Have a repository synced soon; nothing more happens while a sync is under way."""
    if location.syncing is None:
        location.syncing = WAITING
        location.save(update_fields=["syncing"])
    sync_wanted.send(CodeLocation, location=location, actor=actor, token=token)


def _refuse_old_credentials(location: CodeLocation, wanted: Mapping[str, Any]) -> None:
    """Credentials are not sent to another host than the one that they were given for."""
    if location.secret and "secret" not in wanted:
        host = address.understood(location.address).host or "the server's disk"
        message = f"The secret '{location.secret}' is for {host}: name one for the new host, or none."
        raise Invalid(message, errors=[("secret", message)])


def _checked(team: Team, wanted: Mapping[str, str]) -> dict[str, str]:
    """The fields of a repository as they are kept. Raises Invalid."""
    checked = dict(wanted)
    if "address" in checked:
        checked["address"] = address.understood(checked["address"].strip()).text
    if "ref" in checked:
        checked["ref"] = address.checked_ref(checked["ref"].strip())
    for field in ("folder", "lock_file"):
        if field in checked:
            checked[field] = address.checked_inner(checked[field], field)
    if checked.get("secret") and checked["secret"] not in secrets.names(team):
        message = f"The team has no secret '{checked['secret']}': store the credentials under a name first."
        raise Invalid(message, errors=[("secret", message)])
    if "known_hosts" in checked:  # forms of browsers end lines with CR LF
        checked["known_hosts"] = checked["known_hosts"].replace("\r\n", "\n")
    if len(checked.get("known_hosts", "")) > LONGEST_KNOWN_HOSTS or "\x00" in checked.get("known_hosts", ""):
        message = f"Lines as in a known_hosts file, at most {LONGEST_KNOWN_HOSTS // 1024} KiB."
        raise Invalid(message, errors=[("known_hosts", message)])
    return checked


def _other_host(location: CodeLocation, where: str) -> bool:
    old, new = address.understood(location.address), address.understood(where)
    return (old.host, old.port) != (new.host, new.port)


# --- asking the repository ------------------------------------------------------------------------------


def sync(location: CodeLocation, *, actor: User | None, token: ApiToken | None = None) -> CodeSnapshot | None:
    """Fetch the commit that the ref names, and take a snapshot of the folder in it.

    None when that failed: why stands on the location, and its last snapshot stays.
    """
    report = _Reporter(location)
    try:
        with _conversation(location) as (session, here):
            found = mirror.tip(session, location.ref)
            _trust(location, session)
            sha = here.fetch(session, found, report)
            content, left_out = _read(location, here, sha, report)
            here.keep(sha)
    except FAULTS as problem:
        _failed(location, "sync_error", problem)
        return None
    commit = here.commit(sha)
    origin = code.Origin(sha, commit.at, commit.subject, found.ref)
    with transaction.atomic():
        snapshot = code.adopt(
            location, content, origin, _notes(left_out), verb="code.sync", actor=actor, token=token
        )
        seen = {"remote_commit": sha, "rewritten": False, "checked_at": EngineNow(), "check_error": ""}
        CodeLocation.objects.filter(pk=location.pk).update(**seen)
    return snapshot


def look(location: CodeLocation) -> bool:
    """See where the ref points now; True when it went on from what was synced, so that a sync goes forward.

    Whether the history was rewritten is found out once for each new commit, by fetching commits, no snapshot.
    """
    try:
        with _conversation(location) as (session, here):
            found = mirror.tip(session, location.ref)
            _trust(location, session)
            rewritten = _rewritten(location, session, here, found)
    except FAULTS as problem:
        _failed(location, "check_error", problem)
        return False
    CodeLocation.objects.filter(pk=location.pk).update(
        remote_commit=found.commit, rewritten=rewritten, checked_at=EngineNow(), check_error=""
    )
    return found.commit != location.commit and not rewritten


def _rewritten(location: CodeLocation, session: Session, here: Mirror, found: mirror.Tip) -> bool:
    if not location.commit or found.commit == location.commit:
        return False
    if found.commit == location.remote_commit:
        return location.rewritten
    return here.descends(session, location.commit, found, lambda *_: None) is False


@contextmanager
def _conversation(location: CodeLocation) -> Iterator[tuple[Session, Mirror]]:
    """A session with the repository and its mirror, for one process at a time."""
    room = Path(settings.ORCHESTRATOR["HOME"]) / "repositories"
    here = Mirror(room / f"{location.uuid}.git")
    where = address.understood(location.address)
    with (
        here.alone(),
        opened(
            where, room / "sessions", secret=_credentials(location), known_hosts=location.known_hosts
        ) as session,
    ):
        yield session, here


def _credentials(location: CodeLocation) -> str:
    """The open value, for as long as the session needs it. Raises Refusal."""
    if not location.secret:
        return ""
    return secrets.release(location.team_id, [location.secret])[location.secret].value


def _trust(location: CodeLocation, session: Session) -> None:
    """Record the host key of a first contact: from now on it must be this one."""
    if location.known_hosts or not session.known_hosts:
        return
    # Keys or an address that somebody gives meanwhile stay as they are.
    unknown = CodeLocation.objects.filter(pk=location.pk, known_hosts="", address=location.address)
    with transaction.atomic():
        if not unknown.update(known_hosts=session.known_hosts):
            return
        location.known_hosts = session.known_hosts
        told = {"known_hosts": location.known_hosts}
        audit.write(None, "code.trust", location, told, team=location.team)


def _read(
    location: CodeLocation, here: Mirror, sha: str, report: mirror.Report
) -> tuple[code.Content, mirror.Found]:
    with tempfile.TemporaryDirectory(dir=here.folder.parent, prefix="files-") as made:
        left_out = here.take_out(sha, location.folder, Path(made), report)
        report("reading the blocks", 0)
        return code.read(Path(made), location.lock_file), left_out


def _notes(left_out: mirror.Found) -> list[str]:
    """What of the repository is not in the snapshot, in sentences."""
    notes = []
    if left_out.submodules:
        named = listed(left_out.submodules)
        notes.append(f"Submodules are not followed, so these folders are empty: {named}.")
    if left_out.pointers:
        named = listed(left_out.pointers)
        notes.append(f"Files of Git LFS are not fetched, and only their pointers are here: {named}.")
    return notes


def _failed(location: CodeLocation, field: str, problem: BaseException) -> None:
    sentence = said_of(problem)
    log.warning("a repository could not be read", location=location.name, team=location.team_id, why=sentence)
    changes: dict[str, Any] = {field: sentence}
    changes |= {"syncing": None} if field == "sync_error" else {"checked_at": EngineNow()}
    for name, value in changes.items():
        setattr(location, name, value)
    CodeLocation.objects.filter(pk=location.pk).update(**changes)


@contextmanager
def told_of_the_unexpected(location: CodeLocation) -> Iterator[None]:
    """A fault of ours ends the sync on the page, too; the chore is tried again."""
    try:
        yield
    except Exception:
        sentence = "Something unexpected went wrong; it is tried again, and the server's log says more."
        CodeLocation.objects.filter(pk=location.pk).update(sync_error=sentence, syncing=None)
        raise


def said_of(problem: BaseException) -> str:
    """A fault as a sentence that shows no credentials."""
    if isinstance(problem, GitFault | Refusal):
        return address.masked(problem.message)
    if isinstance(problem, subprocess.SubprocessError):
        return "Git took too long to read what was fetched: sync again later."
    words = str(problem)
    return address.masked(f"The code of the commit cannot be kept: {words}.")


class _Reporter:
    """Writes progress onto a location, twice a second at most."""

    def __init__(self, location: CodeLocation) -> None:
        self.location = location
        self.next = 0.0

    def __call__(self, words: str, per_cent: int) -> None:
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + REPORT_EVERY
        CodeLocation.objects.filter(pk=self.location.pk).update(
            syncing={"words": words, "per_cent": per_cent}
        )
