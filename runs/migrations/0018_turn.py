"""Whose turn it is is asked of a function, whose plan does not depend on what the planner believes."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0017_limits_names")]

    operations = install("runs.sql", "order", "plans")
