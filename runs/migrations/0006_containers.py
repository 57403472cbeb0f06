"""Queues whose tasks run in containers, and claims that know them."""

from __future__ import annotations

from django.db import migrations, models

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0005_undecided")]

    operations = [
        migrations.AddField(
            model_name="queue",
            name="image",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="queue",
            name="network",
            field=models.BooleanField(default=False),
        ),
        migrations.RemoveConstraint(model_name="queue", name="queue_isolation_known"),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("isolation__in", ("shared user", "own user", "container"))),
                name="queue_isolation_known",
            ),
        ),
        *install("runs.sql", "claim"),
    ]
