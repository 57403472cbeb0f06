"""A pytest session that commits one sabotage after the other and carries out the tests that ought to notice.

A plugin (``-p tests.mutants.session``): the servers are started once for all. What it finds stands in the
file that ``--mutants-report`` names, as JSON {name of the sabotage: id of the test that noticed, or ""}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.sabotage import Sabotage, committed
from tests.mutants.sabotages import SABOTAGES

NOTHING = "nothing is sabotaged"
# It has the servers started, and they stay as long as it is to come once more.
ANCHOR = "tests/runs/test_states.py::test_each_table_with_a_state_has_its_trigger[run]"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutants", default="", help="names of sabotages, separated by semicolons")
    parser.addoption("--mutants-report", default="", help="where to write what is found")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Instead of each test once: each sabotage, with its tests until one of them notices."""
    chosen = session.config.getoption("--mutants").split(";")
    report = Path(session.config.getoption("--mutants-report"))
    trial = _Trial(session.items)
    found = {NOTHING: trial.noticed(session.items)}
    for sabotage in SABOTAGES:
        if sabotage.name in chosen and not found[NOTHING]:
            found[sabotage.name] = trial.of(sabotage)
        report.write_text(json.dumps(found))
    return True


class _Trial:
    def __init__(self, items: list[pytest.Item]) -> None:
        self.items = items
        self.anchor = next(item for item in items if item.nodeid == ANCHOR)
        self.noticed([self.anchor])

    def of(self, sabotage: Sabotage) -> str:
        """The test that noticed; "" when all were content."""
        with committed(sabotage):
            return self.noticed(item for item in self.items if item.nodeid.startswith(sabotage.tests))

    def noticed(self, items: Iterable[pytest.Item]) -> str:
        """The first of the tests that fails, or ""."""
        for item in items:
            reports = runtestprotocol(item, nextitem=self._to_come(item), log=False)
            if any(report.failed for report in reports):
                return item.nodeid
        return ""

    def _to_come(self, item: pytest.Item) -> pytest.Item:
        """Any other test, so that this one is torn down whole and the session is not."""
        return (
            self.anchor if item is not self.anchor else next(each for each in self.items if each is not item)
        )
