"""What a fresh installation begins with: its first admin, and the demo. Safe to repeat at every start.

The demo's endpoint belongs to a higher app, which makes it between ``demo_team`` and ``demo_pipelines``.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from pipelines import audit, checking, code, drafts, people, versions
from pipelines.models import CodeLocation, Pipeline, Role, Team, User

ADMIN: Final = "admin"
DEMO: Final = "demo"
HERE: Final = Path(__file__).resolve().parent
DEMO_CODE: Final = HERE / "demo_code"
DEMO_DOCUMENTS: Final = HERE / "demo"
LOCK_FILE: Final = "requirements.lock"
# What a person says of a pipeline beside its text.
DEMO_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "digits-training": {
        "purpose": "Reads handwritten digits; shows how data become a deployed model.",
        "runbook": "Run it, read the log, approve, and open the deployment digits-prod.",
        "tags": ["demo", "vision"],
    },
    "cancer-nightly": {
        "purpose": "Retrains a classifier of tumours on the night's data.",
        "runbook": "When the check stops it, read the rows it names; corrupt_share breaks them on purpose.",
        "tags": ["demo", "nightly"],
    },
}


def first_admin() -> str | None:
    """Make the site admin `admin` when there is no site admin yet. The password when it was made up here."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    given = settings.ORCHESTRATOR["ADMIN_PASSWORD"]
    password = given or secrets.token_urlsafe(12)
    with transaction.atomic():
        admin = User.objects.create_superuser(
            ADMIN, email=settings.ORCHESTRATOR["ADMIN_EMAIL"], password=password
        )
        audit.write(None, "person.create", admin, {"username": ADMIN, "site_admin": True}, team=None)
    return None if given else password


def site_admin() -> User:
    """The first site admin, to whom the demo belongs."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("id")[0]


def demo_team() -> None:
    """The team `demo`, in which the first admin has every role, and its code as it is shipped."""
    admin = site_admin()
    team = Team.objects.filter(slug=DEMO).first()
    if team is None:
        team = people.make_team(DEMO, "Demo", actor=admin)
        people.set_roles(team, admin, Role.values, actor=admin)
    _demo_code(team, admin)


def _demo_code(team: Team, admin: User) -> CodeLocation:
    """The location `demo`; its folder moves with the installation, and a new release syncs by itself."""
    location = CodeLocation.objects.filter(team=team, name=DEMO).first()
    if location is None:
        return code.register(team, DEMO, str(DEMO_CODE), actor=admin, lock_file=LOCK_FILE)
    if location.address != str(DEMO_CODE):
        location.address = str(DEMO_CODE)
        location.save(update_fields=["address"])
    code.sync(location, actor=None)
    return location


def demo_pipelines() -> str | None:
    """Publish each demo pipeline that the team does not have yet. A sentence about what was made, or None.

    One that is there is left alone, archived or changed as it may be: it is the team's now.
    """
    admin, team = site_admin(), Team.objects.get(slug=DEMO)
    known = set(Pipeline.objects.filter(team=team).values_list("name", flat=True))
    texts = [path.read_text(encoding="utf-8") for path in sorted(DEMO_DOCUMENTS.glob("*.yaml"))]
    made = [_demo_pipeline(team, admin, text) for text in texts if checking.name_in(text) not in known]
    return f"The demo has {len(made)} pipelines in the team {DEMO}." if made else None


@transaction.atomic
def _demo_pipeline(team: Team, admin: User, text: str) -> Pipeline:
    name = checking.name_in(text)
    if name is None:
        raise ValueError("a document of the demo has no name")
    pipeline = drafts.create(team, name, actor=admin, text=text, **DEMO_FIELDS.get(name, {}))
    versions.publish(pipeline, actor=admin, message="Shipped with the product.")
    return pipeline
