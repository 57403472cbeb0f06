"""Block signatures, read from the text of Python code with `ast`; nothing is imported or run. Pure.

A block is a public function at the top of a module. Its arguments are inputs, its return annotation gives
the outputs: a NamedTuple, dataclass or TypedDict one for each field, None none, everything else one called
`result`. What a hint means is found out over imports and classes of the same folder; what cannot be found
out is `any`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pipelines.limits import MAX_SOURCE_BYTES, MAX_SOURCE_FILES
from pipelines.ports import Port

# Folders that hold no blocks.
_SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})
_MAX_HOPS: Final = 16  # aliases and imports followed for one hint
# Aliases of unions of aliases grow without end: after so many steps a hint is `any`.
_STEPS_PER_SIGNATURE: Final = 2_000
_STEPS_PER_FOLDER: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Signature:
    """What a block takes and gives.

    open: it has **kwargs, so it takes further inputs. problem: why it cannot be used as a block, or "".
    doc: the first line of its docstring. line: of its `def`, from 1.
    """

    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    open: bool = False
    doc: str = ""
    line: int = 1
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inputs": [port.to_json() for port in self.inputs],
            "outputs": [{"name": port.name, "type": port.type} for port in self.outputs],
            "open": self.open,
            "doc": self.doc,
            "line": self.line,
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Signature:
        """The inverse of `to_json`. KeyError when name, inputs or outputs are absent."""
        return cls(
            name=data["name"],
            inputs=tuple(Port.from_json(port) for port in data["inputs"]),
            outputs=tuple(Port.from_json(port) for port in data["outputs"]),
            open=data.get("open", False),
            doc=data.get("doc", ""),
            line=data.get("line", 1),
            problem=data.get("problem", ""),
        )


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """A module that cannot be read: line and column from 1."""

    module: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks of a folder by "module:function", and the modules that could not be read."""

    blocks: dict[str, Signature]
    problems: list[CodeProblem]


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
    library = _Library()
    problems = []
    for module, text in files.items():
        tree = _parsed(text, module)
        if isinstance(tree, CodeProblem):
            problems.append(tree)
        else:
            library.modules[module] = _Module(module, tree, is_package=module in packages)
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
    module = _Module("", tree)
    functions = [function for function in module.functions if not function.name.startswith("_")]
    if not functions:
        return CodeProblem("", 1, 1, "it defines no function: write `def main(…): …`; the last one is run")
    library = _Library()
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


# --- modules and names ------------------------------------------------------------------------------

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Module:
    """The names at the top of one module: imports as dotted names, classes, functions, aliases."""

    def __init__(self, name: str, tree: ast.Module, *, is_package: bool = False) -> None:
        self.name = name
        self.package = name if is_package else name.rpartition(".")[0]
        self.imports: dict[str, str] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.aliases: dict[str, ast.expr] = {}
        functions: dict[str, _Function] = {}
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


@dataclass(frozen=True, slots=True)
class _Class:
    """A class of the folder, with the module whose names its body uses."""

    module: _Module
    node: ast.ClassDef


# Where a hint is a name from outside the folder.
_KNOWN_TYPES: Final = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "dict": "json",
    "list": "json",
    "tuple": "json",
    "typing.Dict": "json",
    "typing.List": "json",
    "typing.Tuple": "json",
    "typing.Mapping": "json",
    "typing.Sequence": "json",
    "typing.TypedDict": "json",
    "collections.abc.Mapping": "json",
    "collections.abc.MutableMapping": "json",
    "collections.abc.Sequence": "json",
    "pathlib.Path": "file",
    "pathlib.PosixPath": "file",
    "os.PathLike": "file",
    "pyarrow.Table": "table",
    "pyarrow.lib.Table": "table",
    "pyarrow.RecordBatch": "table",
    "pandas.DataFrame": "table",
    "pandas.core.frame.DataFrame": "table",
    "polars.DataFrame": "table",
    "polars.LazyFrame": "table",
    "numpy.ndarray": "array",
    "numpy.typing.NDArray": "array",
    "PIL.Image.Image": "image",
}
# Libraries whose other classes are models: the default serializer takes them.
_MODEL_LIBRARIES: Final = frozenset(
    {
        "sklearn",
        "torch",
        "xgboost",
        "lightgbm",
        "catboost",
        "keras",
        "tensorflow",
        "transformers",
        "statsmodels",
    }
)
_NAMED_TUPLES: Final = frozenset({"typing.NamedTuple", "typing_extensions.NamedTuple"})
_TYPED_DICTS: Final = frozenset({"typing.TypedDict", "typing_extensions.TypedDict"})
_DATACLASSES: Final = frozenset({"dataclasses.dataclass", "pydantic.dataclasses.dataclass"})
_OPTIONALS: Final = frozenset({"typing.Optional"})
_UNIONS: Final = frozenset({"typing.Union"})
_ANNOTATED: Final = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
_LITERALS: Final = frozenset({"typing.Literal", "typing_extensions.Literal"})
_WRAPPERS: Final = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Final", "Required", "NotRequired", "ReadOnly")
)
_NOT_FIELDS: Final = frozenset({"typing.ClassVar", "dataclasses.InitVar"})


