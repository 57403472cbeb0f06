"""`manage.py secrets ACTION`: the keys that seal stored secrets, changed while everything runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from pipelines import rotation, sealing
from pipelines.errors import Refusal

HELP = """\
Keys of stored secrets. new-key: a fresh one, from now on used for sealing (--print: only print one, for
ORCHESTRATOR_SECRET_KEYS). rotate: seal every secret again with the newest key. check: which key each secret
needs, and whether it can be opened. drop-keys: take keys that nothing needs out of the key file.
"""


class Command(BaseCommand):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["new-key", "rotate", "check", "drop-keys"])
        parser.add_argument("--print", action="store_true", help="print a new key and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["print"]:
            self.stdout.write(sealing.new_key())
            return
        actions: dict[str, Callable[[], None]] = {
            "new-key": self._new_key,
            "rotate": self._rotate,
            "check": self._check,
            "drop-keys": self._drop_keys,
        }
        try:
            actions[options["action"]]()
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        except OperationalError as error:
            raise CommandError(f"The database does not answer; start the product first ({error}).") from None

    def _new_key(self) -> None:
        self.stdout.write(
            f"{sealing.add_key()} seals from now on: `manage.py secrets rotate` brings the rest over."
        )

    def _rotate(self) -> None:
        count = 0
        for done in rotation.rotate():
            count += done
            self.stdout.write(f"{count} …")
        newest = sealing.key_ring().newest
        self.stdout.write(f"{count} secret{'' if count == 1 else 's'} sealed again, all with {newest}.")

    def _check(self) -> None:
        ring = sealing.key_ring()
        rows = list(rotation.keyed())
        for row in rows:
            self.stdout.write(f"{row.team}:{row.name}  {row.key_id}  {row.problem or 'opens'}")
        old = sum(row.key_id != ring.newest for row in rows)
        self.stdout.write(f"The newest key is {ring.newest}; {old} of {len(rows)} needs an older key.")
        if closed := sum(bool(row.problem) for row in rows):
            raise CommandError(f"{closed} secret{'' if closed == 1 else 's'} cannot be opened.", returncode=1)

    def _drop_keys(self) -> None:
        dropped = sealing.keep_only(rotation.keys_in_use())
        self.stdout.write(f"Dropped: {', '.join(dropped)}." if dropped else "Every key is still needed.")
