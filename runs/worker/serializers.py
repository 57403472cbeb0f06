"""How values become files and files become values again, inside a runner.

Standard library only at import; pyarrow, pandas, polars, numpy, joblib, PIL are imported where a value needs
them and are the ones of the task's own environment. Python >= 3.9. Pickles are opened here and nowhere else.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys

TYPE_CHECKING = False  # importing `typing` or `pathlib` would cost every fork of the zygote their pages
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    Descriptor = dict[str, Any]

INLINE_LIMIT = 64 * 1024  # bytes of JSON that travel as a value; anything larger becomes a file

PARQUET = "application/vnd.apache.parquet"
NPY = "application/x-npy"
JSON = "application/json"
JOBLIB = "application/x-joblib"
PICKLE = "application/x-pickle"
FOLDER = "application/x-folder"
PNG = "image/png"
BYTES = "application/octet-stream"


class Mismatch(TypeError):
    """A value is not of the declared type, or cannot be written as it."""


def as_path(path: str | os.PathLike[str]) -> Path:
    """A pathlib.Path, imported only where an attempt has files at all."""
    from pathlib import Path

    return Path(path)


def available(name: str) -> bool:
    """Is this top-level module installed in the task's environment?"""
    return name in sys.modules or importlib.util.find_spec(name) is not None


def class_name(value: Any) -> str:
    """Full name of a value's class, as a person would write it."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def library(value: Any) -> str:
    """The top-level package a value's class comes from: `pandas`, `numpy`, `builtins`."""
    return type(value).__module__.split(".", 1)[0]


# --- plain values ---------------------------------------------------------------------------------


