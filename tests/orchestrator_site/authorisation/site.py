"""Who may call the addresses of the front door itself."""

from __future__ import annotations

from tests.orchestrator_site.authorisation.base import NOBODY, Line

LINES: dict[tuple[str, str], Line] = {
    # Figures of the whole site: for a program with a token, or a site admin.
    ("metrics", "GET"): Line("/metrics", NOBODY, 200, "read", stranger=403, site_admin=200, any_token=200),
}
