"""Runs that wait for others of their pipeline; tasks in quarantine."""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pipelines.clock
from pipelines.sql import install


def refers(to: str, **given: bool) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=to, **given)


class Migration(migrations.Migration):
    dependencies = [
        ("pipelines", "0012_paused"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("runs", "0008_order"),
    ]

    operations = [
        migrations.CreateModel(
            name="Quarantine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("task_key", models.CharField(max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False),
                ),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("comment", models.TextField(blank=True, default="")),
                ("lifted_by", refers(settings.AUTH_USER_MODEL, blank=True, null=True)),
                ("task_run", refers("runs.taskrun")),
                ("team", refers("pipelines.team")),
                ("version", refers("pipelines.pipelineversion", db_index=False)),
            ],
            options={"db_table": "quarantine", "ordering": ["-id"]},
        ),
        migrations.AddConstraint(
            model_name="quarantine",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)),
                fields=("version", "task_key"),
                name="quarantine_once",
            ),
        ),
        *install("runs.sql", "admission", "slots", "start", "verbs", "plans"),
    ]
