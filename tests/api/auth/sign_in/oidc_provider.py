"""A small OpenID Connect provider: a real HTTP server on loopback."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from backend.shared.infra import clock, config
from backend.shared.web.security import jwks
from tests.api.auth.tokens.forged_tokens import public_jwk, rsa_signed

CLIENT_ID, CLIENT_SECRET = "luna", "a-secret-of-the-client"


@cache
def _key() -> str:
    """Return the key of every provider: to make and to check one takes long."""
    return jwks.generate()


@dataclass
class Provider:
    """What the provider says about whoever signs in; tests change it."""

    person: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)  # of the next ID token's claims
    key: str = field(default_factory=_key)
    signs_with: str | None = None  # another key than the published one
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    address: str = ""

    def settings(self) -> config.OidcSettings:
        """Return the settings of a LUNA that trusts this provider."""
        return config.OidcSettings(
            oidc_issuer=self.address, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET
        )

    def document(self, path: str) -> dict[str, Any]:
        """Return the public keys, or the metadata."""
        if path == "/jwks":
            return {"keys": [public_jwk(self.key)]}
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent after the person has signed in."""
        assert (query["client_id"], query["code_challenge_method"]) == (CLIENT_ID, "S256")
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return the tokens of a code, once; None unless client and verifier are right."""
        begun = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        client = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if begun is None or challenge != begun["code_challenge"] or client not in authorization:
            return None
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.address,
            "aud": CLIENT_ID,
            "sub": "42",
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            **self.person,
            **self.changes,
        }
        header = {"alg": "RS256", "kid": public_jwk(self.key)["kid"]}
        token = rsa_signed(header, claims, self.signs_with or self.key)
        return {"access_token": "x", "token_type": "Bearer", "id_token": token}


@contextmanager
def running(person: dict[str, Any]) -> Iterator[Provider]:
    """Run a provider at which this person signs in."""
    provider = Provider(person=dict(person))
    server = _server(provider)
    thread = Thread(target=server.serve_forever, args=(0.01,))  # s until it notices its end
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _server(provider: Provider) -> ThreadingHTTPServer:

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self._send(302, {}, provider.authorize(query))
                return
            self._send(200, provider.document(parts.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            answered = provider.token(form, self.headers.get("Authorization", ""))
            if answered is None:
                self._send(400, {"error": "invalid_grant"})
            else:
                self._send(200, answered)

        def _send(self, status: int, body: dict[str, Any], location: str | None = None) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            if location is not None:
                self.send_header("Location", location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name it overrides)
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    return server
