"""Whether results are taken over is decided for many tasks at once, and goes on after the start of a run."""

from __future__ import annotations

from django.db import migrations, models

from pipelines.sql import install

# They take arrays now; with other arguments the functions as they were would stand beside them.
DROP_OLD = """
    DROP FUNCTION IF EXISTS engine_judged(bigint, boolean);
    DROP FUNCTION IF EXISTS engine_reuse(bigint, bigint, text);
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0004_task_users")]

    operations = [
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                fields=["run"],
                condition=models.Q(("may_reuse", True), ("state", "pending")),
                name="task_run_undecided",
            ),
        ),
        migrations.RunSQL(DROP_OLD),
        *install("runs.sql", "verbs", "plans"),
    ]
