"""Who was passed by is not forgotten: a task with a reservation, a run that was in quarantine."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0012_claim_waits")]

    operations = [*install("runs.sql", "slots", "admission", "claim", "plans")]
