"""Where archived logs lie, which partitions were dropped, and the functions that drop them."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import pipelines.clock
from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_admission")]

    operations = [
        migrations.CreateModel(
            name="LogArchive",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("lines", models.IntegerField()),
                ("members", models.JSONField()),
                ("archived_at", models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False)),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log_archive",
                        to="runs.attempt",
                    ),
                ),
            ],
            options={"db_table": "log_archive"},
        ),
        migrations.CreateModel(
            name="DroppedPartition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table_name", models.CharField(max_length=32)),
                ("first_run", models.BigIntegerField()),
                ("end_run", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("dropped_at", models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False)),
            ],
            options={
                "db_table": "dropped_partition",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("table_name", "first_run"), name="dropped_partition_once")
                ],
            },
        ),
        *install("runs.sql", "retention", "dropping"),
    ]
