"""Who may call the addresses of ``pipelines``."""

from __future__ import annotations

from pipelines import code, drafts, people, repositories
from pipelines.bootstrap import DEMO_CODE
from pipelines.models import ApiToken, Grant
from tests.factories import SMALL, make_published, make_secret, make_token
from tests.orchestrator_site.authorisation.base import EDITOR, MARK, NOBODY, Line, World, lent, listed, seen

DRAFT = {"document": SMALL + "# changed\n"}
NEW_PIPELINE = {"name": "fresh", "team": "alpha"}
PIPELINE = "/api/v1/pipelines/alpha:small/"
LOCATION = "/api/v1/code-locations/{location}/"
LOCATIONS = "/api/v1/code-locations/"
REPOSITORY = "/api/v1/code-locations/{repository}/"
SECRET = "/api/v1/secrets/{secret}/"
ACCOUNTS = "/api/v1/service-accounts/"
ACCOUNT = f"{ACCOUNTS}{MARK}/"
GRANTS = "/api/v1/grants/"
NEW_ACCOUNT = {"team": "alpha", "username": "fresh", "roles": ["viewer"]}
ADMIN = frozenset({"admin"})
NEW_SECRET = {"name": "fresh", "team": "alpha", "value": "open-sesame"}


def prepare(world: World) -> None:
    version = make_published(SMALL.replace("A small pipeline", MARK), team=world.team, owner=world.editor)
    drafts.save_draft(version.pipeline, SMALL.replace("A small", MARK), actor=world.editor)
    location = code.register(world.team, MARK, str(DEMO_CODE), actor=None)
    where = f"https://code.example.org/{MARK}.git"
    repository = repositories.register(world.team, f"{MARK}-git", where, actor=world.editor)
    world.names |= {"location": str(location.uuid), "repository": str(repository.uuid)}
    world.names["code_folder"] = str(DEMO_CODE)
    make_token(world.editor, team=world.team)
    secret = make_secret(world.team, description=MARK)
    world.lend(version.pipeline, "view", "run")
    world.lend(location)
    world.lend(secret)
    account = people.make_service_account(world.team, MARK, actor=world.editor)
    make_token(account, team=world.team)
    world.names |= {
        "secret": str(secret.uuid),
        "grant": str(Grant.objects.get(object_uuid=secret.uuid).uuid),
        "account_token": str(ApiToken.objects.get(user=account).uuid),
    }


def new_grant(world: World) -> dict[str, object]:
    return {"kind": "secret", "object": world.names["secret"], "team": "others", "verb": "use"}


def new_location(world: World) -> dict[str, str]:
    return {"team": "alpha", "name": "fresh", "address": world.names["code_folder"]}


def new_member(world: World) -> dict[str, object]:
    return {"team": "alpha", "username": "stranger", "roles": ["viewer"]}


