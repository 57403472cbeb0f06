"""Which newer run took the place of one that was cancelled, and that its tasks ended for it."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0013_passed")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="replaced_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="runs.run",
            ),
        ),
        *install("runs.sql", "finish", "plans"),
    ]
