"""What a task asks for is counted only where it asks for something."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0010_retention")]

    operations = [*install("runs.sql", "start", "plans")]
