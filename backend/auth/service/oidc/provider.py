"""The campus's OpenID Connect provider: authorization code with PKCE (RFC 7636).

An ID token must be signed by a key of the provider, for this client and this sign-in.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from cachetools import TTLCache, cached
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backend.shared.errors import NotSignedIn, ServiceUnavailable
from backend.shared.infra import clock, config
from backend.shared.web.schemas import email_normalization

_TIMEOUT = 5.0  # seconds
_ALGORITHMS = ("RS256", "ES256")
_SCOPE = "openid email profile"
_LEEWAY = 60  # seconds that the clocks may differ
_metadata_cache: TTLCache[str, dict[str, Any]] = TTLCache(maxsize=4, ttl=3600)


@dataclass(frozen=True)
class Start:
    """A sign-in that has begun: where to send the browser, and what must come back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Identity:
    """Who the provider says has signed in; the address is verified."""

    email: str
    first_name: str
    last_name: str


def start() -> Start:
    """Begin a sign-in; the verifier stays here and only its digest is sent."""
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    try:
        endpoint = _metadata(_issuer())["authorization_endpoint"]
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise ServiceUnavailable("The campus sign-in does not respond. Try again.") from error
    with _client() as client:
        url, state = client.create_authorization_url(endpoint, code_verifier=verifier, nonce=nonce)
    return Start(url, state, nonce, verifier)


def finish(code: str, begun: Start) -> Identity:
    """Exchange the code; NotSignedIn unless the provider vouches for a verified address."""
    try:
        with _client() as client:
            answered = client.fetch_token(
                _metadata(_issuer())["token_endpoint"], code=code, code_verifier=begun.verifier
            )
        return _identity(_claims(answered["id_token"], begun.nonce))
    except (OAuthError, JoseError, httpx.HTTPError, KeyError, ValueError) as error:
        raise NotSignedIn("The campus sign-in has failed. Start it again.") from error


def redirect_uri() -> str:
    return f"{config.http().public_url.rstrip('/')}/api/v1/auth/oidc/callback"


def _client() -> Any:
    settings = config.oidc()
    return OAuth2Client(
        settings.oidc_client_id,
        settings.oidc_client_secret or None,
        scope=_SCOPE,
        redirect_uri=redirect_uri(),
        code_challenge_method="S256",
        timeout=_TIMEOUT,
    )


def _issuer() -> str:
    return str(config.oidc().oidc_issuer)


@cached(_metadata_cache)
def _metadata(issuer: str) -> dict[str, Any]:
    """Read the provider's metadata; they must name this issuer (OpenID Connect Discovery §4.3)."""
    found = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found["issuer"] != issuer:
        raise ValueError("the provider names another issuer")
    return found


def _get(url: str) -> dict[str, Any]:
    response = httpx.get(url, timeout=_TIMEOUT).raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def _claims(id_token: str, nonce: str) -> dict[str, Any]:
    issuer = _issuer()
    keys = KeySet.import_key_set(_get(_metadata(issuer)["jwks_uri"]))  # type: ignore[arg-type] # JSON
    token = jwt.decode(id_token, keys, algorithms=list(_ALGORITHMS))
    required = jwt.JWTClaimsRegistry(
        now=int(clock.now().timestamp()),
        leeway=_LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": config.oidc().oidc_client_id},
        exp={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    required.validate(token.claims)
    return token.claims


def _identity(claims: dict[str, Any]) -> Identity:
    if claims.get("email_verified") is not True:
        raise ValueError("the provider has not verified the address")
    email = email_normalization.normalize(str(claims["email"]))
    first, _, last = str(claims.get("name") or email.partition("@")[0]).partition(" ")
    return Identity(
        email,
        str(claims.get("given_name") or first)[:100],
        str(claims.get("family_name") or last or first)[:100],
    )
