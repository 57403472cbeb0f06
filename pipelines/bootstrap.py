"""What a fresh installation begins with: its first admin, and the demo. Safe to repeat at every start."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from django.conf import settings

from pipelines import people
from pipelines.models import Role, Team, User

ADMIN: Final = "admin"
DEMO: Final = "demo"
DEMO_FOLDER: Final = Path(__file__).resolve().parent / "demo"


def first_admin() -> str | None:
    """Make the site admin `admin` when there is no site admin yet. The password when it was made up here."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    given = settings.ORCHESTRATOR["ADMIN_PASSWORD"]
    password = given or secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN, email=settings.ORCHESTRATOR["ADMIN_EMAIL"], password=password)
    return None if given else password


def site_admin() -> User:
    """The first site admin, whom the demo belongs to."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("id")[0]


def demo_team() -> str | None:
    """The team `demo`, in which the first admin has every role, and its code location."""
    admin = site_admin()
    team = Team.objects.filter(slug=DEMO).first()
    if team is None:
        team = people.make_team(DEMO, "Demo", actor=admin)
        people.set_roles(team, admin, Role.values, actor=admin)
    sync_demo_code(team, admin)
    return None
