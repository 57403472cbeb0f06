"""The scene of every test of the console, with a site admin at the browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from pipelines import sealing
from tests.factories import make_cast, make_user, say_who
from tests.orchestrator_site.console.cases import Scene


@pytest.fixture
def scene(tmp_path: Path, db: None) -> Scene:
    sealing.first_key()
    (tmp_path / "blocks.py").write_text("def block(): ...\n")
    return Scene(make_cast(), make_user("root", is_superuser=True), tmp_path)


@pytest.fixture
def root(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.root, backend="django.contrib.auth.backends.ModelBackend")
    say_who(client, scene.root)
    return client
