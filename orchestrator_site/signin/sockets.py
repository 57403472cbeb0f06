"""The rules of ``middleware.py`` for sockets, which no middleware of Django sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.db import database_sync_to_async
from channels.middleware import BaseMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase

from orchestrator_site.signin.middleware import has_ended, lacks_second_factor
from pipelines.models import User


class SignedInMiddleware(BaseMiddleware):
    """Opens a socket for nobody whose session has ended, or who has to set up a second factor first.

    The scope's ``kept_out`` lets the socket ask again while it is open.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        scope = {**scope, "kept_out": _kept_out}
        if await database_sync_to_async(_kept_out)(scope["session"], scope["user"]):
            scope["user"] = AnonymousUser()
        return await super().__call__(scope, receive, send)


def _kept_out(session: SessionBase | Mapping[str, Any], user: User | AnonymousUser) -> bool:
    return has_ended(session) or lacks_second_factor(user)
