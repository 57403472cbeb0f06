"""What the console calls the limits of teams. Nothing in the database changes."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("runs", "0016_fewer_statements")]

    operations = [
        migrations.AlterModelOptions(
            name="teamlimits",
            options={
                "ordering": ["team", "queue"],
                "verbose_name": "limits of a team",
                "verbose_name_plural": "limits of teams",
            },
        ),
    ]
