"""A claim that has waited for a run hands out nothing of it when the run has ended meanwhile."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0011_amounts")]

    operations = [*install("runs.sql", "claim", "plans")]
