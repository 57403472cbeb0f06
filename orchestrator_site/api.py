"""How the API authenticates, pages and fails: one way for all three apps.

Lists are cursor pages, errors are RFC 9457 problems, a browser has its session with CSRF and a program a
bearer token. Named in settings.REST_FRAMEWORK; the apps never import this. Importing it must not import the
framework's views or drf-spectacular: both read these settings while they are being imported.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, pagination
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from orchestrator_site.throttles import FailureLimit
from pipelines import tokens
from pipelines.errors import Refusal, TooMany
from pipelines.models import ApiToken, User

log = structlog.get_logger(__name__)
PROBLEM = "application/problem+json"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`; unknown, expired and revoked tokens and inactive people are 401."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise exceptions.AuthenticationFailed("Write the header as 'Authorization: Bearer TOKEN'.")
        token = tokens.find(parts[1].decode("utf-8", errors="replace"))
        if token is None:
            refuse_guessing(request)
            raise exceptions.AuthenticationFailed("This token is not known, has expired or was revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="orchestrator"'


def refuse_guessing(request: Request) -> None:
    """429 for an address that keeps coming with tokens that are none."""
    limit = FailureLimit()
    if not limit.allow_request(request):
        raise exceptions.Throttled(limit.wait())


class PlainJsonParser(JSONParser):
    """JSON; a body that is nested without end is a 400 as any other that cannot be read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("JSON parse error - nested too deeply") from None


class CursorPages(pagination.CursorPagination):
    """`?cursor=&page_size=`; the view's ``ordering`` decides the order."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    invalid_cursor_message = "The cursor is not one of ours: begin without it."

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        return tuple(getattr(view, "ordering", ("-id",)))


def problem(status: int, detail: str, code: str = "", **members: Any) -> dict[str, Any]:
    """The JSON of an RFC 9457 problem."""
    title = HTTPStatus(status).phrase
    code = code or title.lower().replace(" ", "-")
    return {
        "type": f"urn:orchestrator:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
        **members,
    }


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None, so a 500 and its trace in the log, for what nobody expected."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing at this address, or you may not see it.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    if isinstance(error, Refusal):
        body = problem(error.status, error.message, error.code, errors=_pairs(error.errors), **error.extra)
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
        return _answer(error.status, body, headers)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def _of_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if isinstance(error, (exceptions.AuthenticationFailed, exceptions.NotAuthenticated)):
        headers["WWW-Authenticate"] = getattr(error, "auth_header", "Bearer")
    if isinstance(error, exceptions.Throttled):
        seconds = max(1, int(getattr(error, "wait", None) or 1))
        detail = f"Too many requests in a minute: try again in {seconds} seconds."
        return _answer(429, problem(429, detail, "too-many-requests"), {"Retry-After": str(seconds)})
    if isinstance(error, exceptions.ValidationError):
        errors = _fields(error.detail)
        detail = "; ".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors)
        return _answer(422, problem(422, detail, "invalid", errors=errors), headers)
    code = str(error.get_codes()).replace("_", "-")
    return _answer(error.status_code, problem(error.status_code, str(error.detail), code), headers)


def _answer(status: int, body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(body, status=status, headers=headers, content_type=PROBLEM)


def _pairs(errors: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"field": field, "message": message} for field, message in errors]


def _fields(detail: Any, path: str = "") -> list[dict[str, str]]:
    """DRF's nested error details as a flat list of field and message."""
    if isinstance(detail, dict):
        return [found for key, value in detail.items() for found in _fields(value, _join(path, str(key)))]
    if isinstance(detail, list):
        return [found for value in detail for found in _fields(value, path)]
    return [{"field": path, "message": str(detail)}]


def _join(path: str, key: str) -> str:
    if key == "non_field_errors":
        return path
    return f"{path}.{key}" if path else key


@csrf_exempt
def unknown_address(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 for a program that asks an address the API does not have."""
    body = problem(404, f"The API has no address {request.path}: see /api/v1/docs/.", "no-such-address")
    return JsonResponse(body, status=404, content_type=PROBLEM)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a problem for programs, a sentence for people. The trace is in the log."""
    if request.path.startswith("/api/"):
        detail = "Something went wrong here, and it has been logged. Try again in a moment."
        return JsonResponse(problem(500, detail, "server-error"), status=500, content_type=PROBLEM)
    return HttpResponse(
        "Something went wrong here, and it has been logged.\n", status=500, content_type="text/plain"
    )
