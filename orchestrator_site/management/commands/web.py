"""`manage.py web`: the web process by itself, for installations whose servers run elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchestrator_site.web import endpoint, serve


class Command(BaseCommand):
    help = "Serve the pages, the API and the WebSocket until TERM."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")

    def handle(self, *args: Any, **options: Any) -> None:
        serve([endpoint(options["host"], options["port"])])