LINES: dict[tuple[str, str], Line] = {
    # Oneself: everybody who is signed in, however narrow the token.
    ("api/v1/me/", "GET"): listed("/api/v1/me/"),
    ("api/v1/teams/", "GET"): listed("/api/v1/teams/"),
    ("api/v1/teams/", "POST"): Line(
        "/api/v1/teams/",
        NOBODY,
        201,
        "manage",
        {"slug": "fresh", "name": "Fresh"},
        stranger=403,
        site_admin=201,
    ),
    ("api/v1/members/", "GET"): Line("/api/v1/members/?team=alpha", stranger=422, wrong_scope=422),
    ("api/v1/members/", "POST"): Line(
        "/api/v1/members/", frozenset({"admin"}), 200, "manage", new_member, stranger=422
    ),
    # Accounts of programs
    ("api/v1/service-accounts/", "GET"): listed(ACCOUNTS),
    ("api/v1/service-accounts/", "POST"): Line(ACCOUNTS, ADMIN, 201, "manage", NEW_ACCOUNT, stranger=422),
    ("api/v1/service-accounts/<str:username>/", "GET"): seen(ACCOUNT),
    ("api/v1/service-accounts/<str:username>/", "PATCH"): Line(
        ACCOUNT, ADMIN, 200, "manage", {"active": False}
    ),
    ("api/v1/service-accounts/<str:username>/tokens/", "GET"): Line(
        f"{ACCOUNT}tokens/", ADMIN, 200, "manage"
    ),
    ("api/v1/service-accounts/<str:username>/tokens/", "POST"): Line(
        f"{ACCOUNT}tokens/", ADMIN, 201, "manage", {"name": "cron", "scopes": ["read"]}
    ),
    ("api/v1/service-accounts/<str:username>/tokens/<str:token_id>/", "DELETE"): Line(
        f"{ACCOUNT}tokens/{{account_token}}/", ADMIN, 204, "manage"
    ),
    # What teams lend to each other
    ("api/v1/grants/", "GET"): listed(GRANTS),
    ("api/v1/grants/", "POST"): Line(GRANTS, ADMIN, 201, "manage", new_grant, borrower=403),
    ("api/v1/grants/<str:grant_id>/", "DELETE"): Line(f"{GRANTS}{{grant}}/", ADMIN, 204, "manage"),
    ("api/v1/tokens/", "GET"): listed("/api/v1/tokens/", wrong_scope=403),
    ("api/v1/tokens/", "POST"): listed(
        "/api/v1/tokens/", ok=201, scope="manage", body={"name": "mine"}, stranger=201, wrong_scope=403
    ),
    ("api/v1/tokens/<str:token_id>/", "DELETE"): Line(
        "/api/v1/tokens/00000000-0000-4000-8000-000000000000/",
        NOBODY,
        404,
        "manage",
        denied=404,
        wrong_scope=404,
    ),
    # Pipelines
    ("api/v1/pipelines/", "GET"): listed("/api/v1/pipelines/"),
    ("api/v1/pipelines/", "POST"): Line(
        "/api/v1/pipelines/", EDITOR, 201, "edit", NEW_PIPELINE, stranger=422
    ),
    ("api/v1/pipelines/<str:name>/", "GET"): lent(PIPELINE),
    ("api/v1/pipelines/<str:name>/", "PATCH"): Line(
        PIPELINE, EDITOR, 200, "edit", {"purpose": "x"}, borrower=403
    ),
    ("api/v1/pipelines/<str:name>/", "DELETE"): Line(PIPELINE, EDITOR, 204, "edit", borrower=403),
    ("api/v1/pipelines/<str:name>/draft/", "GET"): seen(f"{PIPELINE}draft/", borrower=403),
    ("api/v1/pipelines/<str:name>/draft/", "PUT"): Line(
        f"{PIPELINE}draft/", EDITOR, 200, "edit", DRAFT, borrower=403
    ),
    ("api/v1/pipelines/<str:name>/code/", "GET"): lent(f"{PIPELINE}code/", ok=204, borrower=204),
    ("api/v1/pipelines/<str:name>/versions/", "GET"): lent(f"{PIPELINE}versions/"),
    ("api/v1/pipelines/<str:name>/versions/", "POST"): Line(
        f"{PIPELINE}versions/", EDITOR, 201, "edit", {}, borrower=403
    ),
    ("api/v1/pipelines/<str:name>/versions/<int:number>/", "GET"): lent(f"{PIPELINE}versions/1/"),
    ("api/v1/pipelines/<str:name>/versions/<int:number>/diff/", "GET"): lent(f"{PIPELINE}versions/1/diff/"),
    ("api/v1/pipelines/<str:name>/activate/", "POST"): Line(
        f"{PIPELINE}activate/", EDITOR, 200, "edit", {"version": 1}, borrower=403
    ),
    ("api/v1/validate/", "POST"): Line(
        "/api/v1/validate/", body={"document": SMALL, "team": "alpha"}, stranger=422, wrong_scope=422
    ),
    ("api/v1/kinds/", "GET"): listed("/api/v1/kinds/"),
    # Code
    ("api/v1/code-locations/", "GET"): listed(LOCATIONS),
    ("api/v1/code-locations/", "POST"): Line(
        LOCATIONS, NOBODY, 201, "manage", new_location, stranger=403, site_admin=201
    ),
    ("api/v1/code-locations/<str:location_id>/", "GET"): lent(LOCATION),
    ("api/v1/code-locations/<str:location_id>/sync/", "POST"): Line(
        f"{LOCATION}sync/", EDITOR | ADMIN, 200, "edit", borrower=403
    ),
    ("api/v1/code-locations/<str:location_id>/", "PATCH"): Line(
        REPOSITORY, ADMIN, 200, "manage", {"auto_sync": True}
    ),
    ("api/v1/code-locations/<str:location_id>/", "DELETE"): Line(
        LOCATION, ADMIN, 204, "manage", borrower=403
    ),
    ("api/v1/code-locations/<str:location_id>/snapshots/", "GET"): lent(f"{LOCATION}snapshots/"),
    ("api/v1/code-locations/<str:location_id>/blocks/", "GET"): lent(f"{LOCATION}blocks/"),
    # Secrets: their names for everybody who may name them, the rest for admins of the team
    ("api/v1/secrets/", "GET"): listed("/api/v1/secrets/"),
    ("api/v1/secrets/", "POST"): Line("/api/v1/secrets/", ADMIN, 201, "manage", NEW_SECRET, stranger=422),
    ("api/v1/secrets/<str:secret_id>/", "GET"): lent(SECRET),
    ("api/v1/secrets/<str:secret_id>/", "PATCH"): Line(
        SECRET, ADMIN, 200, "manage", {"value": "another"}, borrower=403
    ),
    ("api/v1/secrets/<str:secret_id>/", "DELETE"): Line(SECRET, ADMIN, 204, "manage", borrower=403),
    # Audit
    ("api/v1/audit/", "GET"): Line("/api/v1/audit/", frozenset({"auditor"}), stranger=200, wrong_scope=403),
}
