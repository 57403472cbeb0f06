"""How the API describes itself: what drf-spectacular cannot see. Imported by ``urls``."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

ID: Final = re.compile(r"\{\w+_id\}")


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "orchestrator_site.api.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class SchemaView(SpectacularAPIView):
    """The schema, drawn once in a process for each format: anybody may ask for it, as often as they like."""

    drawn: ClassVar[dict[str, str | bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        name = f"{renderer.media_type} {renderer.format}"
        if name not in self.drawn:
            answer = super().get(request, *args, **kwargs)
            self.drawn[name] = renderer.render(answer.data, renderer.media_type, {})
        return HttpResponse(
            self.drawn[name],
            content_type=renderer.media_type,
            headers={"Content-Disposition": f'inline; filename="Orchestrator.{renderer.format}"'},
        )


def plain_ids(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """`{run_id}` and the like are `{id}` to those outside: what they identify stands before them."""
    result["paths"] = {ID.sub("{id}", path): operations for path, operations in result["paths"].items()}
    for path in result["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                    parameter["name"] = "id"
    return result


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Every operation may also answer with a problem."""
    result["components"]["schemas"]["Problem9457"] = PROBLEM
    answer = {
        "description": "A problem (RFC 9457).",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem9457"}}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", answer)
    return result


PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "kebab-case and stable"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