class _Library:
    """All modules that can be seen, and what a hint in one of them means."""

    def __init__(self) -> None:
        self.modules: dict[str, _Module] = {}
        self._steps_left = 0
        self._steps_left_in_all = _STEPS_PER_FOLDER

    def signature(self, module: _Module, function: _Function) -> Signature:
        """The signature of one function."""
        self._steps_left = min(_STEPS_PER_SIGNATURE, self._steps_left_in_all)
        self._steps_left_in_all -= self._steps_left
        signature = Signature(
            name=function.name,
            inputs=tuple(self._inputs(module, function.args)),
            outputs=tuple(self._outputs(module, function.returns)),
            open=function.args.kwarg is not None,
            doc=(ast.get_docstring(function) or "").partition("\n")[0].strip(),
            line=function.lineno,
        )
        self._steps_left_in_all += max(self._steps_left, 0)  # what was not used
        return replace(signature, problem=_unusable(function))

    def _inputs(self, module: _Module, arguments: ast.arguments) -> Iterator[Port]:
        plain = arguments.posonlyargs + arguments.args
        defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
        pairs = list(zip(plain, defaults, strict=True))
        pairs += list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
        for argument, default in pairs:
            value, has_default = _constant(default)
            yield Port(
                name=argument.arg,
                type=self.port_type(module, argument.annotation),
                required=default is None,
                default=value,
                has_default=has_default,
                choices=self._choices(module, argument.annotation),
            )

    def _choices(self, module: _Module, hint: ast.expr | None, hops: int = 0) -> tuple[str | int | bool, ...]:
        """The values of a `Literal`, also by another name or beside None; () for every other hint."""
        hint = _unquoted(hint)
        if hops > _MAX_HOPS:
            return ()
        if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr) and _is_none(hint.right):
            return self._choices(module, hint.left, hops + 1)
        if isinstance(hint, ast.Name) and hint.id in module.aliases:
            return self._choices(module, module.aliases[hint.id], hops + 1)
        if not isinstance(hint, ast.Subscript) or self._dotted(module, hint.value) not in _LITERALS:
            return ()
        values = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        found = [value.value for value in values if isinstance(value, ast.Constant)]
        return tuple(value for value in found if isinstance(value, str | int | bool))

    def _outputs(self, module: _Module, hint: ast.expr | None) -> list[Port]:
        hint = _unquoted(hint)
        if isinstance(hint, ast.Constant) and hint.value is None:
            return []
        if hint is not None and self._dotted(module, hint) in ("typing.NoReturn", "typing.Never"):
            return []
        found = self._class(module, hint) if hint is not None else None
        fields = self._fields(found) if found is not None else None
        if fields is None and hint is not None:
            fields = self._functional_fields(module, hint)
        if fields is None:
            return [Port("result", self.port_type(module, hint))]
        return [Port(name, port_type) for name, port_type in fields.items()]

    def _functional_fields(self, module: _Module, hint: ast.expr) -> dict[str, str] | None:
        """`Out = NamedTuple("Out", [("a", int)])` and `Out = TypedDict("Out", {"a": int})`."""
        made = module.aliases.get(hint.id) if isinstance(hint, ast.Name) else None
        if not isinstance(made, ast.Call) or len(made.args) != 2:
            return None
        called, body = self._dotted(module, made.func), made.args[1]
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        if called in _NAMED_TUPLES and isinstance(body, ast.List | ast.Tuple):
            rows = [row.elts for row in body.elts if isinstance(row, ast.Tuple) and len(row.elts) == 2]
            pairs = [(row[0], row[1]) for row in rows]
        elif called in _TYPED_DICTS and isinstance(body, ast.Dict):
            pairs = list(zip(body.keys, body.values, strict=True))
        else:
            return None
        return {
            str(name.value): self.port_type(module, kind)
            for name, kind in pairs
            if isinstance(name, ast.Constant) and isinstance(name.value, str)
        }

    def _fields(self, found: _Class) -> dict[str, str] | None:
        """Names and types of the fields, those of bases first; None when the class has no named fields."""
        lineage = self._lineage(found)
        if not any(self._declares_fields(level) for level in lineage):
            return None
        fields: dict[str, str] = {}
        for level in reversed(lineage):
            for line in level.node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    hint = line.annotation
                    outer = hint.value if isinstance(hint, ast.Subscript) else hint
                    if self._dotted(level.module, outer) not in _NOT_FIELDS:
                        fields[line.target.id] = self.port_type(level.module, hint)
        return fields

    def _lineage(self, found: _Class) -> list[_Class]:
        """The class and its bases within the folder, the nearest first, each once."""
        lineage = {id(found.node): found}
        waiting = [found]
        while waiting and len(lineage) <= _MAX_HOPS:
            level = waiting.pop(0)
            for base in level.node.bases[:_MAX_HOPS]:
                above = self._class(level.module, base)
                if above is not None and id(above.node) not in lineage:
                    lineage[id(above.node)] = above
                    waiting.append(above)
        return list(lineage.values())

    def _declares_fields(self, level: _Class) -> bool:
        """Is it a NamedTuple, TypedDict or dataclass by its own bases and decorators?"""
        for decorator in level.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._dotted(level.module, called) in _DATACLASSES:
                return True
        return self._has_base(level, _NAMED_TUPLES | _TYPED_DICTS)

    def _has_base(self, level: _Class, names: frozenset[str]) -> bool:
        return any(self._dotted(level.module, base) in names for base in level.node.bases)

    def _is_typed_dict(self, found: _Class) -> bool:
        return any(self._has_base(level, _TYPED_DICTS) for level in self._lineage(found))

    # --- what a hint means ---

    def port_type(self, module: _Module, hint: ast.expr | None, hops: int = 0) -> str:
        """The port type of an annotation; `any` for none and for what cannot be found out."""
        hint = _unquoted(hint)
        self._steps_left -= 1
        if hint is None or hops > _MAX_HOPS or self._steps_left < 0:
            return "any"
        if isinstance(hint, ast.Subscript):
            return self._subscript_type(module, hint, hops + 1)
        if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
            return self._union_type(module, [hint.left, hint.right], hops + 1)
        if isinstance(hint, ast.Name) and hint.id in module.aliases:
            return self._alias_type(module, module.aliases[hint.id], hops + 1)
        return self._name_type(module, hint, hops)

    def _alias_type(self, module: _Module, value: ast.expr, hops: int) -> str:
        """`Table = pyarrow.Table`; a made-up type (`TypedDict("T", …)`, `NewType("N", int)`) by its maker."""
        if not isinstance(value, ast.Call):
            return self.port_type(module, value, hops)
        called = self._dotted(module, value.func)
        if called in _TYPED_DICTS:
            return "json"
        if called == "typing.NewType" and len(value.args) == 2:
            return self.port_type(module, value.args[1], hops)
        return "any"

    def _name_type(self, module: _Module, hint: ast.expr, hops: int) -> str:
        found = self._class(module, hint)
        if found is not None:
            return "json" if self._is_typed_dict(found) else "any"
        target = self._foreign_alias(module, hint)
        if target is not None:
            return self.port_type(target[0], target[1], hops + 1)
        dotted = self._dotted(module, hint) or ""
        known = _KNOWN_TYPES.get(dotted)
        if known is None and dotted.partition(".")[0] in _MODEL_LIBRARIES and _is_class_name(dotted):
            return "model"
        return known or "any"

    def _subscript_type(self, module: _Module, hint: ast.Subscript, hops: int) -> str:
        outer = self._dotted(module, hint.value) or ""
        inner = list(hint.slice.elts) if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        if outer in _ANNOTATED and inner:
            kind = self.port_type(module, inner[0], hops)
            marks = [mark.value for mark in inner[1:] if isinstance(mark, ast.Constant)]
            return "folder" if kind == "file" and "folder" in marks else kind
        if outer in _OPTIONALS or outer in _UNIONS:
            return self._union_type(module, inner, hops)
        if outer in _LITERALS:
            return _literal_type(inner)
        if outer in _WRAPPERS and inner:
            return self.port_type(module, inner[0], hops)
        return self.port_type(module, hint.value, hops)

    def _union_type(self, module: _Module, members: list[ast.expr], hops: int) -> str:
        """The one type of all members but None; int | float is a number; else any."""
        kinds = {
            self.port_type(module, member, hops)
            for member in members
            if not (isinstance(member, ast.Constant) and member.value is None)
        }
        if kinds == {"integer", "number"}:
            return "number"
        return kinds.pop() if len(kinds) == 1 else "any"

    def _dotted(self, module: _Module, hint: ast.expr) -> str | None:
        """`np.ndarray` -> `numpy.ndarray` over the imports of the module; None when it is no plain name."""
        parts: list[str] = []
        while isinstance(hint, ast.Attribute):
            parts.append(hint.attr)
            hint = hint.value
        if not isinstance(hint, ast.Name):
            return None
        return ".".join([module.imports.get(hint.id, hint.id), *reversed(parts)])

    def _class(self, module: _Module, hint: ast.expr, hops: int = 0) -> _Class | None:
        """The class of the folder that a name means, over aliases and imports."""
        hint = _unquoted(hint) or hint
        if isinstance(hint, ast.Name) and hint.id in module.classes:
            return _Class(module, module.classes[hint.id])
        if hops > _MAX_HOPS:
            return None
        if isinstance(hint, ast.Name) and hint.id in module.aliases:
            return self._class(module, module.aliases[hint.id], hops + 1)
        home = self._home(module, hint)
        return self._class(home[0], home[1], hops + 1) if home is not None else None

    def _foreign_alias(self, module: _Module, hint: ast.expr) -> tuple[_Module, ast.expr] | None:
        """`from types_of_ours import Table` where that module says `Table = pyarrow.Table`."""
        home = self._home(module, hint)
        if home is None or not isinstance(home[1], ast.Name):
            return None
        return home if home[1].id in home[0].aliases or home[1].id in home[0].imports else None

    def _home(self, module: _Module, hint: ast.expr) -> tuple[_Module, ast.expr] | None:
        """The module of the folder in which a dotted name is defined, and its bare name there."""
        owner, _, name = (self._dotted(module, hint) or "").rpartition(".")
        home = self.modules.get(owner)
        if home is None or home is module or not name:
            return None
        return home, ast.Name(id=name)


