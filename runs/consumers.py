"""``/ws/live/``: tells a browser that something moved. Ids and numbers only; the page asks for the rest.

Client   {"verb": "subscribe" | "unsubscribe", "kind": "run" | "pipeline" | "fleet", "id": uuid | "*"}
Server   {"type": "subscribed", "kind", "id", "seq"}        seq: the run's last event, null otherwise
         {"type": "run", "id", "seq", "pipeline", "state"}
         {"type": "log", "run", "attempt", "lines"}
         {"type": "batch", "messages": […]}                  several of the two above
         {"type": "error", "code", "message"}
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare
from redis.exceptions import RedisError

from pipelines.access import Rights
from pipelines.models import Pipeline, Team, User
from runs import live
from runs.models import Run

log = structlog.get_logger(__name__)

MAX_SOCKETS: Final = 50  # of one person in one process
MAX_SUBSCRIPTIONS: Final = 200
MAX_BYTES: Final = 4096  # of one message from the client
MAX_RATE: Final = 20  # messages from the client in one second
EVERY: Final = 0.2  # seconds between two messages to the client
RECHECK: Final = 30.0  # seconds between two looks at what the person may still see, if none is asked for
SPREAD: Final = 2.0  # seconds within which all sockets look when anybody's rights may have changed

# Codes with which a socket is closed, HTTP's after a 4: below 4000 the web server sends none but 1000.
SIGNED_OUT = 4401
TOO_LARGE = 4413
TOO_MANY = 4429
TRY_AGAIN = 4503

Message = dict[str, Any]
Key = tuple[str, str]


class Refused(Exception):
    """A message of the client cannot be followed; ``code`` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Subscription:
    """What a client hears: the groups behind it."""

    groups: set[str] = field(default_factory=set)


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """One socket of one signed-in person."""

    sockets: ClassVar[Counter[int]] = Counter()

    user: User
    counted = False

    # --- coming and going -----------------------------------------------------------------------

    async def connect(self) -> None:
        self.subscriptions: dict[Key, Subscription] = {}
        self.heard: list[float] = []
        self.waiting: dict[Key, Message] = {}
        self.sent_at = 0.0
        self.ended = False
        self.flushing: asyncio.Task[None] | None = None
        self.rechecking: asyncio.Task[None] | None = None
        self.look_again = asyncio.Event()
        self.after = 0.0  # seconds until that look
        user = self.scope.get("user")
        if not isinstance(user, User) or not same_origin(self.scope):
            await self.close()
            return
        if self.sockets[user.pk] >= MAX_SOCKETS:
            await self.close()
            return
        self.user = user
        self.sockets[user.pk] += 1
        self.counted = True
        await self.accept()
        await self._hear_of_rights()
        self.rechecking = asyncio.create_task(self._recheck_for_ever())

    async def disconnect(self, code: int) -> None:
        for task in (self.flushing, self.rechecking):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        if self.counted:
            self.counted = False
            self.sockets[self.user.pk] -= 1
            await self._discard({live.RIGHTS})
        for key in list(self.subscriptions):
            await self._leave(key)

    async def _hear_of_rights(self) -> None:
        try:
            await self.channel_layer.group_add(live.RIGHTS, self.channel_name)
        except (RedisError, OSError) as error:
            log.warning("a browser's rights are looked at by the clock alone", error=str(error))

    # --- what the client says -------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        if self.ended:
            return  # sent before the client knew
        try:
            if text_data is None:
                raise Refused("not-text", "Send text, not bytes.")
            await self._refuse_flood(text_data)
            await self._follow(*_read(text_data))
        except Refused as refused:
            await self._error(refused.code, refused.message)
            if refused.code in CLOSING:
                await self._end(CLOSING[refused.code])

    async def _refuse_flood(self, text: str) -> None:
        if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
            raise Refused("message-too-large", f"A message has at most {MAX_BYTES} bytes.")
        now = time.monotonic()
        self.heard = [moment for moment in self.heard if moment > now - 1.0]
        self.heard.append(now)
        if len(self.heard) > MAX_RATE:
            raise Refused("too-many-messages", f"Send at most {MAX_RATE} messages a second.")

    async def _follow(self, verb: str, kind: str, name: str) -> None:
        key = (kind, name)
        if verb == "unsubscribe":
            await self._leave(key)
            return
        if key not in self.subscriptions and len(self.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise Refused(
                "too-many-subscriptions",
                f"A socket has at most {MAX_SUBSCRIPTIONS} subscriptions: leave some.",
            )
        groups = await self._allowed(kind, name)
        if groups is None:
            raise Refused("not-found", f"There is no such {kind}, or you may not see it.")
        await self._join(key, groups)
        # Read after joining: what happens in between is then told twice rather than never.
        seq = await database_sync_to_async(last_seq)(name) if kind == "run" else None
        await self.send_json({"type": "subscribed", "kind": kind, "id": name, "seq": seq})

    async def _allowed(self, kind: str, name: str) -> set[str] | None:
        found: set[str] | None = await database_sync_to_async(groups_of)(self.user, kind, name)
        return found

    # --- groups ---------------------------------------------------------------------------------

    async def _join(self, key: Key, groups: set[str]) -> None:
        """Hear of ``key`` through exactly these groups."""
        subscription = self.subscriptions.setdefault(key, Subscription())
        old, subscription.groups = subscription.groups, groups
        try:
            for group in groups - old:
                await self.channel_layer.group_add(group, self.channel_name)
        except (RedisError, OSError) as error:
            log.warning("a browser could not be subscribed", error=str(error))
            raise Refused(
                "live-unavailable", "Live messages are not to be had now; connect again."
            ) from error
        await self._discard(old - groups)

    async def _leave(self, key: Key) -> None:
        subscription = self.subscriptions.pop(key, None)
        if subscription is not None:
            await self._discard(subscription.groups)

    async def _discard(self, groups: set[str]) -> None:
        """Leave groups that no other subscription needs."""
        needed = {group for other in self.subscriptions.values() for group in other.groups}
        try:
            for group in groups - needed:
                await self.channel_layer.group_discard(group, self.channel_name)
        except (RedisError, OSError) as error:
            # The socket's channel ends with the socket, and with it what it heard.
            log.debug("a group was not left", error=str(error))

    # --- what the engine says -------------------------------------------------------------------

    async def live_run(self, event: Message) -> None:
        shown = {name: event[name] for name in ("id", "seq", "pipeline", "state")}
        self._tell(("run", event["id"]), {"type": "run", **shown})

    async def live_log(self, event: Message) -> None:
        shown = {name: event[name] for name in ("run", "attempt", "lines")}
        self._tell(("log", event["attempt"]), {"type": "log", **shown})

    def _tell(self, key: Key, message: Message) -> None:
        """Send soon; only the last message of a key counts."""
        if self.ended:
            return
        self.waiting[key] = message
        if self.flushing is None or self.flushing.done():
            self.flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        await asyncio.sleep(max(0.0, self.sent_at + EVERY - time.monotonic()))
        messages, self.waiting = list(self.waiting.values()), {}
        if self.ended:
            return
        self.sent_at = time.monotonic()
        await self.send_json(messages[0] if len(messages) == 1 else {"type": "batch", "messages": messages})
        if self.waiting:  # came while this one was sent
            self.flushing = asyncio.create_task(self._flush())

    # --- what the person may still see ----------------------------------------------------------

    async def live_rights(self, event: Message) -> None:
        users = event["users"]
        if users is None or self.user.pk in users:
            # If it may be anybody, all sockets look, but not all at once.
            self.after = random.uniform(0, SPREAD) if users is None else 0.0  # noqa: S311
            self.look_again.set()

    async def _recheck_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.look_again.wait(), RECHECK)
                await asyncio.sleep(self.after)
            self.look_again.clear()
            try:
                await self.recheck()
            except Exception:
                # Who may see what is not known: better nothing than too much. The page connects again.
                log.exception("a live socket ends because its rights could not be looked at")
                await self._end(TRY_AGAIN)
                return

    async def recheck(self) -> None:
        """End what the person may no longer hear; close the socket of somebody who has signed out."""
        user = await database_sync_to_async(signed_in)(
            self.scope.get("session"), self.user.pk, self.scope["kept_out"]
        )
        if user is None:
            await self._error("signed-out", "You are signed out.")
            await self._end(SIGNED_OUT)
            return
        self.user = user
        for key in list(self.subscriptions):
            groups = await self._allowed(*key)
            if groups is None:
                await self._leave(key)
                await self._error("no-longer-allowed", f"You may no longer see {key[0]} {key[1]}.")
            else:
                await self._join(key, groups)

    async def _end(self, code: int) -> None:
        """Close the socket; nothing may be sent after it."""
        self.ended = True
        await self.close(code)

    async def _error(self, code: str, message: str) -> None:
        await self.send_json({"type": "error", "code": code, "message": message})


