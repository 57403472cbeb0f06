"""What a .npy file holds, read without numpy and without opening a pickle. Pure."""

from __future__ import annotations

import ast
import math
import sys
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

MAGIC: Final = b"\x93NUMPY"
HEADER: Final = 10_000  # bytes; numpy itself takes no more from strangers
SUMMED: Final = 1_000_000  # values of which least, greatest and mean are found
ROWS: Final = 20
COLUMNS: Final = 20

# Code of numpy, whose digit is its width in bytes -> code of a memoryview. Halves, complex numbers and
# records are not summed up.
CODES: Final = {
    "b1": "?",
    "i1": "b",
    "u1": "B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
    "f4": "f",
    "f8": "d",
}
NATIVE: Final = "<" if sys.byteorder == "little" else ">"
Json = dict[str, Any]


class NoArray(Exception):
    """The bytes are no array; the text says why."""


@dataclass(frozen=True)
class Header:
    """dtype: in numpy's words. by_columns: the first index varies fastest."""

    shape: tuple[int, ...]
    dtype: Any
    by_columns: bool

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def code(self) -> str | None:
        """Of a memoryview over the values; None where this machine does not read them as they lie."""
        if not isinstance(self.dtype, str) or self.dtype[:1] not in (NATIVE, "|"):
            return None
        return CODES.get(self.dtype[1:])


def look(file: BinaryIO, size: int) -> Json:
    """{"shape", "dtype", "objects", "summary": as `summary` | None, "values": as `corner` | None}.

    ``size``: bytes of the whole file. Raises NoArray.
    """
    header = read_header(file)
    told: Json = {
        "shape": list(header.shape),
        "dtype": header.dtype if isinstance(header.dtype, str) else repr(header.dtype)[:500],
        "objects": "O" in repr(header.dtype),
        "summary": None,
        "values": None,
    }
    if header.code is None:
        return told
    values = read_values(file, header, size)
    if values is not None and header.count:
        told["summary"] = summary(values)
        told["values"] = corner(values, header)
    return told


def read_header(file: BinaryIO) -> Header:
    """The literal at the beginning. Raises NoArray."""
    start = file.read(8)
    if len(start) < 8 or not start.startswith(MAGIC):
        raise NoArray("It is no .npy file.")
    length = int.from_bytes(file.read(2 if start[6] == 1 else 4), "little")
    if length > HEADER:
        raise NoArray("The header of the array is larger than any true one.")
    try:
        found = ast.literal_eval(file.read(length).decode("latin-1"))
        shape = tuple(int(size) for size in found["shape"])
        header = Header(shape, found["descr"], bool(found["fortran_order"]))
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as problem:
        raise NoArray("The header of the array cannot be read.") from problem
    if any(size < 0 for size in shape):
        raise NoArray("The header of the array names a negative size.")
    return header


def read_values(file: BinaryIO, header: Header, size: int) -> memoryview | None:
    """All values in the order of the file; None when they are too many. Raises NoArray when some miss."""
    width = int(header.dtype[2:])
    wanted = header.count * width
    if size - file.tell() < wanted:
        raise NoArray(f"The header promises {header.count:,} values, and the file holds fewer.")
    data: Any = memoryview(file.read(wanted)) if header.count <= SUMMED else None
    return None if data is None else data.cast(header.code)


def summary(values: memoryview) -> Json:
    """{"min", "max", "mean", "not_finite"} of the finite values; only the last when there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return {"min": None, "max": None, "mean": None, "not_finite": len(values)}
    return {
        "min": shown(min(finite)),
        "max": shown(max(finite)),
        "mean": math.fsum(finite) / len(finite),
        "not_finite": len(values) - len(finite),
    }


def corner(values: memoryview, header: Header) -> list[list[Any]] | None:
    """The first rows and columns of an array of one or two dimensions; one dimension is one column."""
    if len(header.shape) not in (1, 2):
        return None
    rows, columns = header.shape if len(header.shape) == 2 else (header.shape[0], 1)

    def at(row: int, column: int) -> Any:
        return values[column * rows + row] if header.by_columns else values[row * columns + column]

    return [
        [shown(at(row, column)) for column in islice(range(columns), COLUMNS)]
        for row in islice(range(rows), ROWS)
    ]


def shown(value: Any) -> Any:
    """A value as JSON that means the same to every reader."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool) or abs(value) <= 2**53 else str(value)
