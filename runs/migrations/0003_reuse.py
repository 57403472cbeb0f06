"""Tasks that take over what an equal one has made: how a rerun was asked for, keys and their documents."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import pipelines.clock
from pipelines.sql import install

# Since planting takes one argument more, the function as it was would stand beside it.
DROP_OLD = "DROP FUNCTION IF EXISTS engine_plant(bigint, bigint, text[], text)"


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_environments")]

    operations = [
        migrations.CreateModel(
            name="TaskKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("document", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False),
                ),
                ("quarantined_at", models.DateTimeField(null=True)),
                ("quarantine_reason", models.TextField(blank=True, db_default="", default="")),
            ],
            options={"db_table": "task_key"},
        ),
        migrations.AddField(
            model_name="run",
            name="rerun_from",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.AddField(
            model_name="run",
            name="reuse",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="taskrun",
            name="cache_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="taskrun",
            name="may_reuse",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="Reuse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("resume_no", models.IntegerField()),
                ("cache_key", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reused_by",
                        to="runs.attempt",
                    ),
                ),
                (
                    "task_run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reuses",
                        to="runs.taskrun",
                    ),
                ),
            ],
            options={"db_table": "task_reuse", "ordering": ["id"]},
        ),
        migrations.AddConstraint(
            model_name="reuse",
            constraint=models.UniqueConstraint(fields=("task_run", "resume_no"), name="task_reuse_once"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("state", "succeeded"), models.Q(("cache_key", ""), _negated=True)),
                fields=["team", "cache_key", "-id"],
                name="attempt_of_key",
            ),
        ),
        migrations.RunSQL(DROP_OLD),
        *install("runs.sql", "settle", "start", "claim", "verbs", "plans", "reuse"),
    ]
