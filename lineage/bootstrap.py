"""What the demo needs of lineage: the endpoint that its pipeline deploys to. Safe to repeat."""

from __future__ import annotations

from lineage import registry
from lineage.models import Endpoint, Stage
from pipelines import bootstrap
from pipelines.models import Team

DEMO_ENDPOINT = "digits-prod"


def demo() -> str | None:
    """The endpoint of the demo. After the demo's team, before its pipelines are published."""
    ensure_demo_endpoints(Team.objects.get(slug=bootstrap.DEMO))
    return None


def ensure_demo_endpoints(team: Team) -> None:
    """Make the endpoints that the demo's documents name, where they are missing."""
    if not Endpoint.objects.filter(team=team, name=DEMO_ENDPOINT).exists():
        registry.make_endpoint(
            team,
            DEMO_ENDPOINT,
            Stage.DEMO,
            description="The digit reader of the demo, in a folder of this home.",
            actor=bootstrap.site_admin(),
        )
