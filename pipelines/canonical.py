"""JSON in its one canonical form (RFC 8785), and the sha256 of it. Pure.

Two programs that hold the same value write the same bytes, so a digest can be made again by anyone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

# RFC 8785 numbers are IEEE 754 doubles: beyond this an integer may not survive the way through one.
# A larger one is taken if it is how a double is written, which is what reading such JSON gives.
LARGEST_INTEGER = 2**53 - 1


class CanonicalError(ValueError):
    """The value has no canonical JSON: no finite double, half a surrogate pair, or a foreign type."""


def canonical(value: Any) -> str:
    """The RFC 8785 text of a JSON value.

    Mappings need str keys; tuples count as lists. Raises :class:`CanonicalError` for whatever JSON cannot
    carry exactly; :func:`portable` makes such numbers fit first.
    """
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts)


def digest(value: Any) -> str:
    """The sha256, in hex, of the canonical bytes of a JSON value."""
    return sha256_of(canonical(value))


def sha256_of(text: str) -> str:
    """The sha256, in hex, of a text as UTF-8."""
    return hashlib.sha256(_utf8(text)).hexdigest()


def portable(value: Any) -> Any:
    """The same value; numbers that no double carries become {"$integer": "…"} or {"$float": "nan"}."""
    if isinstance(value, dict):
        return {str(key): portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [portable(item) for item in value]
    if isinstance(value, int) and not _is_double(value):
        return {"$integer": str(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    return value


def _write(value: Any, put: Any) -> None:
    if isinstance(value, str):
        put(_text(value))
    elif value is None or value is True or value is False:
        put("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        put(_integer(value))
    elif isinstance(value, float):
        put(_double(value))
    elif isinstance(value, Mapping):
        _write_mapping(value, put)
    elif isinstance(value, list | tuple):
        _write_list(value, put)
    else:
        raise CanonicalError(f"{type(value).__name__} is no JSON value")


def _write_mapping(value: Mapping[Any, Any], put: Any) -> None:
    put("{")
    for number, key in enumerate(_sorted_keys(value)):
        put(f"{',' if number else ''}{_text(key)}:")
        _write(value[key], put)
    put("}")


def _write_list(value: list[Any] | tuple[Any, ...], put: Any) -> None:
    put("[")
    for number, item in enumerate(value):
        if number:
            put(",")
        _write(item, put)
    put("]")


def _sorted_keys(value: Mapping[Any, Any]) -> list[str]:
    keys = list(value)
    if not all(isinstance(key, str) for key in keys):
        raise CanonicalError("keys of a JSON object are texts")
    if all(key.isascii() for key in keys):
        return sorted(keys)
    # The order is that of UTF-16 code units, which differs from Python's beyond the basic plane.
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _text(value: str) -> str:
    if not value.isascii():
        _utf8(value)
    return encode_basestring(value)


def _utf8(value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CanonicalError("a text holds half of a surrogate pair") from error


def _integer(value: int) -> str:
    if not _is_double(value):
        raise CanonicalError(f"the integer {value} does not fit a double exactly")
    return str(value) if abs(value) <= LARGEST_INTEGER else _double(float(value))


def _is_double(value: int) -> bool:
    if abs(value) <= LARGEST_INTEGER:
        return True
    try:
        return Decimal(repr(float(value))) == value
    except OverflowError:
        return False


def _double(value: float) -> str:
    """As ECMAScript writes it: shortest digits, plain between 1e-6 and 1e21, else with exponent."""
    if not math.isfinite(value):
        raise CanonicalError(f"{value} is no JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _digits(abs(value))
    return sign + _layout(digits, point)


def _digits(value: float) -> tuple[str, int]:
    """The shortest digits of a positive double, and where its point stands counted from their start."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + ("" if fraction == "0" else fraction)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return stripped.rstrip("0"), point


def _layout(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = point - 1
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{tail}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
