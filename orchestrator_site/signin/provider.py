"""Sign-in by an OpenID provider: allauth's flow with PKCE and state, and our own checks of the answer."""

from __future__ import annotations

import secrets
from typing import Any, Final

import structlog
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from requests import RequestException

from orchestrator_site.signin.tokens import checked_claims, checked_configuration

log = structlog.get_logger(__name__)
# What of a person's claims is kept with the link to their account.
_KEPT: Final = ("sub", "email", "email_verified", "name", "preferred_username", "auth_time")
_ABOUT: Final = ("email", "email_verified", "name", "given_name", "family_name", "preferred_username")


class OidcAdapter(OpenIDConnectOAuth2Adapter):
    """One sign-in with one provider. ``state`` is what was remembered when it began."""

    state: dict[str, Any]

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            provider = self.get_provider()
            document = self._fetch(provider.server_url, "configuration")
            self._openid_config = checked_configuration(document, provider.app.settings["server_url"])
        return self._openid_config

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **options: Any) -> Any:
        """Who the provider says it is; OAuth2Error when that cannot be believed."""
        claims = checked_claims(
            options["response"].get("id_token"),
            self._fetch(self.openid_config["jwks_uri"], "keys"),
            issuer=app.settings["server_url"],
            client_id=app.client_id,
            nonce=self.state.get("nonce", ""),
        )
        return self.get_provider().sociallogin_from_response(request, self._with_email(claims, token.token))

    def _with_email(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """The claims, and those about the person that the provider gives only when asked for them."""
        if "email" in claims or "userinfo_endpoint" not in self.openid_config:
            return claims
        about = self._fetch_user_info(access_token)
        if not isinstance(about, dict) or about.get("sub") != claims["sub"]:
            raise OAuth2Error("The provider tells of somebody else than it signed in.")
        return {**{name: about[name] for name in _ABOUT if name in about}, **claims}

    def _fetch(self, address: str, what: str) -> Any:
        try:
            with get_adapter().get_requests_session() as session:
                answer = session.get(address)
                answer.raise_for_status()
                return answer.json()
        except (RequestException, ValueError) as error:
            raise OAuth2Error(f"The provider's {what} cannot be read: {error}") from None


class CallbackView(OAuth2CallbackView):
    """Where a provider sends people back to."""

    adapter: OidcAdapter

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return super().dispatch(request, *args, **options)
        except OAuth2Error as error:  # the provider's configuration, read before allauth is prepared for it
            about = {"state": getattr(self.adapter, "state", None)}
            return render_authentication_error(
                request, self.adapter.get_provider(), exception=error, extra_context=about
            )

    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[dict[str, Any] | None, Any]:
        state, refusal = super()._get_state(request, provider)
        self.adapter.state = state or {}
        return state, refusal


class OidcProvider(OpenIDConnectProvider):
    """A provider of the environment. Everything it says comes from ID tokens that were checked."""

    oauth2_adapter_class = OidcAdapter
    # Tokens that a program got elsewhere are not taken: they have no nonce of ours.
    supports_token_authentication = False

    def redirect(
        self, request: HttpRequest, process: str, next_url: Any = None, data: Any = None, **options: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(32)
        options["auth_params"] = {**options.get("auth_params", {}), "nonce": nonce}
        return super().redirect(request, process, next_url, data, nonce=nonce, **options)

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        claim = self.app.settings["groups_claim"]
        return {name: data[name] for name in (*_KEPT, claim) if name in data}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "email": data.get("email"),
            "username": data.get("preferred_username"),
            "name": data.get("name"),
            "first_name": data.get("given_name"),
            "last_name": data.get("family_name"),
        }

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        address = data.get("email")
        if not isinstance(address, str) or not address:
            return []
        said = data.get("email_verified")
        verified = said is True or said == "true"  # some providers write it as text
        return [EmailAddress(email=address, verified=verified, primary=True)]


provider_classes = [OidcProvider]
