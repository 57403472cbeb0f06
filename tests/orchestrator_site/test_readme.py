"""What the README says of settings, states and files is what there is."""

from __future__ import annotations

import re

import pytest

from runs.states import ATTEMPT_MOVES, RUN_MOVES, TASK_MOVES, Moves
from tests.orchestrator_site.running import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "orchestrator_site" / "settings").glob("*.py")
)


def diagram(name: str) -> set[tuple[str, str]]:
    """The moves that the diagram with this title draws."""
    found = re.search(rf'state "{name}" as \w {{\n(.*?)}}', README, re.DOTALL)
    assert found, f"there is no diagram of {name}"
    return set(re.findall(r"^ +(\w+) --> (\w+)", found[1], re.MULTILINE))


@pytest.mark.parametrize(
    "name,moves", [("Run", RUN_MOVES), ("Task of a run", TASK_MOVES), ("Attempt", ATTEMPT_MOVES)]
)
def test_the_diagrams_draw_every_move_and_no_other(name: str, moves: Moves) -> None:
    assert diagram(name) == {(old, new) for old, news in moves.items() for new in news}


def test_every_setting_is_in_the_table_and_the_table_has_no_other() -> None:
    table = README.partition("### Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    written = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert written == set(re.findall(r'env_\w+\(\s*"([A-Z_]+)"', SETTINGS))


def test_settings_that_may_come_from_a_file_are_marked() -> None:
    secret = set(re.findall(r'env_secret\("([A-Z_]+)"\)', SETTINGS))
    assert set(re.findall(r"^\| `([A-Z_]+)` \* \|", README, re.MULTILINE)) == secret


def test_the_map_of_the_house_names_rooms_that_exist() -> None:
    tree = README.partition("## The house")[2].partition("```\n")[2].partition("```")[0]
    folder, missing = ROOT, []
    for line in tree.splitlines():
        names = re.split(r"  +", line.strip())
        if not line.startswith(" "):
            folder = ROOT / names[0]
            missing += [] if folder.exists() else [names[0]]
            continue
        words = [word for part in names for word in part.split() if re.fullmatch(r"\w+(\.py|/)", word)]
        missing += [f"{folder.name}/{word}" for word in words if not (folder / word).exists()]
    assert missing == []
