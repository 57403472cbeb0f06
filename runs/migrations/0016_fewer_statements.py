"""A finish looks at groups only where there are any, and a run that has moved under a verb is an error."""

from __future__ import annotations

from django.db import migrations

from pipelines.sql import install


class Migration(migrations.Migration):
    dependencies = [("runs", "0015_claims")]

    operations = install("runs.sql", "settle", "verbs", "plans")
