"""What the database itself holds: roles and rights, append-only tables, the audit chain."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install, install_roles


class Migration(migrations.Migration):
    # The tables of the libraries come first, as the rights to delete in them are given here.
    dependencies = [
        ("pipelines", "0001_initial"),
        ("sessions", "__latest__"),
        ("account", "__latest__"),
        ("admin", "__latest__"),
        ("knox", "__latest__"),
    ]

    operations = [*install_roles(), *install("pipelines.sql", "append_only", "audit")]
