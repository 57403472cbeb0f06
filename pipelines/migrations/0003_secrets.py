import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pipelines.clock


class Migration(migrations.Migration):
    dependencies = [
        ("pipelines", "0002_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="Secret",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=63)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("value", "stored here, encrypted"),
                            ("environment", "an environment variable of the worker"),
                            ("file", "a file on the worker's machine"),
                        ],
                        default="value",
                        max_length=16,
                    ),
                ),
                ("address", models.CharField(blank=True, default="", max_length=255)),
                ("version", models.IntegerField(default=1)),
                ("ciphertext", models.BinaryField(default=bytes)),
                ("key_id", models.CharField(blank=True, default="", max_length=16)),
                ("created_at", models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False)),
                ("changed_at", models.DateTimeField(db_default=pipelines.clock.EngineNow(), editable=False)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="secrets",
                        to="pipelines.team",
                    ),
                ),
            ],
            options={
                "db_table": "secret",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("archived_at", None)),
                        fields=("team", "name"),
                        name="secret_name_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["value", "environment", "file"])),
                        name="secret_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ciphertext", b""), ("key_id", "")),
                            models.Q(
                                models.Q(("ciphertext", b""), _negated=True),
                                models.Q(("key_id", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="secret_sealed_whole",
                    ),
                ],
            },
        ),
    ]
