"""Users of teams, and claims that look at the isolation of a queue."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import pipelines.clock
from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0005_code_snapshot_python"), ("runs", "0003_reuse")]

    operations = [
        migrations.CreateModel(
            name="TaskUser",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.IntegerField(unique=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False),
                ),
                (
                    "team",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pipelines.team"
                    ),
                ),
            ],
            options={"db_table": "task_user"},
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("isolation__in", ("shared user", "own user"))),
                name="queue_isolation_known",
            ),
        ),
        # A number that has belonged to a team belongs to no other, for files of it may be left somewhere.
        migrations.RunSQL("SELECT make_append_only('task_user')"),
        *install("runs.sql", "claim"),
    ]
