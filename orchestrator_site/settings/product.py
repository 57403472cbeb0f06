"""Where the product keeps what it knows, its secrets, and what an installation decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from orchestrator_site.embedded.home import Home, HomeError, Secrets
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
    secret_files,
)
from runs import isolation

BASE_DIR = Path(__file__).resolve().parents[2]
DEBUG = env_bool("DEBUG", False)

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
