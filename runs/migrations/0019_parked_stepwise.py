"""Tasks are parked and put back by their numbers, whatever the planner thinks of the tables."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0018_parked_bounded")]

    operations = install("runs.sql", "order", "plans")
