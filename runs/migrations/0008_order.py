"""Tasks wait in lines by team and priority; what a team may have at a time."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from pipelines.sql import install

# Amounts alone stand in `needs` from now on. A run that has succeeded begins nothing any more.
FILL = """
    UPDATE task_run t SET team_id = r.team_id,
        needs = CASE WHEN r.state = 'succeeded' THEN t.needs ELSE engine_amounts(t.needs) END
    FROM run r WHERE r.id = t.run_id
"""
OPEN = models.Q(("state__in", ["queued", "running", "cancelling"]))


def team(**given: bool) -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="pipelines.team",
        **given,
    )


class Migration(migrations.Migration):
    dependencies = [("runs", "0007_slots"), ("pipelines", "0012_paused")]

    operations = [
        migrations.AddField(model_name="taskrun", name="team", field=team(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(model_name="taskrun", name="team", field=team()),
        migrations.RemoveIndex(model_name="taskrun", name="task_run_runnable"),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                fields=["queue", "team", "priority", "ready_at", "id"],
                condition=models.Q(("state__in", ["ready", "retry_wait"])),
                name="task_run_in_line",
            ),
        ),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                fields=["team", "queue"], condition=models.Q(("state", "running")), name="task_run_running"
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["pipeline", "id"], condition=OPEN, name="run_open_of_pipeline"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["team"], condition=OPEN, name="run_open_of_team"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["id"], condition=models.Q(("paused_at__isnull", False)), name="run_paused"
            ),
        ),
        migrations.CreateModel(
            name="TeamLimits",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("queue", models.CharField(blank=True, default="", max_length=63)),
                ("active_runs", models.IntegerField(blank=True, null=True)),
                ("queued_tasks", models.IntegerField(blank=True, null=True)),
                ("running_tasks", models.IntegerField(blank=True, null=True)),
                ("weight", models.FloatField(blank=True, null=True)),
                (
                    "team",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="limits",
                        to="pipelines.team",
                    ),
                ),
            ],
            options={"db_table": "team_limits", "ordering": ["team", "queue"]},
        ),
        migrations.AddConstraint(
            model_name="teamlimits",
            constraint=models.UniqueConstraint(fields=("team", "queue"), name="team_limits_once"),
        ),
        migrations.AddConstraint(
            model_name="teamlimits",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("queue", ""), models.Q(("active_runs", None), ("queued_tasks", None)), _connector="OR"
                ),
                name="team_limits_of_queue",
            ),
        ),
        migrations.AddConstraint(
            model_name="teamlimits",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight", None), ("weight__gt", 0), _connector="OR"),
                name="team_limits_weight",
            ),
        ),
        *install("runs.sql", "order", "start", "claim", "plans"),
    ]
