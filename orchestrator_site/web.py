"""The web process: daphne with the ASGI application. Only it imports daphne and has a database pool."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import connections

from orchestrator_site.processes import hide_memory


def open_pool() -> None:
    """Let this process's connections come from a pool. Must precede the first one; never before a fork."""
    connections.databases["default"].setdefault("OPTIONS", {})["pool"] = dict(settings.WEB_DATABASE_POOL)


def endpoint(host: str, port: int) -> str:
    """Twisted's description of a TCP address."""
    interface = host.strip("[]").replace(":", r"\:")
    return f"tcp:port={port}:interface={interface}"


def load() -> None:
    """Import what serving needs. Installs Twisted's reactor, so in the web process only."""
    import daphne.server  # noqa: F401


def fail(request: Any, exception: Exception) -> None:
    """What daphne does after an exception; an answer that has begun is cut off, never taken for a whole one.

    Daphne itself would begin a second answer, fail in that, and look after no request from then on.
    """
    if request._response_started:
        request.loseConnection()
    else:
        request.basic_error(500, b"Internal Server Error", "Exception inside application.")


def name_statuses() -> None:
    """Twisted knows fewer statuses than HTTP has: 422 and 429 would be "Unknown Status"."""
    from twisted.web.http import RESPONSES

    for status in HTTPStatus:
        RESPONSES.setdefault(status.value, status.phrase.encode())


def serve(endpoints: list[str], ready: Callable[[], None] | None = None) -> None:
    """Serve until TERM. `ready` is called once requests are answered."""
    hide_memory()
    open_pool()
    from daphne.http_protocol import WebRequest
    from daphne.server import Server

    from orchestrator_site.asgi import application

    WebRequest.handle_exception = fail
    name_statuses()
    options: dict[str, Any] = {"ready_callable": ready, "server_name": "orchestrator"}
    if settings.HTTPS:
        options["proxy_forwarded_proto_header"] = "X-Forwarded-Proto"
    Server(application, endpoints=endpoints, application_close_timeout=3, verbosity=0, **options).run()


def serve_socket(descriptor: int, ready: Callable[[], None] | None = None) -> None:
    """Serve on a socket that listens already."""
    serve([f"fd:fileno={descriptor}"], ready)
