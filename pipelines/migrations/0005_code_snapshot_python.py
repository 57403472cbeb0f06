from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipelines", "0004_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="codesnapshot",
            name="python",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
    ]
