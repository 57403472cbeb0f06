"""Signatures of blocks, read from text."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pipelines.limits import MAX_SOURCE_BYTES
from pipelines.signatures import CodeProblem, Signature, module_name, read_folder, read_modules, read_source

HEAD = """
from __future__ import annotations
import collections.abc
import typing as t
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars
import pyarrow as pa
import sklearn.base
from PIL import Image
from sklearn.linear_model import LogisticRegression as Model
Table = pa.Table
UserId = NewType("UserId", int)
class Row(TypedDict):
    x: float
class Longer(Row):
    y: int
class Plain: ...
"""


def _read(code: str) -> Signature:
    found = read_source(HEAD + dedent(code))
    assert isinstance(found, Signature), found
    return found


def _hint(hint: str) -> str:
    return _read(f"def f(x: {hint}): ...").inputs[0].type


@pytest.mark.parametrize(
    "hint, port_type",
    [
        *[("int", "integer"), ("float", "number"), ("str", "string"), ("bool", "boolean")],
        *[("dict", "json"), ("dict[str, int]", "json"), ("list", "json"), ("list[float]", "json")],
        *[("Row", "json"), ("Longer", "json"), ("t.Dict[str, int]", "json"), ("tuple[int, str]", "json")],
        *[("collections.abc.Sequence[int]", "json"), ("pa.Table", "table"), ("Table", "table")],
        *[("pd.DataFrame", "table"), ("polars.DataFrame", "table"), ("np.ndarray", "array")],
        *[("npt.NDArray[np.float64]", "array"), ("Path", "file"), ("Image.Image", "image")],
        *[('Annotated[Path, "folder"]', "folder"), ('Annotated[int, "folder"]', "integer")],
        *[("Model", "model"), ("sklearn.base.BaseEstimator", "model"), ("Any", "any"), ("Plain", "any")],
        *[("object", "any"), ("unknown.Thing", "any"), ("UserId", "integer"), ('"pa.Table"', "table")],
        *[("Optional[int]", "integer"), ("int | None", "integer"), ("Union[int, float]", "number")],
        *[("int | str", "any"), ('Literal["a", "b"]', "string"), ("Literal[1, 2]", "integer")],
        *[("t.Final[str]", "string"), ('"not an expression ("', "any"), ("lambda: 1", "any")],
    ],
)
def test_hints_become_port_types(hint: str, port_type: str) -> None:
    assert _hint(hint) == port_type


def test_an_argument_without_hint_takes_anything() -> None:
    assert _read("def f(x): ...").inputs[0].type == "any"


def test_arguments_with_defaults_are_optional() -> None:
    inputs = _read("def f(a: int, b: float = 0.5, *, c: str, d: list = [], e: object = object()): ...").inputs
    assert [(port.name, port.required, port.default, port.has_default) for port in inputs] == [
        ("a", True, None, False),
        ("b", False, 0.5, True),
        ("c", True, None, False),
        ("d", False, [], True),
        ("e", False, None, False),
    ]


def test_keyword_arguments_make_it_open() -> None:
    found = _read("def f(a, *args, **more): ...")
    assert found.open
    assert [port.name for port in found.inputs] == ["a"]


@pytest.mark.parametrize(
    "code, outputs",
    [
        ("def f() -> None: ...", {}),
        ("def f() -> t.NoReturn: ...", {}),
        ("def f(): ...", {"result": "any"}),
        ("def f() -> int: ...", {"result": "integer"}),
        ("def f() -> dict: ...", {"result": "json"}),
        ("def f() -> tuple[int, int]: ...", {"result": "json"}),
        ("def f() -> Plain: ...", {"result": "any"}),
        ("def f() -> Longer: ...", {"x": "number", "y": "integer"}),
        ("class O(NamedTuple):\n  t: Table\n  n: int = 0\ndef f() -> O: ...", {"t": "table", "n": "integer"}),
        ("class O(NamedTuple):\n  t: Table\ndef f() -> 'O': ...", {"t": "table"}),
        ("@dataclass\nclass O:\n  m: Model\ndef f() -> O: ...", {"m": "model"}),
        (
            "@dataclass(frozen=True)\nclass A:\n  m: Model\n  c: t.ClassVar[int] = 1\n"
            "@dataclass\nclass O(A):\n  n: int\ndef f() -> O: ...",
            {"m": "model", "n": "integer"},
        ),
        (
            "O = NamedTuple('O', [('a', int), ('b', Table)])\ndef f() -> O: ...",
            {"a": "integer", "b": "table"},
        ),
        ("O = TypedDict('O', {'a': int})\ndef f() -> O: ...", {"a": "integer"}),
    ],
)
def test_return_annotations_become_outputs(code: str, outputs: dict[str, str]) -> None:
    assert {port.name: port.type for port in _read(code).outputs} == outputs


def test_names_are_followed_over_modules_of_the_folder() -> None:
    read = read_modules(
        {
            "steps.train": "from ..shapes import Table\nfrom shapes import Out as O\n"
            "def f(x: Table) -> O: ...",
            "shapes": "import pyarrow\nfrom typing import NamedTuple\nTable = pyarrow.Table\n"
            "class Out(NamedTuple):\n  m: int\n",
            "whole": "import shapes\ndef g(x: shapes.Table) -> shapes.Out: ...",
        }
    )
    for name in ("steps.train:f", "whole:g"):
        assert read.blocks[name].inputs[0].type == "table"
        assert [port.name for port in read.blocks[name].outputs] == ["m"]


def test_relative_imports_of_a_package_are_its_own() -> None:
    files = {
        "pkg": "from .shapes import T\ndef f(x: T): ...",
        "pkg.shapes": "import pyarrow\nT = pyarrow.Table",
    }
    assert read_modules(files, {"pkg"}).blocks["pkg:f"].inputs[0].type == "table"


def test_imports_for_type_checking_count() -> None:
    head = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pyarrow\n"
    found = read_source(f"{head}def f(x: 'pyarrow.Table'): ...")
    assert isinstance(found, Signature)
    assert found.inputs[0].type == "table"


def test_private_functions_and_methods_are_no_blocks() -> None:
    read = read_modules({"m": "def _hidden(): ...\nclass C:\n  def method(self): ...\ndef seen(): ..."})
    assert list(read.blocks) == ["m:seen"]


def test_inline_code_is_its_last_public_function() -> None:
    found = _read("def first(a): ...\ndef last(b):\n  'What it does.\\n\\nMore.'\ndef _helper(c): ...")
    assert (found.name, found.inputs[0].name, found.doc) == ("last", "b", "What it does.")


@pytest.mark.parametrize(
    "code, why",
    [
        ("async def f(): ...", "asynchronous"),
        ("def f(a, /): ...", "'a' cannot be given by name"),
        ("def f():\n  yield 1", "generator"),
    ],
)
def test_functions_that_cannot_be_run_say_why(code: str, why: str) -> None:
    assert why in _read(code).problem


def test_a_generator_inside_a_function_is_no_problem() -> None:
    assert _read("def f():\n  def inner():\n    yield 1\n  return list(inner())").problem == ""


@pytest.mark.parametrize(
    "text, line",
    [
        ("def f(:\n", 1),
        ("x = 1\ndef f()\n  pass\n", 2),
        ("x = 1\n", 1),
        ("x\0y", 1),
        ("(" * 5_000, 1),
        ("x = " + "-" * 100_000 + "1", 1),
        ("#" * (MAX_SOURCE_BYTES + 1), 1),
    ],
)
def test_code_that_cannot_be_read_is_a_problem_at_its_line(text: str, line: int) -> None:
    found = read_source(text)
    assert isinstance(found, CodeProblem)
    assert found.line == line
    assert found.message


@pytest.mark.parametrize(
    "code",
    [
        "A = B\nB = A\ndef f(x: A) -> A: ...",
        "class A(A): ...\ndef f(x: A) -> A: ...",
        "class A(B): ...\nclass B(A): ...\ndef f(x: A) -> A: ...",
        "from typing import Union\n"
        + "\n".join(f"A{n} = Union[{', '.join([f'A{n + 1}'] * 50)}]" for n in range(15))
        + "\ndef f(x: A0): ...",
        "def f(x: " + "list[" * 150 + "int" + "]" * 150 + "): ...",
        "def f(x: a" + ".b" * 500 + "): ...",
    ],
)
def test_definitions_that_go_in_circles_come_to_an_end(code: str) -> None:
    assert isinstance(read_source(code), Signature)


def test_nothing_is_imported_or_run(tmp_path: Path) -> None:
    (tmp_path / "trap_of_signatures.py").write_text("raise SystemExit\ndef f(x: int) -> str: ...")
    read = read_folder(tmp_path)
    assert "trap_of_signatures" not in sys.modules
    assert read.blocks["trap_of_signatures:f"].outputs[0].type == "string"


def test_a_folder_is_read_whole_but_for_links_and_hidden_folders(tmp_path: Path) -> None:
    for name in ("a.py", "pkg/__init__.py", "pkg/b.py", ".hidden/c.py", "__pycache__/d.py", "not-a-name.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("def f(): ...")
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "broken.py").write_text("def f(:")
    (tmp_path / "latin.py").write_bytes(b"# \xe9")
    read = read_folder(tmp_path)
    assert sorted(read.blocks) == ["a:f", "pkg.b:f", "pkg:f"]
    assert sorted(problem.module for problem in read.problems) == ["broken", "latin"]


def test_modules_are_named_as_they_are_imported() -> None:
    assert module_name("a/b.py") == "a.b"
    assert module_name("a/__init__.py") == "a"
    assert module_name("__init__.py") is None
    assert module_name("a-b.py") is None


def test_a_signature_survives_json() -> None:
    found = _read("def f(a: int, b: list = [1], **more) -> Row: ...")
    again = Signature.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found


def test_a_literal_names_the_only_values_it_takes() -> None:
    text = (
        "from typing import Literal\n"
        "Size = Literal['small', 'large']\n"
        "def main(size: Size, mode: Literal['fast'] | None = None,\n"
        "         n: Literal[1, 2] = 1, free: str = ''): ...\n"
    )
    read = read_source(text)
    assert isinstance(read, Signature)
    assert [port.choices for port in read.inputs] == [("small", "large"), ("fast",), (1, 2), ()]
    assert read.inputs[0].to_json()["choices"] == ["small", "large"]
    assert Signature.from_json(read.to_json()) == read
