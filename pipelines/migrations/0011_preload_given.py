from django.db import migrations, models

# Whether a location's modules were said at its registration or by its code is not known: nothing is dropped.
AS_IT_IS = "UPDATE code_location SET preload_given = preload"


class Migration(migrations.Migration):
    dependencies = [
        ("pipelines", "0010_second_factors_bound"),
    ]

    operations = [
        migrations.AddField(
            model_name="codelocation",
            name="preload_given",
            field=models.JSONField(default=list),
        ),
        migrations.RunSQL(AS_IT_IS, migrations.RunSQL.noop),
    ]