# After these the socket ends as well.
CLOSING: Final = {
    "message-too-large": TOO_LARGE,
    "too-many-messages": TOO_MANY,
    "live-unavailable": TRY_AGAIN,
}


def _read(text: str) -> tuple[str, str, str]:
    """Verb, kind and id of a client's message. Raises Refused."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("not-json", "A message is a JSON object.") from None
    if not isinstance(message, dict):
        raise Refused("not-json", "A message is a JSON object.")
    verb, kind, name = (message.get(part) for part in ("verb", "kind", "id"))
    if verb not in ("subscribe", "unsubscribe"):
        raise Refused("unknown-verb", "The verb is subscribe or unsubscribe.")
    if kind not in ("run", "pipeline", "fleet"):
        raise Refused("unknown-kind", "The kind is run, pipeline or fleet.")
    if kind == "fleet":
        if name != "*":
            raise Refused("unknown-id", 'The id of the fleet is "*".')
        return verb, kind, "*"
    try:
        return verb, kind, str(UUID(name))
    except (ValueError, TypeError, AttributeError):
        raise Refused("unknown-id", f"The id of a {kind} is its uuid.") from None


def groups_of(user: User, kind: str, name: str) -> set[str] | None:
    """The channel groups behind a subscription; None when the person may not see the thing."""
    rights = Rights(user)
    if kind == "fleet":
        teams = rights.only(Team.objects.filter(archived_at=None))
        return {f"fleet.{slug}" for slug in teams.values_list("slug", flat=True)}
    model = Run if kind == "run" else Pipeline
    visible = rights.only(model._default_manager.all()).filter(uuid=name).exists()
    return {f"{kind}.{name}"} if visible else None


def last_seq(run: str) -> int | None:
    """The number of a run's last event."""
    return Run.objects.filter(uuid=run).values_list("last_seq", flat=True).first()


def signed_in(
    session: SessionBase | None, user_id: int, kept_out: Callable[[Message, User], bool]
) -> User | None:
    """The person as they are now, if the session that opened the socket still is theirs.

    ``kept_out``: do the rules of signing in keep out somebody with this session?
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or session is None or session.session_key is None:
        return None
    engine = import_module(settings.SESSION_ENGINE)
    now = engine.SessionStore(session.session_key).load()
    same = str(now.get(SESSION_KEY)) == str(user_id)
    digest = str(now.get(HASH_SESSION_KEY, ""))
    theirs = same and constant_time_compare(digest, user.get_session_auth_hash())
    return user if theirs and not kept_out(now, user) else None


def same_origin(scope: Message) -> bool:
    """Whether the page that opens the socket is ours: host *and* port, for cookies know no ports.

    A program without a browser sends no Origin; it has no session that a foreign page could use.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
    origin = headers.get(b"origin")
    if origin is None:
        return True
    trusted = [settings.ORCHESTRATOR["URL"], *settings.CSRF_TRUSTED_ORIGINS]
    ours = {headers.get(b"host", ""), *(urlsplit(address).netloc for address in trusted)}
    return urlsplit(origin).netloc in ours
