"""Slots: GPUs and pools as rows, held by attempts; leases that drain."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import pipelines.clock
from pipelines.sql import install

# One takes the slots to hold now, one a reason; with their old arguments they would stand beside themselves.
DROP_OLD = """
    DROP FUNCTION IF EXISTS engine_give(bigint, bigint, timestamptz);
    DROP FUNCTION IF EXISTS engine_cancel(bigint, text);
"""

# Whoever comes from 0.1 has claims that read it before the migration that it belongs to, 0015.
PARKED = "ALTER TABLE task_run ADD COLUMN IF NOT EXISTS parked boolean NOT NULL DEFAULT false"


class Migration(migrations.Migration):
    dependencies = [("runs", "0006_containers")]

    operations = [
        migrations.CreateModel(
            name="Slot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=63)),
                ("host", models.CharField(blank=True, default="", max_length=200)),
                ("device", models.CharField(max_length=100)),
                ("position", models.IntegerField(default=0)),
                ("name", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("memory_mib", models.IntegerField(null=True)),
                (
                    "holder",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="slots",
                        to="runs.attempt",
                    ),
                ),
                (
                    "registered_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="runs.workerlease",
                    ),
                ),
                (
                    "reserved_for",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="runs.taskrun",
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False),
                ),
            ],
            options={
                "db_table": "slot",
                "ordering": ["kind", "host", "position", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=["kind", "device"], name="slot_once"),
                    models.CheckConstraint(
                        condition=(models.Q(kind="gpu") & ~models.Q(host=""))
                        | (~models.Q(kind="gpu") & models.Q(host="")),
                        name="slot_device_or_pool",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AttemptSlot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held",
                        to="runs.attempt",
                    ),
                ),
                (
                    "slot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="history", to="runs.slot"
                    ),
                ),
                (
                    "taken_at",
                    models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False),
                ),
            ],
            options={
                "db_table": "attempt_slot",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=["attempt", "slot"], name="attempt_slot_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                condition=models.Q(("state__in", ["ready", "retry_wait"])) & ~models.Q(("needs", {})),
                fields=["ready_at"],
                name="task_run_wants_slots",
            ),
        ),
        migrations.RunSQL("SELECT make_append_only('attempt_slot')"),
        migrations.RunSQL(DROP_OLD),
        migrations.RunSQL(PARKED, migrations.RunSQL.noop),
        # Claim and start need what the next migration makes, and are called meanwhile: they come with it.
        *install("runs.sql", "order", "slots", "give", "finish", "verbs", "plans"),
    ]
