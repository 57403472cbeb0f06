"""The ASGI application: HTTP to Django, /ws/ to the consumers."""

from __future__ import annotations

import os

import django
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")


def check_signing_key() -> None:
    """Raises ImproperlyConfigured when there is nothing to sign sessions with."""
    try:
        _ = settings.SECRET_KEY
    except ImproperlyConfigured:
        raise ImproperlyConfigured(
            "ORCHESTRATOR_SECRET_KEY is not set: with DATABASE_URL given, set it (or "
            "ORCHESTRATOR_SECRET_KEY_FILE) to 50 random characters, the same in every web process."
        ) from None


class HttpHandler(ASGIHandler):
    """Django's, with the middleware in the thread of the view.

    All of ours is synchronous. Django would go back to the event loop between middleware and view, and to the
    thread again: two changes of threads in each request, and each waits for its turn at the interpreter.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


check_signing_key()
django.setup(set_prefix=False)
django_application = HttpHandler()

# Consumers import models, which must not be imported before Django is set up above.
from orchestrator_site.signin.sockets import SignedInMiddleware  # noqa: E402
from orchestrator_site.sockets import websocket_urlpatterns  # noqa: E402

live = AuthMiddlewareStack(SignedInMiddleware(URLRouter(websocket_urlpatterns)))

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(live),
    }
)
