"""What a sabotage is, and how one is committed in the running process and undone."""

from __future__ import annotations

import ast
import gc
import importlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from runs.worker import zygotes
from tests.servers import owner_connection

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sabotage:
    """``name`` says what the engine does wrong then; one of ``tests`` (ids, or their heads) notices.

    ``file`` reads ``after`` where it read ``before``. Without a file both are statements of the owner of the
    tables: ``after`` takes a guard away and ``before`` puts it back.
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def text(self) -> str:
        """The sabotaged text of the file. Raises ValueError where the line is no more what it was."""
        whole = (ROOT / self.file).read_text()
        if (found := whole.count(self.before)) != 1:
            raise ValueError(
                f"{self.name}: {self.file} has {found} times, not once: {self.before!r}. Adapt it."
            )
        return whole.replace(self.before, self.after)


@contextmanager
def committed(sabotage: Sabotage) -> Iterator[None]:
    """The running process and its database, sabotaged for a while."""
    if not sabotage.file:
        commit = _guard_taken(sabotage)
    elif sabotage.file.endswith(".sql"):
        commit = _sql(sabotage)
    elif sabotage.file in OF_ATTEMPTS:
        commit = _scripts(sabotage)
    else:
        commit = _module(sabotage)
    with commit:
        yield


# --- the database -------------------------------------------------------------------------------------


def _run_sql(text: str) -> None:
    with owner_connection() as owner:
        owner.execute(text.encode())


@contextmanager
def _guard_taken(sabotage: Sabotage) -> Iterator[None]:
    _run_sql(sabotage.after)
    try:
        yield
    finally:
        _run_sql(sabotage.before)


@contextmanager
def _sql(sabotage: Sabotage) -> Iterator[None]:
    path = ROOT / sabotage.file
    plans = (ROOT / "runs/sql/plans.sql").read_text()
    _run_sql(sabotage.text() + plans)
    try:
        yield
    finally:
        _run_sql(path.read_text() + plans)


# --- Python -------------------------------------------------------------------------------------------


@contextmanager
def _module(sabotage: Sabotage) -> Iterator[None]:
    """Functions of the module do what the sabotaged text says, whoever has a hold of them already."""
    module = importlib.import_module(sabotage.file.removesuffix(".py").replace("/", "."))
    text = sabotage.text()
    codes = _codes(compile(text, str(module.__file__), "exec"))
    # Two functions inside one other may have the same name, and be told apart by what they close over.
    changed = [
        (each, each.__code__)
        for each in _functions(module)
        if (code := codes.get(each.__qualname__)) is not None
        and code != each.__code__
        and code.co_freevars == each.__code__.co_freevars
    ]
    constants = _changed_constants(module, text)
    kept = {name: getattr(module, name) for name in constants}
    for function, _ in changed:
        function.__code__ = codes[function.__qualname__]
    for name, value in constants.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for function, code in changed:
            function.__code__ = code
        for name, value in kept.items():
            setattr(module, name, value)


def _codes(code: CodeType) -> dict[str, CodeType]:
    found = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found[constant.co_qualname] = constant
            found.update(_codes(constant))
    return found


def _functions(module: ModuleType) -> list[FunctionType]:
    """All functions that were made from the module's text, those behind decorators too."""
    # By its type, not by isinstance: a lazy object is asked for its class and may refuse.
    alive = (each for each in gc.get_objects() if type(each) is FunctionType)
    return [each for each in alive if each.__code__.co_filename == module.__file__]


def _changed_constants(module: ModuleType, text: str) -> dict[str, Any]:
    """Constants of the module's first level that the sabotaged text gives another value."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue  # not a constant
            if getattr(module, node.targets[0].id) != value:
                found[node.targets[0].id] = value
    return found


# --- what attempts are carried out by -----------------------------------------------------------------

# Read by the interpreters of tasks, from beside each other.
OF_ATTEMPTS = ("runs/worker/zygote.py", "runs/worker/runner.py", "runs/worker/processes.py")


@contextmanager
def _scripts(sabotage: Sabotage) -> Iterator[None]:
    """Zygotes start from a sabotaged copy of their folder; those that are warm end."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-mutant-") as folder:
        copy = Path(folder) / "worker"
        shutil.copytree(ROOT / "runs" / "worker", copy)
        (copy / Path(sabotage.file).name).write_text(sabotage.text())
        script, zygotes.SCRIPT = zygotes.SCRIPT, copy / "zygote.py"
        _end_warm_zygotes()
        try:
            yield
        finally:
            zygotes.SCRIPT = script
            _end_warm_zygotes()


def _end_warm_zygotes() -> None:
    for each in gc.get_objects():
        if isinstance(each, zygotes.Zygote):
            each.close()
