"""`manage.py token NAME`: prints one fresh token of a person, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from pipelines import tokens
from pipelines.access import SCOPES
from pipelines.errors import Refusal
from pipelines.models import Team, User


class Command(BaseCommand):
    help = "Print a fresh API token of a person. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--team", help="limit the token to one team")
        parser.add_argument("--scopes", default=",".join(SCOPES), help=f"of {','.join(SCOPES)}")
        parser.add_argument("--days", type=int, default=90, help="how long it lives")
        parser.add_argument("--name", default="made by manage.py token")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except OperationalError as error:
            raise CommandError(f"The database does not answer; start the product first ({error}).") from None

    def _handle(self, options: dict[str, Any]) -> None:
        person = User.objects.filter(username=options["username"], is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active person '{options['username']}'.")
        team = self._team(options["team"])
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            _, text = tokens.issue(
                person, name=options["name"], team=team, scopes=scopes, life=timedelta(days=options["days"])
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(text)

    def _team(self, slug: str | None) -> Team | None:
        if slug is None:
            return None
        team = Team.objects.filter(slug=slug).first()
        if team is None:
            raise CommandError(f"There is no team '{slug}'.")
        return team
