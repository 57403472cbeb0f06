"""Rows of sign-in that have no history: the application may delete them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("pipelines", "0002_rules"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
        ("usersessions", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            "SELECT allow_delete('mfa_authenticator', 'usersessions_usersession', "
            "'socialaccount_socialaccount', 'socialaccount_socialtoken')",
            migrations.RunSQL.noop,
        )
    ]
