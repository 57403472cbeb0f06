"""`manage.py write_schema`: writes the API contract that the frontend's types are made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

PLACE = Path("frontend", "src", "api", "schema.json")


class Command(BaseCommand):
    help = f"Write the API contract to {PLACE}; the same code always writes the same bytes."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when it would change")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / PLACE
        text = schema_text()
        if options["check"]:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                raise CommandError(f"{PLACE} is not what the code says: run manage.py write_schema.")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"Wrote {PLACE}.")


def schema_text() -> str:
    """The contract as JSON, keys sorted. CommandError when the API does not describe itself fully."""
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)
    faults = [*GENERATOR_STATS._error_cache, *GENERATOR_STATS._warn_cache]
    if faults:
        raise CommandError("The API is not fully described:\n" + "\n".join(sorted(map(str, faults))))
    validate_schema(schema)
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
