"""The page shell: the one HTML page of the built frontend, and its files under /static/."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from csp.constants import NONCE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from whitenoise.middleware import WhiteNoiseMiddleware

# Where the build leaves room for the nonce of each answer (frontend/vite.config.ts).
NONCE_PLACE = b"{{ csp-nonce }}"
NOT_BUILT = "The frontend has not been built: run `make setup`, then start again.\n"


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, answering with bytes: under ASGI a streamed file is read whole anyway, with a warning.

    It knows the files there were when it began; those of a frontend that was built again are looked up.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._built_at = built_at()
        super().__init__(*args, **options)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self.static_prefix):
            self._look_again_if_rebuilt()
        try:
            return super().__call__(request)
        except FileNotFoundError:  # it is being built at this moment
            return HttpResponse("There is no such file.\n", status=404, content_type="text/plain")

    def _look_again_if_rebuilt(self) -> None:
        now = built_at()
        if now and now != self._built_at:
            self._built_at = now
            self.files: dict[str, Any] = {}
            self.add_files_from_finders()

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file as file:
                body = file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["content-type"]
        for name, value in found.headers:
            response[name] = value
        return response


def built_at() -> int:
    """When the frontend was built, in ns of its page's last change; 0 while there is none."""
    try:
        return int((settings.FRONTEND_DIST / "index.html").stat().st_mtime_ns)
    except OSError:
        return 0


@lru_cache(maxsize=4)
def read_page(path: Path, changed: int) -> bytes:
    """The page's bytes; `changed` (its mtime in ns) only makes a rebuilt page a new entry."""
    return path.read_bytes()


@require_safe
@never_cache
@ensure_csrf_cookie
@csp_replace({"script-src": [SELF, NONCE], "style-src": [SELF, NONCE]})
def page_shell(request: HttpRequest) -> HttpResponse:
    """Every address that is not an API's: the router in the page decides what it shows."""
    index = settings.FRONTEND_DIST / "index.html"
    try:
        body = read_page(index, index.stat().st_mtime_ns)
    except FileNotFoundError:
        return HttpResponse(NOT_BUILT, status=503, content_type="text/plain; charset=utf-8")
    body = body.replace(NONCE_PLACE, str(request.csp_nonce).encode())  # type: ignore[attr-defined]
    return HttpResponse(body, content_type="text/html; charset=utf-8")
