"""SQL that Django cannot say: one file per thing, installed by migrations."""

from __future__ import annotations

from importlib import resources

from django.conf import settings
from django.db import migrations


def application_role() -> str:
    """The database role the product runs as: the user of DATABASE_URL, `orchestrator` by default."""
    return str(settings.DATABASES["default"].get("USER") or "orchestrator")


def read(package: str, name: str) -> str:
    """The text of ``<package>/<name>.sql``; raises ``FileNotFoundError`` when there is none."""
    return resources.files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def install(package: str, *names: str) -> list[migrations.RunSQL]:
    """Migration operations that run the named files of a package, in the given order."""
    return [migrations.RunSQL(read(package, name)) for name in names]


def install_roles() -> list[migrations.RunSQL]:
    """The operation that gives ``application_role()`` in SQL its name, then its rights."""
    quoted = application_role().replace("'", "''")
    return [migrations.RunSQL(read("pipelines.sql", "grants").replace(":application_role", f"'{quoted}'"))]
