"""The API: who may ask, in which form, and how its schema is drawn."""

from __future__ import annotations

from typing import Any

from orchestrator_site.env import env_bool

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
