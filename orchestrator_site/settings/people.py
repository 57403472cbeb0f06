"""Who signs in, by what, and for how long."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from orchestrator_site.env import env_float
from orchestrator_site.settings.product import ORCHESTRATOR
from orchestrator_site.signin.env import oidc_apps

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
