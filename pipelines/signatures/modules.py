"""Modules, as far as hints look names up in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """The names at the top of one module: imports as dotted names, classes, functions, aliases."""

    def __init__(self, name: str, tree: ast.Module, *, is_package: bool = False) -> None:
        self.name = name
        self.package = name if is_package else name.rpartition(".")[0]
        self.imports: dict[str, str] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.aliases: dict[str, ast.expr] = {}
        functions: dict[str, Function] = {}
        for statement in _top_level(tree.body):
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.pop(statement.name, None)  # a later definition is the one that counts
                functions[statement.name] = statement
            elif isinstance(statement, ast.ClassDef):
                self.classes[statement.name] = statement
            else:
                self._names(statement)
        self.functions = list(functions.values())

    def _names(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                self.imports[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(statement, ast.ImportFrom):
            base = self._base(statement)
            for alias in statement.names:
                self.imports[alias.asname or alias.name] = f"{base}.{alias.name}" if base else alias.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name):
                self.aliases[targets[0].id] = statement.value

    def _base(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        package = self.package.split(".")
        above = package[: len(package) - (statement.level - 1)]
        return ".".join([*above, statement.module or ""]).strip(".")


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at the top, and those inside its `if` and `try` (`if TYPE_CHECKING:` holds imports)."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        inner: list[ast.stmt] = []
        if isinstance(statement, ast.If):
            inner = statement.body + statement.orelse
        elif isinstance(statement, ast.Try):
            inner = statement.body + [line for handler in statement.handlers for line in handler.body]
        waiting.extend(reversed(inner))
