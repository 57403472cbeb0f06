"""What the hints of a function mean, over the imports and classes of its folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from pipelines.ports import Port
from pipelines.signatures.found import Signature
from pipelines.signatures.modules import Function, Module

_MAX_HOPS: Final = 16  # aliases and imports followed for one hint
# Aliases of unions of aliases grow without end: after so many steps a hint is `any`.
_STEPS_PER_SIGNATURE: Final = 2_000
_STEPS_PER_FOLDER: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the folder, with the module whose names its body uses."""

    module: Module
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


class Library:
    """All modules that can be seen, and what a hint in one of them means."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self._steps_left = 0
        self._steps_left_in_all = _STEPS_PER_FOLDER

    def signature(self, module: Module, function: Function) -> Signature:
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

    def _inputs(self, module: Module, arguments: ast.arguments) -> Iterator[Port]:
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

    def _choices(self, module: Module, hint: ast.expr | None, hops: int = 0) -> tuple[str | int | bool, ...]:
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

    def _outputs(self, module: Module, hint: ast.expr | None) -> list[Port]:
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

    def _functional_fields(self, module: Module, hint: ast.expr) -> dict[str, str] | None:
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

    def _fields(self, found: Class) -> dict[str, str] | None:
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

    def _lineage(self, found: Class) -> list[Class]:
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

    def _declares_fields(self, level: Class) -> bool:
        """Is it a NamedTuple, TypedDict or dataclass by its own bases and decorators?"""
        for decorator in level.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._dotted(level.module, called) in _DATACLASSES:
                return True
        return self._has_base(level, _NAMED_TUPLES | _TYPED_DICTS)

    def _has_base(self, level: Class, names: frozenset[str]) -> bool:
        return any(self._dotted(level.module, base) in names for base in level.node.bases)

    def _is_typed_dict(self, found: Class) -> bool:
        return any(self._has_base(level, _TYPED_DICTS) for level in self._lineage(found))

    # --- what a hint means ---

    def port_type(self, module: Module, hint: ast.expr | None, hops: int = 0) -> str:
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

    def _alias_type(self, module: Module, value: ast.expr, hops: int) -> str:
        """`Table = pyarrow.Table`; a made-up type (`TypedDict("T", …)`, `NewType("N", int)`) by its maker."""
        if not isinstance(value, ast.Call):
            return self.port_type(module, value, hops)
        called = self._dotted(module, value.func)
        if called in _TYPED_DICTS:
            return "json"
        if called == "typing.NewType" and len(value.args) == 2:
            return self.port_type(module, value.args[1], hops)
        return "any"

    def _name_type(self, module: Module, hint: ast.expr, hops: int) -> str:
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

    def _subscript_type(self, module: Module, hint: ast.Subscript, hops: int) -> str:
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

    def _union_type(self, module: Module, members: list[ast.expr], hops: int) -> str:
        """The one type of all members but None; int | float is a number; else any."""
        kinds = {
            self.port_type(module, member, hops)
            for member in members
            if not (isinstance(member, ast.Constant) and member.value is None)
        }
        if kinds == {"integer", "number"}:
            return "number"
        return kinds.pop() if len(kinds) == 1 else "any"

    def _dotted(self, module: Module, hint: ast.expr) -> str | None:
        """`np.ndarray` -> `numpy.ndarray` over the imports of the module; None when it is no plain name."""
        parts: list[str] = []
        while isinstance(hint, ast.Attribute):
            parts.append(hint.attr)
            hint = hint.value
        if not isinstance(hint, ast.Name):
            return None
        return ".".join([module.imports.get(hint.id, hint.id), *reversed(parts)])

    def _class(self, module: Module, hint: ast.expr, hops: int = 0) -> Class | None:
        """The class of the folder that a name means, over aliases and imports."""
        hint = _unquoted(hint) or hint
        if isinstance(hint, ast.Name) and hint.id in module.classes:
            return Class(module, module.classes[hint.id])
        if hops > _MAX_HOPS:
            return None
        if isinstance(hint, ast.Name) and hint.id in module.aliases:
            return self._class(module, module.aliases[hint.id], hops + 1)
        home = self._home(module, hint)
        return self._class(home[0], home[1], hops + 1) if home is not None else None

    def _foreign_alias(self, module: Module, hint: ast.expr) -> tuple[Module, ast.expr] | None:
        """`from types_of_ours import Table` where that module says `Table = pyarrow.Table`."""
        home = self._home(module, hint)
        if home is None or not isinstance(home[1], ast.Name):
            return None
        return home if home[1].id in home[0].aliases or home[1].id in home[0].imports else None

    def _home(self, module: Module, hint: ast.expr) -> tuple[Module, ast.expr] | None:
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


def _unusable(function: Function) -> str:
    if isinstance(function, ast.AsyncFunctionDef):
        return "it is asynchronous: write a plain `def`"
    required = len(function.args.posonlyargs)
    if required:
        name = function.args.posonlyargs[0].arg
        return f"its argument '{name}' cannot be given by name: remove the '/' from its arguments"
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)):
        return "it is a generator: return the whole value instead of yielding it"
    return ""


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """Every node of a function but those of functions and lambdas inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
