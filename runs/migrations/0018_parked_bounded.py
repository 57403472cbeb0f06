"""Half a million tasks of paused runs are parked and put back in steps, none of which takes longer than a moment."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0017_limits_names")]

    operations = install("runs.sql", "order", "plans")
