"""Access tokens: every forged, altered or expired one is refused with 401."""

import json
from datetime import timedelta
from itertools import product
from typing import Any

from backend.shared.web.security import api_keys, jwks, tokens
from tests.api.auth.registered_user import ME, RegisteredUser, code
from tests.api.auth.tokens.forged_tokens import (
    decode,
    hmac_signed,
    rsa_signed,
    segment,
    signing_key,
    unsigned,
)
from tests.event_runner import advance_clock

_UNAUTHENTICATED = (401, "UNAUTHENTICATED")
_CLAIMS = ("sub", "email", "role", "sid", "ver", "iat", "exp", "jti", "iss", "aud")


def _get_me(api: Any, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_access_token_has_contract_claims(ada: RegisteredUser, servers: dict[str, str]) -> None:
    header, claims = decode(ada.access_token)
    assert header["alg"] == "RS256"
    assert header["kid"] == json.loads(tokens.public_keys())["keys"][0]["kid"]
    assert set(claims) == set(_CLAIMS)
    assert (claims["sub"], claims["role"], claims["email"]) == (ada.id, "STUDENT", ada.email)
    assert claims["exp"] - claims["iat"] == 3600
    assert rsa_signed(header, claims, signing_key(servers)).split(".")[2]


def test_unsigned_token_is_refused(api: Any, ada: RegisteredUser) -> None:
    header, claims = decode(ada.access_token)
    for alg in ("none", "None", "nOnE", ""):
        assert code(_get_me(api, unsigned({**header, "alg": alg}, claims))) == _UNAUTHENTICATED, alg


def test_hmac_with_public_key_is_refused(api: Any, ada: RegisteredUser) -> None:
    header, claims = decode(ada.access_token)
    jwk = json.loads(tokens.public_keys())["keys"][0]
    secrets = {
        "pem": jwks.public_pem(jwk).encode(),
        "jwk": json.dumps(jwk).encode(),
        "modulus": jwk["n"].encode(),
        "empty": b"",
    }
    for alg, (form, secret) in product(("HS256", "hs256", "RS256"), secrets.items()):
        forged = hmac_signed({**header, "alg": alg}, {**claims, "role": "ADMIN"}, secret)
        assert code(_get_me(api, forged)) == _UNAUTHENTICATED, f"{alg} with {form}"


def test_token_signed_by_other_key_is_refused(api: Any, ada: RegisteredUser) -> None:
    usual, claims = decode(ada.access_token)
    other = jwks.generate()
    for header in (
        {},
        {"kid": "of-nobody"},
        {"kid": None},
        {"kid": ["x"]},
        {"jwk": jwks.public_jwk(other)},
        {"jku": "https://example.org/jwks.json"},
        {"x5u": "https://example.org/key.pem"},
        {"alg": "RS512"},
    ):
        assert (
            code(_get_me(api, rsa_signed({**usual, **header}, claims, other))) == _UNAUTHENTICATED
        ), header


def test_token_without_any_claim_is_refused(
    api: Any, ada: RegisteredUser, servers: dict[str, str]
) -> None:
    header, claims = decode(ada.access_token)
    for missing in _CLAIMS:
        less = {name: value for name, value in claims.items() if name != missing}
        assert (
            code(_get_me(api, rsa_signed(header, less, signing_key(servers)))) == _UNAUTHENTICATED
        ), missing


def test_token_with_invalid_claim_is_refused(
    api: Any, ada: RegisteredUser, servers: dict[str, str]
) -> None:
    header, claims = decode(ada.access_token)
    for change in (
        {"aud": "another-api"},
        {"aud": None},
        {"iss": "another-issuer"},
        {"sub": "admin"},
        {"sid": 7},
        {"role": "EMPEROR"},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": None},
        {"ver": "x"},
    ):
        forged = rsa_signed(header, {**claims, **change}, signing_key(servers))
        assert code(_get_me(api, forged)) == _UNAUTHENTICATED, change


def test_token_with_crit_header_is_refused(
    api: Any, ada: RegisteredUser, servers: dict[str, str]
) -> None:
    header, claims = decode(ada.access_token)
    for crit in (["exp"], ["b64"], []):
        forged = rsa_signed({**header, "crit": crit}, claims, signing_key(servers))
        assert code(_get_me(api, forged)) == _UNAUTHENTICATED


def test_token_of_unknown_session_or_outdated_role_is_revoked(
    api: Any, ada: RegisteredUser, servers: dict[str, str]
) -> None:
    header, claims = decode(ada.access_token)
    for change in ({"sid": ada.id}, {"role": "ADMIN"}, {"ver": 1}):
        forged = rsa_signed(header, {**claims, **change}, signing_key(servers))
        assert code(_get_me(api, forged)) == (401, "TOKEN_REVOKED")


def test_access_token_expires_after_an_hour(api: Any, ada: RegisteredUser) -> None:
    advance_clock(timedelta(minutes=59))
    assert _get_me(api, ada.access_token).status_code == 200
    advance_clock(timedelta(minutes=1))
    assert code(_get_me(api, ada.access_token)) == (401, "TOKEN_EXPIRED")


def test_token_unknown_to_the_process_is_expired_not_unauthenticated(
    api: Any, ada: RegisteredUser, servers: dict[str, str]
) -> None:
    header, claims = decode(ada.access_token)
    old = {**claims, "iat": claims["iat"] - 7200, "exp": claims["exp"] - 7200}
    never_seen = rsa_signed(header, old, signing_key(servers))
    assert code(_get_me(api, never_seen)) == (401, "TOKEN_EXPIRED")


def test_altered_token_is_refused(api: Any, ada: RegisteredUser) -> None:
    header, claims, signature = ada.access_token.split(".")
    _, said = decode(ada.access_token)
    altered = segment({**said, "role": "ADMIN"})
    for forged in (
        f"{header}.{altered}.{signature}",
        f"{header}.{claims}.{signature[:-6]}AAAAAA",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{ada.access_token}.{signature}",
    ):
        assert code(_get_me(api, forged)) == _UNAUTHENTICATED


def test_other_secrets_are_refused_as_access_token(api: Any, ada: RegisteredUser) -> None:
    robot_key, _, _ = api_keys.new_robot_key()
    deep = f"{segment(b'[' * 4000)}.{segment(b'[' * 4000)}.x"
    for secret in (ada.refresh_token, robot_key, "x", "..", "a.b.c", "é", "x" * 7000, deep):
        header = f"Bearer {secret}".encode()
        assert code(api.get(ME, headers={"Authorization": header})) == _UNAUTHENTICATED


def test_only_bearer_scheme_authenticates(api: Any, ada: RegisteredUser) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", f"Token {ada.access_token}"):
        response = api.get(ME, headers={"Authorization": header})
        assert code(response) == _UNAUTHENTICATED
        assert response.headers["www-authenticate"] == "Bearer"
    assert code(api.get(f"{ME}?access_token={ada.access_token}")) == _UNAUTHENTICATED


def test_jwks_exposes_public_members_only(api: Any) -> None:
    response = api.get("/api/v1/auth/.well-known/jwks.json")
    assert response.headers["content-type"] == "application/json"
    (key,) = response.json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
