"""More than 2,000 inputs that mean harm: each is taken or refused in words, none makes the server stumble."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from pipelines import outgoing
from pipelines.errors import Refusal
from pipelines.git import address as repositories
from pipelines.models import Pipeline
from pipelines.store import Store, StoreError
from runs import logs
from runs.models import Attempt
from runs.worker.logs import pieces
from runs.worker.masking import Mask
from tests.factories import client
from tests.lineage.factories import make_stored
from tests.orchestrator_site.authorisation.base import World
from tests.orchestrator_site.test_authorisation_matrix import world
from tests.runs import making
from tests.security import hostile

__all__ = ["world"]  # the fixture
pytestmark = pytest.mark.slow

KINDS: Final[dict[str, Callable[[], Iterable[Any]]]] = {
    "documents": hostile.documents,
    "parameters": hostile.parameters,
    "addresses": hostile.addresses,
    "headers": hostile.headers,
    "terminal output": hostile.terminal_output,
    "archives": hostile.manifests,
}


def test_there_are_more_than_two_thousand_of_all_kinds() -> None:
    counts = {kind: len(list(inputs())) for kind, inputs in KINDS.items()}
    print(counts)
    assert min(counts.values()) >= 200
    assert sum(counts.values()) >= 2_000


@pytest.fixture
def editor(world: World) -> APIClient:
    return client(world.editor)


def asked(who: APIClient, method: str, path: str, body: str = "", **more: Any) -> Any:
    """An answer that is no server error, whose problem has words; what it changed is taken back."""
    more.setdefault("content_type", "application/json")
    with transaction.atomic():
        answer = who.generic(method, path, body, **more)
        transaction.set_rollback(True)
    assert answer.status_code < 500, (path, body[:200])
    if answer.status_code >= 400 and answer["Content-Type"] == "application/problem+json":
        assert answer.json()["detail"], (path, body[:200])
    return answer


def as_json(value: Any) -> str:
    """JSON, also of numbers that it cannot hold."""
    return json.dumps(value)


def test_hostile_documents_are_judged(editor: APIClient) -> None:
    for document in hostile.documents():
        text = document.decode("utf-8", "replace") if isinstance(document, bytes) else document
        answer = asked(editor, "POST", "/api/v1/validate/", as_json({"team": "alpha", "document": text}))
        if answer.status_code == 200:
            assert answer.json()["problems"] or answer.json()["graph"], text[:200]


def test_hostile_documents_are_kept_as_drafts_or_refused(editor: APIClient, world: World) -> None:
    name = Pipeline.objects.filter(team=world.team).values_list("name", flat=True)[0]
    draft = f"/api/v1/pipelines/alpha:{name}/draft/"
    etag = editor.get(draft)["ETag"]
    for document in list(hostile.documents())[400::3]:
        text = document.decode("utf-8", "replace") if isinstance(document, bytes) else document
        body = as_json({"document": text, "layout": {}})
        asked(editor, "PUT", f"{draft}?problems=false", body, headers={"If-Match": etag})


def test_hostile_parameters_start_no_run_that_cannot_be_stored(editor: APIClient, world: World) -> None:
    path = f"/api/v1/pipelines/alpha:{world.names['start']}/runs/"
    for body in hostile.parameters():
        asked(editor, "POST", path, as_json(body))


def test_hostile_addresses_lead_nowhere(world: World, settings: Any) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "INNER_ADDRESSES": []}
    admin = client(world.people["admin"])
    for address in hostile.addresses():
        body = {"team": "alpha", "name": "hostile", "kind": "git", "address": address, "ref": "main"}
        asked(admin, "POST", "/api/v1/code-locations/", as_json(body))
        with suppress(Refusal):
            understood = repositories.understood(address)
            assert not understood.text.startswith("-")
        with pytest.raises((outgoing.Refused, outgoing.Unanswered)):
            outgoing.send("GET", address, seconds=0.2)


def test_hostile_headers_are_refused_or_ignored(editor: APIClient, world: World) -> None:
    name = world.names["start"]
    for header, value in hostile.headers():
        variable = header.upper().replace("-", "_")
        variable = variable if variable.startswith("CONTENT_") else f"HTTP_{variable}"
        for method, path in (("GET", "/api/v1/runs/"), ("POST", f"/api/v1/pipelines/alpha:{name}/runs/")):
            asked(editor, method, path, "{}" if method == "POST" else "", **{variable: value})


def test_hostile_output_is_masked_cut_and_shown_as_text(editor: APIClient, world: World) -> None:
    attempt = Attempt.objects.get(uuid=world.names["attempt"])
    mask = Mask({"password": "correct-horse"})
    said = b""
    for output in hostile.terminal_output():
        said += mask.feed(output + b" correct-horse ") + b"\n"
    said += mask.close()
    assert b"correct-horse" not in said
    with transaction.atomic():
        making.say(attempt, *pieces(said))
        answer = asked(editor, "GET", f"/api/v1/attempts/{attempt.uuid}/log/?limit=5000")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("application/json")
        logs.tail(attempt, 100)
        transaction.set_rollback(True)


def test_hostile_archives_are_shown_or_refused_and_never_unpacked_outside(
    editor: APIClient, world: World, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    for text in hostile.manifests():
        into = tmp_path / "into"
        with suppress(StoreError, OSError):
            store.check_out(store.put_bytes(text).sha256, into)
        assert {path.name for path in tmp_path.iterdir()} <= {"store", "into"}
        for path in into.rglob("*"):
            assert path.resolve().is_relative_to(into), (text[:200], path)
        with transaction.atomic():
            folder = make_stored(world.team, world.editor, "folder", text)
            for part in ("", "content/", "content/?path=../x", "preview/", "entries/", "profile/"):
                asked(editor, "GET", f"/api/v1/artifacts/{folder}/{part}")
            transaction.set_rollback(True)
