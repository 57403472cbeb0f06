"""The mail server."""

from __future__ import annotations

import dj_email_url

from orchestrator_site.env import address, env_secret
from orchestrator_site.settings.browser import PUBLIC

MAIL_SCHEMES = ("smtp", "smtps", "submission", "submit", "file", "console", "memory", "dummy")
email = dj_email_url.parse(address("EMAIL_URL", env_secret("EMAIL_URL"), *MAIL_SCHEMES) or "console:")
EMAIL_BACKEND = email["EMAIL_BACKEND"]
EMAIL_HOST = email["EMAIL_HOST"]
EMAIL_PORT = email["EMAIL_PORT"]
EMAIL_HOST_USER = email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = email["EMAIL_USE_TLS"]
EMAIL_USE_SSL = email["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = email["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10  # seconds; a mail server that hangs must not hang a sweep
DEFAULT_FROM_EMAIL = email.get("DEFAULT_FROM_EMAIL") or f"orchestrator@{PUBLIC.hostname or 'localhost'}"
SERVER_EMAIL = DEFAULT_FROM_EMAIL
