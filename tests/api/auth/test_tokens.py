"""What is no access token of ours is refused, in one way; nothing a forger writes is believed."""

import json
from typing import Any

import pytest

from backend.shared import keys, security
from tests.api.auth.forgery import keyed, opened, own_pem, part, signed, unsigned
from tests.api.auth.newcomer import ME, Newcomer, code
from tests.chain import move_clock

_UNKNOWN = (401, "UNAUTHENTICATED")
_OTHER = keys.generate()
_CLAIMS = ("sub", "email", "role", "sid", "ver", "iat", "exp", "jti", "iss", "aud")


def _asked(api: Any, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_a_token_says_who_in_the_claims_of_the_contract(
    ada: Newcomer, servers: dict[str, str]
) -> None:
    header, claims = opened(ada.access_token)
    assert header["alg"] == "RS256"
    assert header["kid"] == security.public_keys()["keys"][0]["kid"]
    assert set(claims) == set(_CLAIMS)
    assert (claims["sub"], claims["role"], claims["email"]) == (ada.id, "STUDENT", ada.email)
    assert claims["exp"] - claims["iat"] == 3600
    assert signed(header, claims, own_pem(servers)).split(".")[2]


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", ""])
def test_an_unsigned_token_is_nothing(api: Any, ada: Newcomer, alg: str) -> None:
    header, claims = opened(ada.access_token)
    assert code(_asked(api, unsigned({**header, "alg": alg}, claims))) == _UNKNOWN


@pytest.mark.parametrize("alg", ["HS256", "hs256", "RS256"])
@pytest.mark.parametrize("form", ["pem", "jwk", "modulus", "empty"])
def test_the_public_key_is_no_secret(api: Any, ada: Newcomer, alg: str, form: str) -> None:
    header, claims = opened(ada.access_token)
    jwk = security.public_keys()["keys"][0]
    secret = {
        "pem": keys.public_pem(jwk).encode(),
        "jwk": json.dumps(jwk).encode(),
        "modulus": jwk["n"].encode(),
        "empty": b"",
    }[form]
    forged = keyed({**header, "alg": alg}, {**claims, "role": "ADMIN"}, secret)
    assert code(_asked(api, forged)) == _UNKNOWN


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kid": "of-nobody"},
        {"kid": None},
        {"kid": ["x"]},
        {"jwk": keys.public_jwk(_OTHER)},
        {"jku": "https://example.org/jwks.json"},
        {"x5u": "https://example.org/key.pem"},
        {"alg": "RS512"},
    ],
)
def test_another_key_is_not_ours_whatever_the_header_says(
    api: Any, ada: Newcomer, header: dict[str, Any]
) -> None:
    usual, claims = opened(ada.access_token)
    assert code(_asked(api, signed({**usual, **header}, claims, _OTHER))) == _UNKNOWN


@pytest.mark.parametrize("missing", _CLAIMS)
def test_every_claim_is_required(
    api: Any, ada: Newcomer, servers: dict[str, str], missing: str
) -> None:
    header, claims = opened(ada.access_token)
    less = {name: value for name, value in claims.items() if name != missing}
    assert code(_asked(api, signed(header, less, own_pem(servers)))) == _UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another-api"},
        {"iss": "another-issuer"},
        {"sub": "admin"},
        {"sid": 7},
        {"role": "EMPEROR"},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": None},
        {"ver": "x"},
        {"aud": None},
    ],
)
def test_every_claim_is_checked_even_under_our_signature(
    api: Any, ada: Newcomer, servers: dict[str, str], change: dict[str, Any]
) -> None:
    header, claims = opened(ada.access_token)
    assert code(_asked(api, signed(header, {**claims, **change}, own_pem(servers)))) == _UNKNOWN


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
    from datetime import timedelta

    move_clock(timedelta(minutes=59))
    assert _asked(api, ada.access_token).status_code == 200
    move_clock(timedelta(minutes=1))
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
    robot_key, _, _ = security.new_robot_key()
    deep = f"{part(b'[' * 4000)}.{part(b'[' * 4000)}.x"
    for secret in (ada.refresh_token, robot_key, "x", "..", "a.b.c", "é", "x" * 7000, deep):
        header = f"Bearer {secret}".encode()
        assert code(api.get(ME, headers={"Authorization": header})) == _UNKNOWN


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token {token}"])
def test_only_a_bearer_token_signs_in(api: Any, ada: Newcomer, header: str) -> None:
    sent = {"Authorization": header.format(token=ada.access_token)}
    answered = api.get(ME, headers=sent)
    assert code(answered) == _UNKNOWN
    assert answered.headers["www-authenticate"] == "Bearer"
    assert code(api.get(f"{ME}?access_token={ada.access_token}")) == _UNKNOWN


def test_the_public_keys_are_public_and_only_public(api: Any) -> None:
    answered = api.get("/api/v1/auth/.well-known/jwks.json")
    assert answered.headers["content-type"] == "application/json"
    (key,) = answered.json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
