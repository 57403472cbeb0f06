"""The admin console's pages of people, teams, pipelines, code, secrets, tokens and the audit chain."""

from __future__ import annotations

from pipelines.admin import audit, code, grants, people, pipelines, secrets, teams, tokens

__all__ = ["audit", "code", "grants", "people", "pipelines", "secrets", "teams", "tokens"]
