"""What is paused or too wide costs those that wait beside it nothing, and a pause misses no claim."""

from __future__ import annotations

from django.db import migrations, models

from pipelines.sql import install

PARKED = "ALTER TABLE task_run ADD COLUMN IF NOT EXISTS parked boolean NOT NULL DEFAULT false"


class Migration(migrations.Migration):
    dependencies = [("runs", "0014_replaced")]

    operations = [
        # Claims read it from 0008 on: who comes from 0.1 has it since 0007.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PARKED, migrations.RunSQL.noop)],
            state_operations=[
                migrations.AddField(
                    model_name="taskrun",
                    name="parked",
                    field=models.BooleanField(db_default=False, default=False),
                )
            ],
        ),
        migrations.RemoveIndex(model_name="taskrun", name="task_run_in_line"),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                fields=["queue", "team", "priority", "parked", "ready_at", "id"],
                condition=models.Q(("state__in", ["ready", "retry_wait"])),
                name="task_run_in_line",
            ),
        ),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(fields=["run"], condition=models.Q(("parked", True)), name="task_run_parked"),
        ),
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
        *install("runs.sql", "slots", "order", "admission", "claim", "dropping", "plans"),
    ]
