"""The console looks like the product: the same colours, the same icon, and a word for every verb."""

from __future__ import annotations

import re

from django.conf import settings

from pipelines.admin import history
from tests.orchestrator_site.running import ROOT

CONSOLE = ROOT / "orchestrator_site/static/console"
PRODUCT = ROOT / "frontend/src/ui"
COLOUR = re.compile(r"--([\w-]+): (light-dark\(.+?\));")
APPS = ("pipelines", "runs", "lineage")


def colours(path: str, text: str) -> dict[str, str]:
    found = dict(COLOUR.findall(text))
    assert found, path
    return found


def test_the_colours_are_those_of_the_product() -> None:
    ours = colours("console", (CONSOLE / "console.css").read_text())
    theirs = colours("product", (PRODUCT / "tokens.css").read_text())
    wrong = {name: value for name, value in ours.items() if theirs[name.removeprefix("product-")] != value}
    assert wrong == {}


def test_the_icon_is_that_of_the_product() -> None:
    assert (CONSOLE / "icon.svg").read_bytes() == (PRODUCT / "icon.svg").read_bytes()


def test_every_verb_of_the_audit_chain_has_words() -> None:
    verb = re.compile(r"(?:audit\.write|_tell|_audit)\(\s*[\w.]+,\s*\"([a-z]+\.[a-z-]+)\"")
    sources = [path.read_text() for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
    verbs = {found for source in sources for found in verb.findall(source)}
    assert {"team.roles", "queue.pause", "secret.create", "code.archive"} <= verbs
    assert {name for name in verbs if history.words(name) == name} == set()
