"""The settings of every process. What differs between installations comes from the environment.

With neither DATABASE_URL nor REDIS_URL set the embedded servers are meant: `manage.py up` runs them under
ORCHESTRATOR_HOME, and every other command finds them there.
"""

from __future__ import annotations

from orchestrator_site.settings.api import *  # noqa: F403
from orchestrator_site.settings.browser import *  # noqa: F403
from orchestrator_site.settings.logs import *  # noqa: F403
from orchestrator_site.settings.mail import *  # noqa: F403
from orchestrator_site.settings.people import *  # noqa: F403
from orchestrator_site.settings.product import *  # noqa: F403
from orchestrator_site.settings.servers import *  # noqa: F403

INSTALLED_APPS = [
    "orchestrator_site",
    "pipelines.apps.PipelinesConfig",
    "runs.apps.RunsConfig",
    "lineage.apps.LineageConfig",
    "orchestrator_site.console.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_rq",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "orchestrator_site.signin.apps.SigninConfig",
    "knox",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "orchestrator_site.shell.StaticFilesMiddleware",
    "orchestrator_site.confining.ConfiningMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "orchestrator_site.signin.middleware.SessionLifeMiddleware",
    "orchestrator_site.signin.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "orchestrator_site.urls"
ASGI_APPLICATION = "orchestrator_site.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "orchestrator_site.formats"
