"""`manage.py store ACTION`: looks after the bytes of the store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from lineage import locations, retention, tenants
from pipelines.store import Found, Store, StoreError, configured, copying

HELP = """\
The store. check: hash everything again, and look for what records speak of. garbage: what nothing refers to;
with --remove it is put aside, and what was put aside a grace ago is removed. copy TO: everything into another
store, a folder or s3://bucket/prefix?endpoint=…; may be stopped and started again. tidy: remove what broken
uploads left.
"""
SHOWN = 20
SHORTEST = 1.0  # hours: bytes may be stored that long before the row that refers to them is committed


class Command(BaseCommand):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["check", "garbage", "copy", "tidy"])
        parser.add_argument("to", nargs="?", help="the address that copy copies to")
        parser.add_argument("--remove", action="store_true", help="garbage: do it, instead of listing it")
        parser.add_argument(
            "--grace", type=float, help="garbage: hours for which everything stays (ORCHESTRATOR_STORE_GRACE)"
        )
        parser.add_argument(
            "--sole-user", action="store_true", help="garbage: no other installation uses this store any more"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["action"] == "copy") != bool(options["to"]):
            raise CommandError("Say where to: `manage.py store copy TO`; the other actions take no address.")
        try:
            with configured.store() as store:
                getattr(self, f"_{options['action']}")(store, options)
        except (StoreError, retention.Unknown, tenants.Shared) as problem:
            raise CommandError(str(problem), returncode=1) from None
        except OperationalError as error:
            raise CommandError(f"The database does not answer; start the product first ({error}).") from None

    def _check(self, store: Store, options: dict[str, Any]) -> None:
        count = wrong = 0
        seen: set[str] = set()
        for found, problem in copying.damaged(store, store.listed()):
            count += 1
            seen.add(found.sha256)
            if problem:
                wrong += 1
                self.stdout.write(f"DAMAGED  {problem}")
        for sha256 in retention.missing(store, seen.__contains__):
            wrong += 1
            self.stdout.write(f"MISSING  {sha256}")
        self.stdout.write(f"{files(count)} hashed again, {wrong} damaged or missing.")
        if wrong:
            raise CommandError("The store is not whole.", returncode=1)

    def _garbage(self, store: Store, options: dict[str, Any]) -> None:
        hours = settings.ORCHESTRATOR["STORE_GRACE"] if options["grace"] is None else options["grace"]
        done = options["remove"]
        if done:
            self._may_remove(store, hours, options["sole_user"])
        planned = retention.plan(store, timedelta(hours=hours))
        if done:
            retention.carry_out(store, planned)
        self._list("Removed" if done else "Would be removed", planned.remove)
        self._list("Brought back" if done else "Would be brought back", planned.restore)
        self._list("Put aside" if done else "Would be put aside", planned.aside)
        if planned.twice:
            self._list("In the trash too, until nothing refers to it", planned.twice)
        if not done and (planned.remove or planned.aside):
            self.stdout.write(
                f"Nothing was changed: --remove does it. What is put aside stays for {hours:g} h."
            )

    def _may_remove(self, store: Store, hours: float, is_sole_user: bool) -> None:
        """Raises CommandError, Shared."""
        if hours < SHORTEST:
            raise CommandError(
                f"A grace of {hours:g} hours would remove what is being stored at this moment: --remove "
                f"takes at least {SHORTEST:g} hour (--grace, ORCHESTRATOR_STORE_GRACE)."
            )
        if is_sole_user:
            tenants.forget_others(store)
        tenants.be_alone(store)

    def _list(self, what: str, found: list[Found]) -> None:
        size = sum(one.size for one in found)
        self.stdout.write(f"{what}: {files(len(found))}, {size / 1024**2:,.1f} MiB.")
        for one in found[:SHOWN]:
            self.stdout.write(f"  {one.sha256}  {one.size:,} bytes")
        if len(found) > SHOWN:
            self.stdout.write(f"  … and {len(found) - SHOWN:,} more")

    def _copy(self, store: Store, options: dict[str, Any]) -> None:
        with configured.store(options["to"]) as target:
            target.check()
            new = there = wrong = 0
            for batch in copying.copy(store, target):
                new += sum(one.new for one in batch)
                wrong += sum(bool(one.problem) for one in batch)
                for one in batch:
                    if one.problem:
                        self.stdout.write(f"NOT COPIED  {one.problem}")
                locations.add(target, [one.found.sha256 for one in batch if not one.problem])
                there += len(batch)
                self.stdout.write(f"{there} …")
        self.stdout.write(
            f"{files(new)} copied, {there - new - wrong} were there. To move, stop everything, copy once "
            "more, set ORCHESTRATOR_STORE to the new address and start again."
        )
        if wrong:
            raise CommandError(f"{files(wrong)} could not be copied.", returncode=1)

    def _tidy(self, store: Store, options: dict[str, Any]) -> None:
        self.stdout.write(f"{store.tidy()} broken uploads and halves of files removed.")


def files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"
