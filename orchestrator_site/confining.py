"""What a browser may do with our answers: the content security policy, and who else may use them."""

from __future__ import annotations

from typing import Final

from csp.decorators import csp_update
from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularSwaggerSplitView

HEADERS: Final = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ConfiningMiddleware(CSPMiddleware):
    """Sends the policy of the settings, or the one that a view has narrowed, and :data:`HEADERS`."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return super().process_response(request, response)


@method_decorator(csp_update({"img-src": "data:"}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The API's documentation, drawn by Swagger UI, whose style sheet holds its icons."""

    template_name = "docs.html"
