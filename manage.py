#!/usr/bin/env python
"""The commands that need the machine: up, migrate, worker, sweep, token, …"""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        raise SystemExit(
            "Django is not installed here: run `make setup`, then .venv/bin/python manage.py …"
        ) from None
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
