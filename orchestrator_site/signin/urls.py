"""The addresses of sign-in: those of allauth that we use, each with its rule, and a few of our own.

allauth has more (sign-up, e-mail and phone numbers of accounts, tokens of apps); what is not named here does
not exist.
"""

from __future__ import annotations

from allauth.headless.account import views as account
from allauth.headless.base import views as base
from allauth.headless.constants import Client
from allauth.headless.internal.decorators import browser_view
from allauth.headless.mfa import views as mfa
from django.urls import URLPattern, path

from orchestrator_site.signin import views
from orchestrator_site.signin.views import View, asks_again, in_words, where_passwords_are_taken


def of(view: type[base.APIView]) -> View:
    """A view of allauth for browsers."""
    return in_words(view.as_api_view(client=Client.BROWSER))


urlpatterns: list[URLPattern] = [
    # Signing in and out
    path("ways-in", browser_view(views.ways_in)),
    path("auth/session", of(account.SessionView)),
    path("auth/login", of(account.LoginView)),
    path("auth/2fa/authenticate", of(mfa.AuthenticateView)),
    path("auth/provider", browser_view(views.to_provider)),
    path("auth/provider/<str:provider_id>/back", views.from_provider, name="openid_connect_callback"),
    path("auth/password/request", where_passwords_are_taken(of(account.RequestPasswordResetView))),
    path("auth/password/reset", where_passwords_are_taken(of(account.ResetPasswordView))),
    # Saying again who one is
    path("auth/reauthenticate", of(account.ReauthenticateView)),
    path("auth/2fa/reauthenticate", of(mfa.ReauthenticateView)),
    path("auth/confirm", asks_again(browser_view(views.confirm))),
    # One's own account. A new password asks for the old one; without one, for a recent sign-in.
    path("account/ways", browser_view(views.ways)),
    path("account/password/change", asks_again(of(account.ChangePasswordView))),
    path("account/authenticators", of(mfa.AuthenticatorsView)),
    path("account/authenticators/totp", asks_again(of(views.TotpView), reading=True)),
    path("account/authenticators/totp/picture", asks_again(views.totp_picture, reading=True)),
    path("account/authenticators/recovery-codes", asks_again(of(views.RecoveryCodesView), reading=True)),
    path("account/identities/<int:number>", asks_again(views.unlink_identity)),
    path("auth/sessions", of(views.OwnSessionsView)),
]
