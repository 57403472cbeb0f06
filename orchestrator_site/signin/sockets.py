"""The rules of ``middleware.py`` for sockets, which no middleware of Django sees."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from channels.middleware import BaseMiddleware
from django.contrib.auth.models import AnonymousUser

from orchestrator_site.signin.middleware import has_ended, lacks_second_factor


class SignedInMiddleware(BaseMiddleware):
    """Opens a socket for nobody whose session has ended, or who has to set up a second factor first."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if await database_sync_to_async(_kept_out)(scope):
            scope = {**scope, "user": AnonymousUser()}
        return await super().__call__(scope, receive, send)


def _kept_out(scope: dict[str, Any]) -> bool:
    return has_ended(scope["session"]) or lacks_second_factor(scope["user"])
