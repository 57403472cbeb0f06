"""The port types and what fits what. Pure; the JSON Schema names the same list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

PORT_TYPES: Final = (
    "integer",
    "number",
    "string",
    "boolean",
    "json",
    "table",
    "array",
    "model",
    "file",
    "folder",
    "image",
    "any",
)
PARAMETER_TYPES: Final = ("integer", "number", "string", "boolean", "json")
SCALAR_TYPES: Final = frozenset({"integer", "number", "string", "boolean"})
# Types whose values pass as JSON; the others pass as files. `any` may be either.
INLINE_TYPES: Final = SCALAR_TYPES | {"json"}
# Not a port type: what `${{ secrets.x }}` gives until a task takes it.
SECRET: Final = "secret"  # noqa: S105

_ARTICLES: Final = {"integer": "an integer", "array": "an array", "image": "an image", "any": "any value"}


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of a task.

    accepts: further types an input takes beside its own. choices: the only values it takes, () for any.
    """

    name: str
    type: str = "any"
    required: bool = True
    default: Any = None
    has_default: bool = False
    accepts: tuple[str, ...] = ()
    choices: tuple[str | int | bool, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The full form, from which `from_json` makes an equal port."""
        data: dict[str, Any] = {"name": self.name, "type": self.type, "required": self.required}
        if self.has_default:
            data["default"] = self.default
        if self.choices:
            data["choices"] = list(self.choices)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Port:
        """The inverse of `to_json`. KeyError when the name is absent."""
        return cls(
            name=data["name"],
            type=data.get("type", "any"),
            required=data.get("required", True),
            default=data.get("default"),
            has_default="default" in data,
            choices=tuple(data.get("choices", ())),
        )


def fits(given: str, wanted: str) -> bool:
    """May a value of port type `given` go into an input of type `wanted`?

    An integer fits a number, anything fits `any`. What is only known as `any` fits everything here,
    because its real type is seen at the first run, where the value itself is checked.
    """
    return given == wanted or wanted == "any" or given == "any" or (given == "integer" and wanted == "number")


def port_fits(given: str, port: Port) -> bool:
    """Like `fits`, with the further types that the port accepts."""
    return fits(given, port.type) or any(fits(given, other) for other in port.accepts)


def literal_type(value: object) -> str:
    """The port type of a JSON value written in a document. null is `any`."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "any" if value is None else "json"


def value_fits(value: object, wanted: str) -> bool:
    """May this JSON value be given to a port or parameter of type `wanted`? 2.0 is an integer."""
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    if wanted == "json":
        return True
    return value is not None and fits(literal_type(value), wanted)


def article(port_type: str) -> str:
    """`integer` -> `an integer`, for sentences."""
    return _ARTICLES.get(port_type, f"a {port_type}")
