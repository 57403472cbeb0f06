"""Who waits waits for a reason: of old versions, and of runs that are paused at the last moment."""

from __future__ import annotations

from django.db import migrations, models

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0014_replaced")]

    operations = [
        migrations.RemoveIndex(model_name="taskrun", name="task_run_wants_slots"),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                fields=["priority", "ready_at", "id"],
                condition=models.Q(
                    ("state__in", ["ready", "retry_wait"]), models.Q(("needs", {}), _negated=True)
                ),
                name="task_run_wants_slots",
            ),
        ),
        *install("runs.sql", "slots", "admission", "claim", "plans"),
    ]
