"""Paused pipelines are found by an index: every claim asks for them."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pipelines", "0011_preload_given")]

    operations = [
        migrations.AddIndex(
            model_name="pipeline",
            index=models.Index(
                fields=["id"], condition=models.Q(("paused_at__isnull", False)), name="pipeline_paused"
            ),
        ),
    ]