def _is_class_name(dotted: str) -> bool:
    """`sklearn.svm.SVC`, `xgboost.Booster`, `torch.nn.Module`; not `torch.device`."""
    return dotted.rpartition(".")[2][:1].isupper()


def _unquoted(hint: ast.expr | None) -> ast.expr | None:
    """`"pa.Table"` -> `pa.Table`; what is no expression inside the quotes -> None."""
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        try:
            return ast.parse(hint.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
            return None
    return hint


def _is_none(hint: ast.expr) -> bool:
    return isinstance(hint, ast.Constant) and hint.value is None


def _literal_type(values: list[ast.expr]) -> str:
    kinds = {type(value.value) for value in values if isinstance(value, ast.Constant)} - {type(None)}
    names = {int: "integer", str: "string", bool: "boolean"}
    return names.get(kinds.pop(), "any") if len(kinds) == 1 else "any"


def _constant(default: ast.expr | None) -> tuple[Any, bool]:
    """The value of a default that is plain JSON, and whether it is."""
    if default is None:
        return None, False
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None, False
    return (value, True) if _is_json(value) else (None, False)


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return value is None or isinstance(value, str | int | bool)


def _unusable(function: _Function) -> str:
    if isinstance(function, ast.AsyncFunctionDef):
        return "it is asynchronous: write a plain `def`"
    required = len(function.args.posonlyargs)
    if required:
        name = function.args.posonlyargs[0].arg
        return f"its argument '{name}' cannot be given by name: remove the '/' from its arguments"
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)):
        return "it is a generator: return the whole value instead of yielding it"
    return ""


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Every node of a function but those of functions and lambdas inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
