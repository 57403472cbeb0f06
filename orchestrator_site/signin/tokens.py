"""The word of an OpenID provider, checked: its configuration and the ID tokens that it signs.

allauth trusts a token because it came straight from the token endpoint, and knows no nonce. Here every
token is checked as if it had come from anybody (OpenID Connect Core 1.0, 3.1.3.7).
"""

from __future__ import annotations

import hmac
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

# Signatures that need the provider's own key: never `none`, and no secret that a client knows too.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_PERHAPS: Final = frozenset({"userinfo_endpoint"})
_NEEDED: Final = ("iss", "sub", "aud", "exp", "iat")
LEEWAY: Final = 30  # seconds by which two clocks may differ


def checked_configuration(document: Any, issuer: str) -> dict[str, Any]:
    """What a provider says about itself. OAuth2Error unless it is the one that was configured."""
    if not isinstance(document, dict):
        raise OAuth2Error("The provider's configuration is no JSON object.")
    if document.get("issuer") != issuer:
        raise OAuth2Error(f"The provider calls itself {document.get('issuer')!r}, not {issuer!r}.")
    secure = urlsplit(issuer).scheme == "https"
    for name in (*_ENDPOINTS, *(_PERHAPS & document.keys())):
        address = document.get(name)
        if not isinstance(address, str):
            raise OAuth2Error(f"The provider's configuration has no {name}.")
        if secure and urlsplit(address).scheme != "https":
            raise OAuth2Error(f"The provider's {name} is not https.")
    return document


def checked_claims(token: Any, keys: Any, *, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token. OAuth2Error when anything about it is not as it must be."""
    if not isinstance(token, str):
        raise OAuth2Error("The provider sent no ID token.")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_for(token, keys),
            algorithms=list(ALGORITHMS),
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": list(_NEEDED)},
        )
    except jwt.PyJWTError as error:
        raise OAuth2Error(f"The ID token was refused: {error}.") from None
    _refuse_other_party(claims, client_id)
    if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise OAuth2Error("The ID token was refused: its nonce is not that of this sign-in.")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise OAuth2Error("The ID token names nobody.")
    return claims


def _key_for(token: str, keys: Any) -> Any:
    """The provider's key that a token says it was signed with; the only one when it does not say."""
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise OAuth2Error(f"The ID token was refused: it is signed by {header.get('alg')!r}.")
    known = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
    fitting = [key for key in known if key.key_id == header.get("kid")] if header.get("kid") else known
    if len(fitting) != 1:
        raise OAuth2Error("The ID token was refused: it is signed by no key of the provider.")
    return fitting[0]


def _refuse_other_party(claims: dict[str, Any], client_id: str) -> None:
    """A token for several audiences says in ``azp`` who asked for it; that must be us."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise OAuth2Error("The ID token was refused: it was made for another client.")
