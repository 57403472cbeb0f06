"""Who may call the addresses of ``pipelines``."""

from __future__ import annotations

from pipelines import code, versions
from pipelines.bootstrap import DEMO_CODE
from tests.factories import SMALL, make_published, make_secret, make_token
from tests.orchestrator_site.authorisation.base import EDITOR, MARK, NOBODY, Line, World, listed, seen

DRAFT = {"document": SMALL + "# changed\n"}
NEW_PIPELINE = {"name": "fresh", "team": "alpha"}
PIPELINE = "/api/v1/pipelines/alpha:small/"
LOCATION = "/api/v1/code-locations/{location}/"
LOCATIONS = "/api/v1/code-locations/"
SECRET = "/api/v1/secrets/{secret}/"
ADMIN = frozenset({"admin"})
NEW_SECRET = {"name": "fresh", "team": "alpha", "value": "open-sesame"}


def prepare(world: World) -> None:
    version = make_published(SMALL.replace("A small pipeline", MARK), team=world.team, owner=world.editor)
    versions.save_draft(version.pipeline, SMALL.replace("A small", MARK), actor=world.editor)
    location = code.register(world.team, MARK, str(DEMO_CODE), actor=None)
    world.names |= {"location": str(location.uuid), "code_folder": str(DEMO_CODE)}
    make_token(world.editor, team=world.team)
    secret = make_secret(world.team, description=MARK)
    world.names["secret"] = str(secret.uuid)


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
    ("api/v1/pipelines/<str:name>/", "GET"): seen(PIPELINE),
    ("api/v1/pipelines/<str:name>/", "PATCH"): Line(PIPELINE, EDITOR, 200, "edit", {"purpose": "x"}),
    ("api/v1/pipelines/<str:name>/", "DELETE"): Line(PIPELINE, EDITOR, 204, "edit"),
    ("api/v1/pipelines/<str:name>/draft/", "GET"): seen(f"{PIPELINE}draft/"),
    ("api/v1/pipelines/<str:name>/draft/", "PUT"): Line(f"{PIPELINE}draft/", EDITOR, 200, "edit", DRAFT),
    ("api/v1/pipelines/<str:name>/versions/", "GET"): seen(f"{PIPELINE}versions/"),
    ("api/v1/pipelines/<str:name>/versions/", "POST"): Line(f"{PIPELINE}versions/", EDITOR, 201, "edit", {}),
    ("api/v1/pipelines/<str:name>/versions/<int:number>/", "GET"): seen(f"{PIPELINE}versions/1/"),
    ("api/v1/pipelines/<str:name>/versions/<int:number>/diff/", "GET"): seen(f"{PIPELINE}versions/1/diff/"),
    ("api/v1/pipelines/<str:name>/activate/", "POST"): Line(
        f"{PIPELINE}activate/", EDITOR, 200, "edit", {"version": 1}
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
    ("api/v1/code-locations/<str:location_id>/", "GET"): seen(LOCATION),
    ("api/v1/code-locations/<str:location_id>/sync/", "POST"): Line(f"{LOCATION}sync/", EDITOR, 200, "edit"),
    ("api/v1/code-locations/<str:location_id>/blocks/", "GET"): seen(f"{LOCATION}blocks/"),
    # Secrets: their names for everybody who may name them, the rest for admins of the team
    ("api/v1/secrets/", "GET"): listed("/api/v1/secrets/"),
    ("api/v1/secrets/", "POST"): Line("/api/v1/secrets/", ADMIN, 201, "manage", NEW_SECRET, stranger=422),
    ("api/v1/secrets/<str:secret_id>/", "GET"): seen(SECRET),
    ("api/v1/secrets/<str:secret_id>/", "PATCH"): Line(SECRET, ADMIN, 200, "manage", {"value": "another"}),
    ("api/v1/secrets/<str:secret_id>/", "DELETE"): Line(SECRET, ADMIN, 204, "manage"),
    # Audit
    ("api/v1/audit/", "GET"): Line("/api/v1/audit/", frozenset({"auditor"}), stranger=200, wrong_scope=403),
}
