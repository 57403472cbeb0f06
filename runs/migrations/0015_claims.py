"""Who waits waits for a reason: of old versions, and of runs that are paused at the last moment."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0014_replaced")]

    operations = [*install("runs.sql", "admission", "claim", "plans")]
