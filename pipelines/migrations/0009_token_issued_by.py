import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Who issued the tokens there are is in the audit chain.
FROM_THE_CHAIN = """
UPDATE api_token SET issued_by_id = e.actor_id
FROM audit_event e WHERE e.verb = 'token.issue' AND e.object_uuid = api_token.uuid
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pipelines", "0008_snapshot_of_commit"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="issued_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(FROM_THE_CHAIN, migrations.RunSQL.noop),
    ]
