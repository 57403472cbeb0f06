"""Who may call the addresses of ``lineage``."""

from __future__ import annotations

from lineage import recorder
from lineage.models import Model
from tests.lineage.factories import (
    make_deployed,
    make_endpoint,
    make_stored,
    make_trained,
    make_version,
    output_of,
)
from tests.orchestrator_site.authorisation.base import MARK, Line, World, lent, listed, seen

ARTIFACT = "/api/v1/artifacts/{artifact}/"
MODEL = "/api/v1/models/alpha:digits/versions/"
DEPLOYMENT = f"/api/v1/deployments/alpha:{MARK}/"
ENDPOINTS = "/api/v1/endpoints/"
ADMIN = frozenset({"admin"})
NEW_ENDPOINT = {"name": "fresh", "team": "alpha", "stage": "demo"}


def prepare(world: World) -> None:
    world.lend(make_endpoint(world.team, MARK))
    made = make_trained(make_version(world.team, name=f"digits-{MARK}"), world.editor)
    make_deployed(made, MARK)
    world.lend(Model.objects.get(team=world.team), "view")
    recorder.record_pending()
    world.names["artifact"] = str(output_of(made.evaluate, "metrics").uuid)
    world.names["picture"] = make_stored(world.team, world.editor, "image", b"GIF89a\x01\x00\x01\x00;")
    manifest = b'[{"path":"a.txt","sha256":"","size":0}]'
    world.names["folder"] = make_stored(world.team, world.editor, "folder", manifest)


LINES: dict[tuple[str, str], Line] = {
    ("api/v1/artifacts/<str:artifact_id>/", "GET"): seen(ARTIFACT),
    ("api/v1/artifacts/<str:artifact_id>/content/", "GET"): seen(f"{ARTIFACT}content/"),
    ("api/v1/artifacts/<str:artifact_id>/preview/", "GET"): seen(f"{ARTIFACT}preview/"),
    ("api/v1/artifacts/<str:artifact_id>/profile/", "GET"): seen(f"{ARTIFACT}profile/"),
    ("api/v1/artifacts/<str:artifact_id>/image/", "GET"): seen("/api/v1/artifacts/{picture}/image/"),
    ("api/v1/artifacts/<str:artifact_id>/entries/", "GET"): seen("/api/v1/artifacts/{folder}/entries/"),
    ("api/v1/artifacts/<str:artifact_id>/upstream/", "GET"): seen(f"{ARTIFACT}upstream/"),
    ("api/v1/artifacts/<str:artifact_id>/downstream/", "GET"): seen(f"{ARTIFACT}downstream/"),
    ("api/v1/models/", "GET"): listed("/api/v1/models/"),
    ("api/v1/models/<str:name>/versions/", "GET"): lent(MODEL),
    ("api/v1/models/<str:name>/versions/<int:number>/", "GET"): lent(f"{MODEL}1/"),
    ("api/v1/endpoints/", "GET"): listed(ENDPOINTS),
    ("api/v1/endpoints/", "POST"): Line(ENDPOINTS, ADMIN, 201, "manage", NEW_ENDPOINT, stranger=422),
    ("api/v1/deployments/", "GET"): listed("/api/v1/deployments/"),
    ("api/v1/deployments/<str:endpoint>/", "GET"): lent(DEPLOYMENT),
    ("api/v1/deployments/<str:endpoint>/trace/", "GET"): lent(f"{DEPLOYMENT}trace/"),
}
