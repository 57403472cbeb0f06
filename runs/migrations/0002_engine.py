"""What the database itself holds: partitions, the moves it allows, and the verbs of the engine."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install
from runs.states import all_triggers_sql


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial"), ("pipelines", "0002_rules")]

    operations = [
        *install("runs.sql", "partitions", "append_only"),
        migrations.RunSQL(all_triggers_sql()),
        *install("runs.sql", "settle", "start", "claim", "finish", "verbs", "plans"),
    ]
