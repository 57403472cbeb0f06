"""What the browser is told: hosts, cookies, policies, the files of the frontend."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from orchestrator_site.env import env_bool, env_int, env_list
from orchestrator_site.settings.product import BASE_DIR, ORCHESTRATOR

PUBLIC = urlsplit(ORCHESTRATOR["URL"])
HTTPS = PUBLIC.scheme == "https"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", LOOPBACK)
if PUBLIC.hostname and PUBLIC.hostname not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(PUBLIC.hostname)
CSRF_TRUSTED_ORIGINS = env_list(
    "CSRF_TRUSTED_ORIGINS", (f"{PUBLIC.scheme}://{PUBLIC.netloc}",) if HTTPS else ()
)
if env_bool("BEHIND_PROXY", False):
    # The last address in X-Forwarded-For is the one that the proxy saw.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = False  # the page reads it and sends it back as X-CSRFToken
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# TLS ends at a proxy, which says so in X-Forwarded-Proto; who watches the processes asks them directly.
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env_int("ORCHESTRATOR_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env_bool("ORCHESTRATOR_HSTS_SUBDOMAINS", True)
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS

# Nothing but our own files, and no script or style written into a page. The page of the frontend has a nonce
# beside (orchestrator_site.shell), for the style sheets that its scripts add.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- The built frontend ---------------------------------------------------------------

FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATIC_URL = "/static/"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Files whose name holds a digest of their content may be kept for ever.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[A-Za-z0-9_-]{8,}\.\w+$"
