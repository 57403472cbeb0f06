"""PostgreSQL and Redis: how each process reaches them, and what it may ask of them."""

from __future__ import annotations

import socket
from typing import Any

import dj_database_url

from orchestrator_site.embedded.home import APPLICATION_ROLE, DATABASE_NAME, OWNER_ROLE, POSTGRES_PORT
from orchestrator_site.env import env_int
from orchestrator_site.settings.product import (
    DATABASE_OWNER_URL,
    DATABASE_URL,
    EMBEDDED,
    EXTERNAL_REDIS_URL,
    HOME,
    SECRETS,
)

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
