import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0002_engine"),
    ]

    operations = [
        # Rows say only what is on the disk, and are written again when it is next looked at; an old row
        # cannot have the random uuid that new ones get.
        migrations.RunSQL("DELETE FROM environment", migrations.RunSQL.noop),
        migrations.AlterModelOptions(name="environment", options={"ordering": ["-id"]}),
        migrations.AlterField(
            model_name="environment", name="lock_sha256", field=models.CharField(max_length=64)
        ),
        migrations.AlterField(
            model_name="environment",
            name="python",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.AddField(
            model_name="environment",
            name="uuid",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
        migrations.AddField(
            model_name="environment",
            name="wanted",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
        migrations.AddField(
            model_name="environment",
            name="progress",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="environment", name="problem", field=models.TextField(blank=True, default="")
        ),
        migrations.AddField(
            model_name="environment",
            name="problem_code",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.AddField(model_name="environment", name="sizes", field=models.JSONField(default=dict)),
        migrations.AddField(model_name="environment", name="packages", field=models.JSONField(default=list)),
        migrations.AddField(
            model_name="environment", name="preload_problems", field=models.JSONField(default=dict)
        ),
        migrations.AddField(model_name="environment", name="build", field=models.IntegerField(default=0)),
        migrations.AddField(
            model_name="environment",
            name="builder",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="environment", name="started_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(model_name="environment", name="used_at", field=models.DateTimeField(null=True)),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(fields=("lock_sha256", "wanted"), name="environment_once"),
        ),
    ]
