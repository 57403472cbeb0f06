"""Records of tasks that took over a result: no attempt of their own, and uses of a third direction."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lineage", "0002_seals"), ("runs", "0003_reuse")]

    operations = [
        migrations.AlterField(
            model_name="record",
            name="attempt",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="record",
                to="runs.attempt",
            ),
        ),
        migrations.AddField(
            model_name="record",
            name="reused_from",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reuse_records",
                to="runs.attempt",
            ),
        ),
        migrations.AddField(
            model_name="recordermark",
            name="reuse_id",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("attempt__isnull", True), ("reused_from__isnull", True), _connector="XOR"
                ),
                name="record_of_attempt_or_reuse",
            ),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.UniqueConstraint(
                condition=models.Q(("attempt", None)),
                fields=("task_run", "resume_no"),
                name="record_of_reuse_once",
            ),
        ),
        migrations.RemoveConstraint(model_name="use", name="use_direction_known"),
        migrations.AddConstraint(
            model_name="use",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", [0, 1, 2])), name="use_direction_known"
            ),
        ),
    ]
