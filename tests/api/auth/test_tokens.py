"""What is no access token of ours is refused, in one way; nothing a forger writes is believed."""

import json
from datetime import timedelta
from itertools import product
from typing import Any

from backend.shared.web.security import api_keys, jwks, tokens
from tests.api.auth.forged_tokens import keyed, opened, own_pem, part, signed, unsigned
from tests.api.auth.registered_user import ME, Newcomer, code
from tests.event_runner import advance_clock

_UNKNOWN = (401, "UNAUTHENTICATED")
_CLAIMS = ("sub", "email", "role", "sid", "ver", "iat", "exp", "jti", "iss", "aud")


def _asked(api: Any, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_a_token_says_who_in_the_claims_of_the_contract(
    ada: Newcomer, servers: dict[str, str]
) -> None:
    header, claims = opened(ada.access_token)
    assert header["alg"] == "RS256"
    assert header["kid"] == tokens.public_keys()["keys"][0]["kid"]
    assert set(claims) == set(_CLAIMS)
    assert (claims["sub"], claims["role"], claims["email"]) == (ada.id, "STUDENT", ada.email)
    assert claims["exp"] - claims["iat"] == 3600
    assert signed(header, claims, own_pem(servers)).split(".")[2]


def test_an_unsigned_token_is_nothing(api: Any, ada: Newcomer) -> None:
    header, claims = opened(ada.access_token)
    for alg in ("none", "None", "nOnE", ""):
        assert code(_asked(api, unsigned({**header, "alg": alg}, claims))) == _UNKNOWN, alg


def test_the_public_key_is_no_secret(api: Any, ada: Newcomer) -> None:
    header, claims = opened(ada.access_token)
    jwk = tokens.public_keys()["keys"][0]
    secrets = {
        "pem": jwks.public_pem(jwk).encode(),
        "jwk": json.dumps(jwk).encode(),
        "modulus": jwk["n"].encode(),
        "empty": b"",
    }
    for alg, (form, secret) in product(("HS256", "hs256", "RS256"), secrets.items()):
        forged = keyed({**header, "alg": alg}, {**claims, "role": "ADMIN"}, secret)
        assert code(_asked(api, forged)) == _UNKNOWN, f"{alg} with {form}"


def test_another_key_is_not_ours_whatever_the_header_says(api: Any, ada: Newcomer) -> None:
    usual, claims = opened(ada.access_token)
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
        assert code(_asked(api, signed({**usual, **header}, claims, other))) == _UNKNOWN, header


def test_every_claim_is_required(api: Any, ada: Newcomer, servers: dict[str, str]) -> None:
    header, claims = opened(ada.access_token)
    for missing in _CLAIMS:
        less = {name: value for name, value in claims.items() if name != missing}
        assert code(_asked(api, signed(header, less, own_pem(servers)))) == _UNKNOWN, missing


def test_every_claim_is_checked_even_under_our_signature(
    api: Any, ada: Newcomer, servers: dict[str, str]
) -> None:
    header, claims = opened(ada.access_token)
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
        forged = signed(header, {**claims, **change}, own_pem(servers))
        assert code(_asked(api, forged)) == _UNKNOWN, change


def test_an_extension_that_we_do_not_know_is_refused(
    api: Any, ada: Newcomer, servers: dict[str, str]
) -> None:
    header, claims = opened(ada.access_token)
    for crit in (["exp"], ["b64"], []):
        forged = signed({**header, "crit": crit}, claims, own_pem(servers))
        assert code(_asked(api, forged)) == _UNKNOWN


def test_a_session_or_role_that_does_not_exist_is_over(
    api: Any, ada: Newcomer, servers: dict[str, str]
) -> None:
    header, claims = opened(ada.access_token)
    for change in ({"sid": ada.id}, {"role": "ADMIN"}, {"ver": 1}):
        forged = signed(header, {**claims, **change}, own_pem(servers))
        assert code(_asked(api, forged)) == (401, "TOKEN_REVOKED")


def test_a_token_lives_an_hour(api: Any, ada: Newcomer) -> None:
    advance_clock(timedelta(minutes=59))
    assert _asked(api, ada.access_token).status_code == 200
    advance_clock(timedelta(minutes=1))
    assert code(_asked(api, ada.access_token)) == (401, "TOKEN_EXPIRED")


def test_an_altered_token_is_not_ours(api: Any, ada: Newcomer) -> None:
    header, claims, signature = ada.access_token.split(".")
    _, said = opened(ada.access_token)
    altered = part({**said, "role": "ADMIN"})
    for forged in (
        f"{header}.{altered}.{signature}",
        f"{header}.{claims}.{signature[:-6]}AAAAAA",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{ada.access_token}.{signature}",
    ):
        assert code(_asked(api, forged)) == _UNKNOWN


def test_other_secrets_are_no_access_token(api: Any, ada: Newcomer) -> None:
    robot_key, _, _ = api_keys.new_robot_key()
    deep = f"{part(b'[' * 4000)}.{part(b'[' * 4000)}.x"
    for secret in (ada.refresh_token, robot_key, "x", "..", "a.b.c", "é", "x" * 7000, deep):
        header = f"Bearer {secret}".encode()
        assert code(api.get(ME, headers={"Authorization": header})) == _UNKNOWN


def test_only_a_bearer_token_signs_in(api: Any, ada: Newcomer) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", f"Token {ada.access_token}"):
        answered = api.get(ME, headers={"Authorization": header})
        assert code(answered) == _UNKNOWN
        assert answered.headers["www-authenticate"] == "Bearer"
    assert code(api.get(f"{ME}?access_token={ada.access_token}")) == _UNKNOWN


def test_the_public_keys_are_public_and_only_public(api: Any) -> None:
    answered = api.get("/api/v1/auth/.well-known/jwks.json")
    assert answered.headers["content-type"] == "application/json"
    (key,) = answered.json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
