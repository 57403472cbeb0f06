"""Folders, modules and inline code, read for their blocks."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelines.limits import MAX_SOURCE_BYTES, MAX_SOURCE_FILES
from pipelines.signatures.found import Blocks, CodeProblem, Signature
from pipelines.signatures.hints import Library
from pipelines.signatures.modules import Module

# Folders that hold no blocks.
_SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})


def read_folder(folder: Path) -> Blocks:
    """The blocks of every module under a folder, such as a code snapshot. Links are not followed."""
    files: dict[str, str] = {}
    packages: set[str] = set()
    problems: list[CodeProblem] = []
    for path in _python_files(folder):
        module = module_name(path.relative_to(folder).as_posix())
        if module is None:
            continue
        if len(files) >= MAX_SOURCE_FILES:
            problems.append(CodeProblem(module, 1, 1, f"only the first {MAX_SOURCE_FILES} modules are read"))
            break
        try:
            if path.stat().st_size <= MAX_SOURCE_BYTES:
                files[module] = path.read_text(encoding="utf-8")
            else:
                problems.append(CodeProblem(module, 1, 1, _too_long()))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(CodeProblem(module, 1, 1, f"the file cannot be read: {error}"))
        if path.name == "__init__.py":
            packages.add(module)
    read = read_modules(files, packages)
    return Blocks(read.blocks, problems + read.problems)


def _python_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name.startswith("."):
            continue
        if path.is_dir() and path.name not in _SKIPPED_FOLDERS:
            yield from _python_files(path)
        elif path.suffix == ".py" and path.is_file():
            yield path


def module_name(relative: str) -> str | None:
    """`pkg/steps.py` -> `pkg.steps`, `pkg/__init__.py` -> `pkg`; None when no import can name it."""
    parts = relative.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def read_modules(files: Mapping[str, str], packages: Collection[str] = ()) -> Blocks:
    """Texts by module name -> their blocks. packages: the names that are an `__init__.py`."""
    library = Library()
    problems = []
    for module, text in files.items():
        tree = _parsed(text, module)
        if isinstance(tree, CodeProblem):
            problems.append(tree)
        else:
            library.modules[module] = Module(module, tree, is_package=module in packages)
    blocks = {
        f"{module.name}:{function.name}": library.signature(module, function)
        for module in library.modules.values()
        for function in module.functions
        if not function.name.startswith("_")
    }
    return Blocks(blocks, problems)


def read_source(text: str) -> Signature | CodeProblem:
    """Inline code -> the signature of its last public function at the top, the one that is run."""
    tree = _parsed(text, "")
    if isinstance(tree, CodeProblem):
        return tree
    module = Module("", tree)
    functions = [function for function in module.functions if not function.name.startswith("_")]
    if not functions:
        return CodeProblem("", 1, 1, "it defines no function: write `def main(…): …`; the last one is run")
    library = Library()
    library.modules[""] = module
    return library.signature(module, functions[-1])


def _too_long() -> str:
    return f"the code has more than {MAX_SOURCE_BYTES:,} bytes; split it"


def _parsed(text: str, module: str) -> ast.Module | CodeProblem:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
        return CodeProblem(module, 1, 1, _too_long())
    try:
        return ast.parse(text)
    except SyntaxError as error:
        return CodeProblem(module, error.lineno or 1, max(error.offset or 1, 1), str(error.msg))
    except (ValueError, RecursionError, MemoryError, OverflowError, SystemError) as error:
        return CodeProblem(
            module, 1, 1, f"the code cannot be read: {str(error) or 'it is nested too deeply'}"
        )
