"""One settings file for every process. What differs between installations comes from the environment.

With neither DATABASE_URL nor REDIS_URL set the embedded servers are meant: `manage.py up` runs them under
ORCHESTRATOR_HOME, and every other command finds them there.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
import structlog
from django.core.exceptions import ImproperlyConfigured

from orchestrator_site.embedded.home import (
    APPLICATION_ROLE,
    DATABASE_NAME,
    OWNER_ROLE,
    POSTGRES_PORT,
    Home,
    HomeError,
    Secrets,
)
from orchestrator_site.env import (
    address,
    env_bool,
    env_choice,
    env_float,
    env_int,
    env_list,
    env_path,
    env_range,
    env_secret,
    env_secret_file,
    env_str,
    env_word,
    secret_files,
)
from orchestrator_site.signin.env import oidc_apps
from runs import isolation

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = env_bool("DEBUG", False)

# --- The home and its secrets ---------------------------------------------------------

HOME = Home(env_path("ORCHESTRATOR_HOME", BASE_DIR / ".orchestrator"))
POSTGRES_SCHEMES = ("postgres", "postgresql")
DATABASE_URL = address("DATABASE_URL", env_secret("DATABASE_URL"), *POSTGRES_SCHEMES)
DATABASE_OWNER_URL = address("DATABASE_OWNER_URL", env_secret("DATABASE_OWNER_URL"), *POSTGRES_SCHEMES)
EXTERNAL_REDIS_URL = address("REDIS_URL", env_secret("REDIS_URL"), "redis", "rediss", "unix")
EMBEDDED = not DATABASE_URL and not EXTERNAL_REDIS_URL
if bool(DATABASE_URL) != bool(EXTERNAL_REDIS_URL):
    missing = "REDIS_URL" if DATABASE_URL else "DATABASE_URL"
    raise ImproperlyConfigured(
        f"{missing} is not set: set both DATABASE_URL and REDIS_URL, or neither of them."
    )

# A home that was never started has no secrets yet: these are then kept by `up` before anything uses them.
try:
    SECRETS = (HOME.read_secrets() if EMBEDDED else None) or Secrets.fresh()
except HomeError as error:
    raise ImproperlyConfigured(str(error)) from None

# What signs sessions. Only web needs it, and refuses to start without (orchestrator_site.asgi).
SECRET_KEY = env_secret("ORCHESTRATOR_SECRET_KEY") or (SECRETS.site_key if EMBEDDED else "")

# --- The product ----------------------------------------------------------------------

ORCHESTRATOR: dict[str, Any] = {
    "HOME": HOME.path,
    # A folder, or s3://bucket/prefix?endpoint=…&region=…; without keys here, those of the variables of AWS.
    "STORE": env_str("ORCHESTRATOR_STORE", str(HOME.path / "store")),
    "STORE_ACCESS_KEY": env_secret("ORCHESTRATOR_STORE_ACCESS_KEY"),
    "STORE_SECRET_KEY": env_secret("ORCHESTRATOR_STORE_SECRET_KEY"),
    # Copies of what lies in S3, on each machine; MiB.
    "STORE_CACHE": env_path("ORCHESTRATOR_STORE_CACHE", HOME.path / "store-cache"),
    "STORE_CACHE_MIB": env_int("ORCHESTRATOR_STORE_CACHE_MIB", 10_240),
    # Bytes that nothing refers to are kept so long, and as long again once put aside; hours.
    "STORE_GRACE": env_float("ORCHESTRATOR_STORE_GRACE", 24.0),
    # A worker claims nothing while less is free where it works and stores; MiB.
    "FREE_DISK_MIB": env_int("ORCHESTRATOR_FREE_DISK_MIB", 512),
    # Environments that uv built, one per lock file, shared by every home.
    "CACHE": env_path("ORCHESTRATOR_CACHE", BASE_DIR / ".venv-tasks"),
    # Days after which an environment that nothing needs and nobody used is removed from a machine.
    "ENVIRONMENT_DAYS": env_float("ORCHESTRATOR_ENVIRONMENT_DAYS", 30.0),
    # The address that links in e-mails begin with; `up --port` sets it unless it is given.
    "URL": address(
        "ORCHESTRATOR_URL", env_str("ORCHESTRATOR_URL", "http://localhost:8000"), "http", "https"
    ).rstrip("/"),
    "ADMIN_EMAIL": env_str("ORCHESTRATOR_ADMIN_EMAIL", "admin@localhost"),
    "ADMIN_PASSWORD": env_secret("ORCHESTRATOR_ADMIN_PASSWORD"),
    # What seals stored secrets: keys, newest first, or the file they are read from at every use.
    "SECRET_KEYS": env_secret("ORCHESTRATOR_SECRET_KEYS"),
    "SECRET_KEYS_FILE": env_secret_file("ORCHESTRATOR_SECRET_KEYS"),
    # What secrets may refer to on a worker's machine: variables with this prefix, files in this folder.
    "SECRET_VARIABLES": env_str("ORCHESTRATOR_SECRET_VARIABLES", "TASK_SECRET_"),
    "SECRET_FILES": env_str("ORCHESTRATOR_SECRET_FILES"),
    # The words that every command to podman begins with, for queues of the level `container`.
    "PODMAN": env_str("ORCHESTRATOR_PODMAN", "podman"),
    # The isolation of the queues of a new home: `shared user`, `own user`; empty: the best that works here.
    "ISOLATION": env_choice("ORCHESTRATOR_ISOLATION", isolation.OF_NEW_HOMES),
    # Numbers for the users that carry out the tasks of teams at `own user`, first and last.
    "TASK_UIDS": env_range("ORCHESTRATOR_TASK_UIDS", (64_000, 64_999)),
    # Files with secrets of the product; no task at `own user` shall see them.
    "HIDDEN": secret_files,
    # Hosts (`host`, `host:port`) and networks that may be asked although they are not public.
    "INNER_ADDRESSES": env_list("ORCHESTRATOR_INNER_ADDRESSES"),
    # Seconds between two looks of a Git repository for new commits; 0 leaves looking to people.
    "CODE_CHECK_EVERY": env_float("ORCHESTRATOR_CODE_CHECK_EVERY", 300.0),
    # Seconds between TERM and KILL of a stopped task, and that a stopping worker waits for its attempt.
    "KILL_GRACE": env_float("ORCHESTRATOR_KILL_GRACE", 10.0),
    "DRAIN_TIMEOUT": env_float("ORCHESTRATOR_DRAIN_TIMEOUT", 600.0),
    # Bytes a second that a worker writes of the log of its task, in the long run; a flood waits for it.
    "LOG_RATE": env_int("ORCHESTRATOR_LOG_RATE", 1024 * 1024),
    # Days for which the result of a task with `cache: true` may be taken over by another run.
    "REUSE_MAX_DAYS": env_float("ORCHESTRATOR_REUSE_MAX_DAYS", 30.0),
    # Days after the end of its runs for which what is kept of them stays in the database; 0: for ever.
    "EVENT_DAYS": env_int("ORCHESTRATOR_EVENT_DAYS", 365),
    # … logs, which then lie in the store.
    "LOG_DAYS": env_int("ORCHESTRATOR_LOG_DAYS", 90),
    # … leases of workers that never had an attempt.
    "LEASE_DAYS": env_int("ORCHESTRATOR_LEASE_DAYS", 30),
    # Requests to the API in a minute, of one person or token by what they cost, and of one address; 0: any.
    "RATES": {
        "reads": env_int("ORCHESTRATOR_RATE_READS", 12_000),
        "writes": env_int("ORCHESTRATOR_RATE_WRITES", 12_000),
        "expensive": env_int("ORCHESTRATOR_RATE_EXPENSIVE", 3_000),
        "failures": env_int("ORCHESTRATOR_RATE_FAILURES", 300),
        "address": env_int("ORCHESTRATOR_RATE_ADDRESS", 60_000),
    },
    # Minutes for which a person in a browser is believed before secrets, tokens, roles and the like.
    "REAUTHENTICATE_AFTER": env_float("ORCHESTRATOR_REAUTHENTICATE_AFTER", 15.0),
    "PASSWORD_SIGN_IN": env_bool("ORCHESTRATOR_PASSWORD_SIGN_IN", True),
    "ADMINS_NEED_SECOND_FACTOR": env_bool("ORCHESTRATOR_ADMINS_NEED_SECOND_FACTOR", False),
}
if EMBEDDED and not ORCHESTRATOR["SECRET_KEYS"]:
    ORCHESTRATOR["SECRET_KEYS_FILE"] = str(HOME.secret_keys_file)

# What the child of `up` that ends calls after migrating, by dotted path: each takes nothing and returns
# a sentence for the terminal, or None. They must be safe to repeat at every start.
# The first admin: returns the password when it made one, else None.
ORCHESTRATOR_FIRST_ADMIN = "pipelines.bootstrap.first_admin"
ORCHESTRATOR_FIRST_STEPS: list[str] = ["pipelines.sealing.first_key", "runs.bootstrap.first_queues"]
ORCHESTRATOR_DEMO_STEPS: list[str] = [  # left out by `up --no-demo`
    "pipelines.bootstrap.demo_team",
    "lineage.bootstrap.demo",
    "pipelines.bootstrap.demo_pipelines",
]

# --- Django ---------------------------------------------------------------------------

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

# --- Database -------------------------------------------------------------------------

# Milliseconds. Nothing a page or a task asks may hold the database longer; migrations may.
APPLICATION_LIMITS = {
    "statement_timeout": env_int("DATABASE_STATEMENT_TIMEOUT", 30_000),
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": 60_000,
}
OWNER_LIMITS = {"statement_timeout": 0, "lock_timeout": 30_000, "idle_in_transaction_session_timeout": 0}


# Seconds, but for the last: milliseconds.
CONNECTION_CARE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def embedded_database(user: str, password: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE_NAME,
        "USER": user,
        "PASSWORD": password,
        "HOST": str(HOME.postgres_socket_folder),
        "PORT": str(POSTGRES_PORT),
    }


def with_limits(database: dict[str, Any], limits: dict[str, int], name: str) -> dict[str, Any]:
    """The same database whose sessions carry the limits and say who they are."""
    options = dict(database.get("OPTIONS", {}))
    given = [str(options.get("options", ""))]
    options["options"] = " ".join([*given, *(f"-c {key}={value}" for key, value in limits.items())]).strip()
    options.setdefault("application_name", name)
    # A connection that was cut silently is noticed within seconds, not after the kernel's hours.
    for key, value in CONNECTION_CARE.items():
        options.setdefault(key, value)
    return {**database, "OPTIONS": options, "CONN_MAX_AGE": 0, "ATOMIC_REQUESTS": False}


if EMBEDDED:
    application_database = embedded_database(APPLICATION_ROLE, SECRETS.application)
    owner_database = embedded_database(OWNER_ROLE, SECRETS.owner)
else:
    application_database = dict(dj_database_url.parse(DATABASE_URL))
    owner_database = dict(dj_database_url.parse(DATABASE_OWNER_URL or DATABASE_URL))

# `owner` is the same database in the role that owns the tables; migrations alone use it.
DATABASES = {
    "default": with_limits(application_database, APPLICATION_LIMITS, "orchestrator"),
    "owner": with_limits(owner_database, OWNER_LIMITS, "orchestrator owner"),
}
# Connections of the web process. Its pool is opened in that process alone (orchestrator_site.web),
# never before a fork.
WEB_DATABASE_POOL = {
    "min_size": 1,
    "max_size": env_int("DATABASE_POOL_SIZE", 12),
    "timeout": 10,
    "max_idle": 120,
}

# --- Redis ----------------------------------------------------------------------------

REDIS_URL = EXTERNAL_REDIS_URL or HOME.redis_url(SECRETS)
# What every client of it is made with: over a network it notices within seconds that it was cut off.
REDIS_CARE: dict[str, Any] = (
    {}
    if REDIS_URL.startswith("unix:")
    else {
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "socket_keepalive_options": {
            socket.TCP_KEEPIDLE: 5,
            socket.TCP_KEEPINTVL: 5,
            socket.TCP_KEEPCNT: 3,
            socket.TCP_USER_TIMEOUT: 15_000,  # milliseconds
        },
    }
)
RQ_QUEUES = {"default": {"URL": REDIS_URL}}
RQ_SHOW_ADMIN_LINK = False
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **REDIS_CARE}], "prefix": "orchestrator"},
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "orchestrator",
    }
}

# --- People ---------------------------------------------------------------------------

AUTH_USER_MODEL = "pipelines.User"
KNOX_TOKEN_MODEL = "pipelines.ApiToken"  # noqa: S105
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS = {
    "account_reset_password": f"{ORCHESTRATOR['URL']}/sign-in",
    "account_reset_password_from_key": f"{ORCHESTRATOR['URL']}/sign-in/reset/{{key}}",
    "account_signup": f"{ORCHESTRATOR['URL']}/sign-in",
    "socialaccount_login_error": "/sign-in",
}
ACCOUNT_ADAPTER = "orchestrator_site.signin.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
# Attempts: of one address, and of one account; of those who sign in, of those who want a new password.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key", "reset_password": "20/m/ip,5/m/key"}
SOCIALACCOUNT_ADAPTER = "orchestrator_site.signin.identities.IdentityAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {"openid_connect": {"APPS": oidc_apps()}}
MFA_ADAPTER = "orchestrator_site.signin.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are given by admins and providers, not by who enrols
MFA_TOTP_TOLERANCE = 1  # steps of 30 s: the clocks of phones go wrong
MFA_TOTP_ISSUER = "Orchestrator"
MFA_RECOVERY_CODES_SHOW_ONCE = True
USERSESSIONS_TRACK_ACTIVITY = True
# Seconds: every session ends after the first, one that nobody uses after the second.
SESSION_COOKIE_AGE = round(3600 * env_float("ORCHESTRATOR_SESSION_HOURS", 168.0))
SESSION_IDLE_AGE = round(3600 * env_float("ORCHESTRATOR_SESSION_IDLE_HOURS", 24.0))
if not ORCHESTRATOR["PASSWORD_SIGN_IN"] and not SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]:
    raise ImproperlyConfigured(
        "ORCHESTRATOR_PASSWORD_SIGN_IN is off and ORCHESTRATOR_OIDC names no provider: nobody could sign in."
    )

# --- What the browser is told ---------------------------------------------------------

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

# --- API ------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orchestrator_site.api.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orchestrator_site.api.PlainJsonParser"],
    "DEFAULT_PAGINATION_CLASS": "orchestrator_site.api.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "orchestrator_site.api.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_THROTTLE_CLASSES": ["orchestrator_site.throttles.RateLimit"],
    # Whose word about the address of a browser is taken: that of the one proxy in front, or nobody's.
    "NUM_PROXIES": 1 if env_bool("BEHIND_PROXY", False) else 0,
}
REST_KNOX: dict[str, Any] = {"AUTH_HEADER_PREFIX": "Bearer"}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Orchestrator",
    "DESCRIPTION": "Everything the pages do. Sign in with `Authorization: Bearer TOKEN`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "RunState": "runs.states.RunState",
        "TaskState": "runs.states.TaskState",
        "AttemptState": "runs.states.AttemptState",
        "LeaseState": "runs.states.LeaseState",
        "BlockerCode": "runs.explaining.Code",
        "CodeKind": "pipelines.models.CodeKind",
        "CodeState": "pipelines.code.STATES",
        "EnvironmentState": ["missing", "building", "ready", "failed"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orchestrator_site.schema.plain_ids",
        "orchestrator_site.schema.add_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- E-mail ---------------------------------------------------------------------------

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

# --- Logs -----------------------------------------------------------------------------

LOG_LEVEL = env_word("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_JSON = env_bool("LOG_JSON", False)
LOG_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *LOG_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": LOG_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.format_exc_info] if LOG_JSON else []),
                structlog.processors.JSONRenderer()
                if LOG_JSON
                else structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(),
                    pad_event_to=0,
                    # Not the default, which shows the values of local variables: secrets may be among them.
                    exception_formatter=structlog.dev.plain_traceback,
                ),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own set-up gives this logger handlers and stops it from reaching the root.
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "daphne": {"level": "WARNING"},
        "rq": {"level": "WARNING"},
    },
}
