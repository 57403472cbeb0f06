"""The fake server, which the frontend is looked at and tested with, knows what the real one knows."""

from __future__ import annotations

import json

from pipelines.bootstrap import DEMO_CODE
from pipelines.palette import palette
from pipelines.signatures import read_folder
from tests.orchestrator_site.running import ROOT

PALETTE = ROOT / "frontend/src/testing/palette.json"


def test_its_kinds_and_blocks_are_those_of_the_real_server() -> None:
    blocks = [{"id": name, **found.to_json()} for name, found in read_folder(DEMO_CODE).blocks.items()]
    real = {"kinds": palette(), "blocks": blocks}
    known = json.loads(PALETTE.read_text())
    assert known == json.loads(json.dumps(real)), f"write the real ones into {PALETTE}"
