"""The kinds of tasks, one file each. `KINDS` holds one of each by name."""

from __future__ import annotations

from typing import Final

from pipelines.task_kinds.approval import Approval
from pipelines.task_kinds.base import Kind
from pipelines.task_kinds.check import Check
from pipelines.task_kinds.container import Container
from pipelines.task_kinds.deploy import Deploy
from pipelines.task_kinds.group import Group
from pipelines.task_kinds.http import Http
from pipelines.task_kinds.manual import Manual
from pipelines.task_kinds.map import Map
from pipelines.task_kinds.notebook import Notebook
from pipelines.task_kinds.pipeline import Pipeline
from pipelines.task_kinds.placeholder import Placeholder
from pipelines.task_kinds.python import Python
from pipelines.task_kinds.register import Register
from pipelines.task_kinds.shell import Shell
from pipelines.task_kinds.sql import Sql
from pipelines.task_kinds.wait import Wait

_ALL: Final[tuple[Kind, ...]] = (
    Python(),
    Shell(),
    Http(),
    Sql(),
    Notebook(),
    Container(),
    Check(),
    Map(),
    Pipeline(),
    Approval(),
    Wait(),
    Register(),
    Deploy(),
    Manual(),
    Group(),
    Placeholder(),
)
KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}
