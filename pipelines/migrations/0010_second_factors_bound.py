from __future__ import annotations

from typing import Any

from django.db import migrations

from pipelines import sealing
from pipelines.errors import Conflict

FIELDS = ("secret", "seed")
OF_ANYBODY = sealing.Owner(team="", name="second factor", version=0)


def bind(apps: Any, schema_editor: Any) -> None:
    """Seal each second factor for its person. Those that do not open stay: `secrets check` names them."""
    for row in apps.get_model("mfa", "Authenticator").objects.order_by("pk"):
        owner = sealing.Owner(team="", name=f"second factor of account {row.user_id}", version=0)
        try:
            row.data |= {name: sealed_for(owner, row.data[name]) for name in FIELDS if name in row.data}
        except Conflict:
            continue
        row.save(update_fields=["data"])


def sealed_for(owner: sealing.Owner, stored: str) -> str:
    ring = sealing.key_ring()
    key_id, _, ciphertext = stored.partition(":")
    sealed = ring.seal(ring.open(sealing.Sealed(ciphertext.encode(), key_id), OF_ANYBODY), owner)
    return f"{sealed.key_id}:{sealed.ciphertext.decode()}"


class Migration(migrations.Migration):
    dependencies = [
        ("mfa", "0003_authenticator_type_uniq"),
        ("pipelines", "0009_token_issued_by"),
    ]

    operations = [
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]
