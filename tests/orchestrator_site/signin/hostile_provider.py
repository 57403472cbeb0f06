"""An OpenID provider that lies as it is told: `python hostile_provider.py PORT`, a process of its own.

POST /behave with JSON says how: ``claims`` replace those of the next ID tokens (null takes one away),
``algorithm`` and ``key`` how they are signed, ``configuration`` what it says of itself, ``userinfo`` what it
tells when asked about the person, ``away`` the paths that answer 500. It checks PKCE as a provider should.
GET /asked gives the requests so far.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEYS = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("own", "foreign")}
PERSON = {"sub": "p-1", "email": "ana@corp.example", "email_verified": True, "name": "Ana Lim"}
behaviour: dict[str, Any] = {}
codes: dict[str, dict[str, str]] = {}
asked: list[dict[str, Any]] = []


class Provider(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/behave":
            behaviour.clear()
            behaviour.update(json.loads(body))
            self.give({})
        else:
            self.answer({name: values[0] for name, values in parse_qs(body).items()})

    def answer(self, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked.append({"path": parts.path, "query": query, "form": form})
        if parts.path in behaviour.get("away", []):
            self.give({"error": "away"}, 500)
            return
        name = {
            "/.well-known/openid-configuration": "configuration",
            "/authorize": "authorize",
            "/token": "token",
            "/keys": "keys",
            "/userinfo": "userinfo",
            "/asked": "asked",
        }.get(parts.path)
        if name is None:
            self.give({"error": "unknown"}, 404)
        else:
            getattr(self, name)(query, form)

    @property
    def here(self) -> str:
        return f"http://127.0.0.1:{sys.argv[1]}"

    def configuration(self, query: dict[str, str], form: dict[str, str]) -> None:
        said = {
            "issuer": self.here,
            "authorization_endpoint": f"{self.here}/authorize",
            "token_endpoint": f"{self.here}/token",
            "jwks_uri": f"{self.here}/keys",
            "userinfo_endpoint": f"{self.here}/userinfo",
        }
        self.give({**said, **behaviour.get("configuration", {})})

    def authorize(self, query: dict[str, str], form: dict[str, str]) -> None:
        code = f"code-{len(codes)}"
        codes[code] = query
        back = {"code": code, "state": query.get("state", ""), **behaviour.get("back", {})}
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def token(self, query: dict[str, str], form: dict[str, str]) -> None:
        begun = codes.pop(form.get("code", ""), None)
        if begun is None or not proven(begun, form):
            self.give({"error": "invalid_grant"}, 400)
            return
        token = behaviour.get("token") or self.signed(begun)
        self.give({"access_token": "opaque", "token_type": "Bearer", "id_token": token})

    def signed(self, begun: dict[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            **PERSON,
            "iss": self.here,
            "aud": begun["client_id"],
            "iat": now,
            "exp": now + 300,
            "nonce": begun.get("nonce"),
            "auth_time": now,
            **behaviour.get("claims", {}),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithm = behaviour.get("algorithm", "RS256")
        key: Any = {"none": None, "HS256": "the-client-secret-that-a-client-knows-too"}.get(
            algorithm, KEYS[behaviour.get("key", "own")]
        )
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "own"})

    def keys(self, query: dict[str, str], form: dict[str, str]) -> None:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS["own"].public_key()))
        self.give({"keys": [{**key, "kid": "own", "use": "sig", "alg": "RS256"}]})

    def userinfo(self, query: dict[str, str], form: dict[str, str]) -> None:
        self.give(behaviour.get("userinfo", PERSON))

    def asked(self, query: dict[str, str], form: dict[str, str]) -> None:
        self.give({"asked": asked})

    def give(self, body: Any, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *words: Any) -> None:
        """Nothing on the terminal of the tests."""


def proven(begun: dict[str, str], form: dict[str, str]) -> bool:
    """Whether who redeems a code is who began (RFC 7636, S256)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return begun.get("code_challenge_method") == "S256" and begun.get("code_challenge") == challenge


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Provider).serve_forever()
