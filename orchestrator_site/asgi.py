"""The ASGI application: HTTP to Django, /ws/ to the consumers."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

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


check_signing_key()
django_application = get_asgi_application()

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
