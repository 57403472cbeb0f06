"""The product's settings, in a home of this test session alone."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

FROM_OUTSIDE = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "ORCHESTRATOR_SECRET_KEY",
    "ORCHESTRATOR_SECRET_KEYS",
    "ORCHESTRATOR_STORE",
    "ORCHESTRATOR_URL",
    "ORCHESTRATOR_TOKEN",
    "ORCHESTRATOR_ADMIN_PASSWORD",
    "ORCHESTRATOR_OIDC",
    "ORCHESTRATOR_PASSWORD_SIGN_IN",
    "ORCHESTRATOR_ADMINS_NEED_SECOND_FACTOR",
)
for name in FROM_OUTSIDE:
    os.environ.pop(name, None)
    os.environ.pop(f"{name}_FILE", None)
HOME_PREFIX = "orchestrator-tests-"
os.environ["ORCHESTRATOR_HOME"] = tempfile.mkdtemp(prefix=HOME_PREFIX)
# Processes that tests start are those of the product, in the same home.
os.environ["DJANGO_SETTINGS_MODULE"] = "orchestrator_site.settings"

from orchestrator_site.settings import *  # noqa: E402, F403

TEST_HOME = Path(os.environ["ORCHESTRATOR_HOME"])
TESTING = os.getpid()


@atexit.register
def remove_home() -> None:
    """Sessions that needed no server leave no folder either; children that tests fork leave it alone."""
    if os.getpid() == TESTING:
        shutil.rmtree(TEST_HOME, ignore_errors=True)


PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
