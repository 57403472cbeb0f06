"""The page and its files, also when the frontend is built again under a server that runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def dist(tmp_path: Path, settings: Any) -> Path:
    settings.FRONTEND_DIST = tmp_path / "dist"
    settings.STATICFILES_DIRS = [settings.FRONTEND_DIST]
    build(settings.FRONTEND_DIST, "first")
    return tmp_path / "dist"


def build(folder: Path, name: str) -> None:
    """A build as Vite makes one: the folder is emptied first, the files are named by their content."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / f"{name}-12345678.js").write_text(name)
    (folder / "index.html").write_text(f'<script nonce="{{{{ csp-nonce }}}}" src="{name}"></script>')


def test_a_page_that_was_built_again_finds_its_files(dist: Path) -> None:
    client = Client()
    assert client.get("/static/assets/first-12345678.js").content == b"first"
    build(dist, "second")
    assert b'src="second"' in client.get("/").content
    assert client.get("/static/assets/second-12345678.js").content == b"second"
    assert client.get("/static/assets/first-12345678.js").status_code == 404


def test_while_the_frontend_is_being_built_nothing_breaks(dist: Path) -> None:
    client = Client()
    assert client.get("/static/assets/first-12345678.js").status_code == 200
    shutil.rmtree(dist)
    assert client.get("/static/assets/first-12345678.js").status_code == 404
    answer = client.get("/")
    assert (answer.status_code, answer.content.startswith(b"The frontend has not been built")) == (503, True)
    build(dist, "second")
    assert client.get("/static/assets/second-12345678.js").status_code == 200