def as_integer(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise Mismatch(f"expected an integer, got {class_name(value)}")
    return int(value.__index__())


def as_number(value: Any) -> float | int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
        raise Mismatch(f"expected a number, got {class_name(value)}")
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise Mismatch(f"{number} is not a number that JSON can hold; return a finite one")
    return number


def as_string(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise Mismatch(f"expected a string, got {class_name(value)}")


def as_boolean(value: Any) -> bool:
    if isinstance(value, bool) or (type(value).__name__ in ("bool_", "bool") and library(value) == "numpy"):
        return bool(value)
    raise Mismatch(f"expected a boolean, got {class_name(value)}")


def plain(value: Any) -> Any:
    """What JSON does not know by itself: numpy scalars and arrays, dataclasses, sets, paths, dates."""
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if library(value) == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise Mismatch(f"{class_name(value)} cannot be written as JSON")


def as_json(value: Any) -> Any:
    """The value as JSON understands it: a NamedTuple is a mapping."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    return value


SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": as_integer,
    "number": as_number,
    "string": as_string,
    "boolean": as_boolean,
    "json": as_json,
}


def to_json(value: Any) -> str:
    """JSON text of a value. Raises Mismatch with the reason."""
    try:
        return json.dumps(value, default=plain, allow_nan=False)
    except (ValueError, RecursionError) as problem:
        raise Mismatch(f"cannot be written as JSON: {problem}") from None
    except TypeError as problem:
        raise (
            problem if isinstance(problem, Mismatch) else Mismatch(f"cannot be written as JSON: {problem}")
        ) from None


def save_scalar(kind: str, value: Any, target: str) -> Descriptor:
    text = to_json(SCALARS[kind](value))
    if len(text) <= INLINE_LIMIT:
        return {"value": json.loads(text)}
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".json", "w", encoding="utf-8") as file:
        file.write(text)
    return {"path": target + ".json", "media_type": JSON, "meta": {}}


# --- tables ---------------------------------------------------------------------------------------


def save_table(value: Any, target: Path) -> Descriptor:
    path = target.with_name(target.name + ".parquet")
    kind = library(value)
    if isinstance(value, os.PathLike):
        return adopt_parquet(as_path(value), path)
    if kind == "polars" and hasattr(value, "lazy"):
        frame = value.collect() if hasattr(value, "collect") else value
        frame.write_parquet(path)
        columns = [{"name": name, "type": str(dtype)} for name, dtype in frame.schema.items()]
        return {"path": str(path), "media_type": PARQUET, "meta": {"rows": frame.height, "columns": columns}}
    return write_arrow(arrow_table(value), path)


def arrow_table(value: Any) -> Any:
    """A pyarrow table made of a table, a record batch, a data frame, or a list of dicts."""
    if not available("pyarrow"):
        raise Mismatch("tables are written as Parquet: add pyarrow to the lock file of the code location")
    pyarrow = importlib.import_module("pyarrow")
    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    try:
        if library(value) == "pandas":
            return pyarrow.Table.from_pandas(value)
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            return pyarrow.Table.from_pylist(value)
        if hasattr(value, "__arrow_c_stream__"):
            return pyarrow.table(value)
    except (pyarrow.ArrowException, TypeError, ValueError) as problem:
        raise Mismatch(f"this {class_name(value)} cannot be written as Parquet: {problem}") from problem
    raise Mismatch(f"expected a table (pyarrow, pandas, polars or a list of dicts), got {class_name(value)}")


def write_arrow(table: Any, path: Path) -> Descriptor:
    importlib.import_module("pyarrow.parquet").write_table(table, path)
    columns = [{"name": field.name, "type": str(field.type)} for field in table.schema]
    return {"path": str(path), "media_type": PARQUET, "meta": {"rows": table.num_rows, "columns": columns}}


def adopt_parquet(source: Path, path: Path) -> Descriptor:
    """A Parquet file that the task wrote itself."""
    with open(source, "rb") as file:
        if file.read(4) != b"PAR1":
            raise Mismatch(f"{source.name} is not a Parquet file")
    place(source, path)
    meta: dict[str, Any] = {}
    if available("pyarrow"):
        found = importlib.import_module("pyarrow.parquet").ParquetFile(path)
        columns = [{"name": field.name, "type": str(field.type)} for field in found.schema_arrow]
        meta = {"rows": found.metadata.num_rows, "columns": columns}
    return {"path": str(path), "media_type": PARQUET, "meta": meta}


def load_table(path: Path, hint: str) -> Any:
    """A table as the class the hint names; without one pandas, else pyarrow, else polars, else the path."""
    wanted = [name for name in ("polars", "pyarrow", "pandas") if name in hint]
    for name in wanted or ["pandas", "pyarrow", "polars"]:
        if name == "pandas" and available("pandas") and (available("pyarrow") or available("fastparquet")):
            return importlib.import_module("pandas").read_parquet(path)
        if name == "pyarrow" and available("pyarrow"):
            return importlib.import_module("pyarrow.parquet").read_table(path, partitioning=None)
        if name == "polars" and available("polars"):
            return importlib.import_module("polars").read_parquet(path)
    if wanted:
        raise Mismatch(f"this environment has no {wanted[0]} (with Parquet support) to read a table with")
    return path


# --- arrays, models, images -----------------------------------------------------------------------


def save_array(value: Any, target: Path) -> Descriptor:
    if isinstance(value, (str, bytes, dict)) or value is None:
        raise Mismatch(f"expected an array, got {class_name(value)}")
    if not available("numpy"):
        raise Mismatch("arrays are written with numpy: add it to the lock file of the code location")
    numpy = importlib.import_module("numpy")
    array = numpy.asarray(value)
    if array.dtype.hasobject:
        raise Mismatch("an array of Python objects cannot be stored; return a table, json or model")
    path = target.with_name(target.name + ".npy")
    numpy.save(path, array, allow_pickle=False)
    meta = {"shape": list(array.shape), "dtype": str(array.dtype)}
    return {"path": str(path), "media_type": NPY, "meta": meta}


def load_array(path: Path) -> Any:
    if not available("numpy"):
        raise Mismatch("this environment has no numpy to read an array with")
    return importlib.import_module("numpy").load(path, allow_pickle=False)


def save_model(value: Any, target: Path) -> Descriptor:
    """A model by joblib where it is installed, else by pickle protocol 5; a path is taken as it is."""
    if isinstance(value, os.PathLike):
        return save_folder(value, target) if os.path.isdir(value) else save_file(value, target)
    if value is None:
        raise Mismatch("expected a model, got None")
    import pickle

    package = library(value)
    version = getattr(sys.modules.get(package), "__version__", None)
    meta = {"class": class_name(value), "library": package, "library_version": version}
    use_joblib = available("joblib")
    path = target.with_name(target.name + (".joblib" if use_joblib else ".pickle"))
    try:
        if use_joblib:
            importlib.import_module("joblib").dump(value, path, protocol=5)
        else:
            path.write_bytes(pickle.dumps(value, protocol=5))
    except (pickle.PicklingError, AttributeError, TypeError) as problem:
        raise Mismatch(f"this {class_name(value)} cannot be stored as a model: {problem}") from problem
    return {"path": str(path), "media_type": JOBLIB if use_joblib else PICKLE, "meta": meta}


def load_model(path: Path, media_type: str) -> Any:
    if media_type in (BYTES, FOLDER) or path.is_dir():
        return path
    if media_type != PICKLE and available("joblib"):
        return importlib.import_module("joblib").load(path)
    import pickle

    with open(path, "rb") as file:
        return pickle.load(file)  # noqa: S301 - in a runner, which runs the code of the same team anyway


def save_image(value: Any, target: Path) -> Descriptor:
    if isinstance(value, os.PathLike):
        return save_file(value, target)
    path = target.with_name(target.name + ".png")
    if library(value) == "PIL":
        value.save(path, "PNG")
        meta: dict[str, Any] = {"width": value.width, "height": value.height}
    elif hasattr(value, "savefig"):
        value.savefig(path, format="png")
        meta = {}
    else:
        raise Mismatch(f"expected an image (a path, a PIL image or a figure), got {class_name(value)}")
    return {"path": str(path), "media_type": PNG, "meta": meta}


# --- files and folders ----------------------------------------------------------------------------


def place(source: Path, path: Path) -> None:
    """Put a file's bytes at `path`: linked when they are the attempt's own, copied when they lie outside."""
    if source.resolve() == path.resolve():
        return
    inside = source.resolve().as_posix().startswith(os.getcwd() + "/")
    if inside and not source.is_symlink():
        try:
            os.link(source, path)
            return
        except OSError:
            pass  # another file system, or one without links: copied below
    import shutil

    shutil.copyfile(source, path)


def existing(value: Any, kind: str) -> Path:
    if not isinstance(value, (str, os.PathLike)):
        raise Mismatch(f"expected the path of a {kind}, got {class_name(value)}")
    path = as_path(value)
    if not path.exists():
        raise Mismatch(f"{path} does not exist; return the path of a {kind} that the task has written")
    if (kind == "file" and not path.is_file()) or (kind == "folder" and not path.is_dir()):
        raise Mismatch(f"{path} is not a {kind}")
    return path


def save_file(value: Any, target: Path) -> Descriptor:
    import mimetypes

    source = existing(value, "file")
    media_type = mimetypes.guess_type(source.name)[0] or BYTES
    path = (
        source
        if source.parent.resolve() == target.parent.resolve()
        else target.with_name(target.name + source.suffix)
    )
    place(source, path)
    return {"path": str(path), "media_type": media_type, "meta": {"filename": as_text(source.name)}}


def as_text(name: str) -> str:
    """A file's name as text: of one that is not UTF-8, its other bytes as \\xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def save_folder(value: Any, target: Path) -> Descriptor:
    import shutil

    source = existing(value, "folder")
    path = target.with_name(target.name + ".folder")
    if source.parent.resolve() == target.parent.resolve() and not source.is_symlink():
        path = source
    else:
        shutil.copytree(source, path, symlinks=True, copy_function=copy_entry)
    files = sum(len(names) for _, _, names in os.walk(path))
    return {
        "path": str(path),
        "media_type": FOLDER,
        "meta": {"filename": as_text(source.name), "files": files},
    }


def copy_entry(source: str, path: str) -> str:
    place(as_path(source), as_path(path))
    return path


# --- any ------------------------------------------------------------------------------------------


def kind_of(value: Any) -> str:
    """The port type of a value whose type was not declared."""
    if value is None or isinstance(value, (bool, int, float, str, dict, list, tuple)):
        plain_kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
        return plain_kinds.get(type(value), "json")
    if isinstance(value, os.PathLike):
        return "folder" if os.path.isdir(value) else "file"
    package = library(value)
    if package in ("pandas", "polars", "pyarrow") and hasattr(value, "columns") and hasattr(value, "shape"):
        return "table"
    if package == "numpy":
        return "array" if hasattr(value, "ndim") and value.ndim else "json"
    if package == "PIL" or hasattr(value, "savefig"):
        return "image"
    return "model"


FILES: dict[str, Callable[[Any, Path], Descriptor]] = {
    "table": save_table,
    "array": save_array,
    "model": save_model,
    "image": save_image,
    "file": save_file,
    "folder": save_folder,
}


def save(kind: str, value: Any, target: str) -> Descriptor:
    """Write a value as its port type says; `target` is the path without a suffix.

    Answers {"type", "value"} or {"type", "path", "media_type", "meta"}. Raises Mismatch.
    """
    if kind == "any":
        kind = kind_of(value)
    if kind in SCALARS:
        return {"type": kind, **save_scalar(kind, value, target)}
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return {"type": kind, **FILES[kind](value, as_path(target))}


MEDIA_KINDS = {PARQUET: "table", NPY: "array", JSON: "json", JOBLIB: "model", PICKLE: "model"}


def load(port: Descriptor, hint: str) -> Any:
    """The value of an input as a function wants it; `hint` is the annotation as text, '' without one.

    A hint of Path gives the path itself, whatever the type. Raises OSError when the bytes are not there.
    """
    if "path" not in port:
        return port.get("value")
    path = as_path(port["path"])
    if not path.exists():
        raise FileNotFoundError(f"the bytes of this input are gone: {path}")
    kind = port["type"]
    if kind == "any":
        kind = MEDIA_KINDS.get(port.get("media_type", ""), "file")
    if kind in ("file", "folder", "image") or hint.split("[")[0].rsplit(".", 1)[-1] in ("Path", "PathLike"):
        return path
    if kind == "table":
        return load_table(path, hint)
    if kind == "array":
        return load_array(path)
    if kind == "model":
        return load_model(path, port.get("media_type", ""))
    return json.loads(path.read_text())


def read_written(kind: str, name: str, folder: str) -> Descriptor:
    """The output that a script left at `folder/name`, read as its declared type. Raises Mismatch."""
    path = as_path(folder) / name
    if not path.exists():
        raise Mismatch(f"the script did not write $OUT/{name}")
    if path.is_symlink():
        own_bytes(path)
    if kind == "any":
        kind = "folder" if path.is_dir() else "file"
    if kind in SCALARS:
        return {"type": kind, **save_scalar(kind, parse_written(kind, name, path), f"{path}.value")}
    if kind == "model":
        return {"type": kind, **save_model(path, path)}
    if kind == "array":
        check_array(name, path)
        return {"type": kind, "path": str(path), "media_type": NPY, "meta": {}}
    return {"type": kind, **FILES[kind](path, path)}


def own_bytes(link: Path) -> None:
    """Put what a link leads to in its place: an output has its own bytes."""
    import shutil

    source = link.resolve()
    link.unlink()
    if source.is_dir():
        shutil.copytree(source, link, symlinks=True)
    else:
        shutil.copyfile(source, link)


def parse_written(kind: str, name: str, path: Path) -> Any:
    if not path.is_file():
        raise Mismatch(f"$OUT/{name} must be a file that holds a {kind}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Mismatch(f"$OUT/{name} is not UTF-8 text") from None
    if kind == "string":
        return text[:-1] if text.endswith("\n") else text
    try:
        return json.loads(text)
    except ValueError:
        raise Mismatch(f"$OUT/{name} should hold a value of type {kind}, but holds {quoted(text)}") from None


def quoted(text: str) -> str:
    """A text in a sentence, whole or not at all: the beginning of a secret would not be known as one."""
    text = text.strip()
    return repr(text) if len(text) <= 80 else f"{len(text)} characters of another kind"


def check_array(name: str, path: Path) -> None:
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise Mismatch(f"$OUT/{name} is not a .npy file")
