"""Forged and misused tokens: each gives 401 with one body on all five services."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from backend.shared.infra import clock
from backend.shared.web.security import api_keys, encryption, jwks, tokens
from tests.api.auth.registered_user import LOGOUT, REFRESH, RegisteredUser, code
from tests.api.auth.tokens.forged_tokens import (
    decode,
    hmac_signed,
    rsa_signed,
    segment,
    signing_key,
    unsigned,
)

SERVICES = (
    "/api/v1/auth/me",
    "/api/v1/books",
    "/api/v1/requests",
    "/api/v1/robot/status",
    "/api/v1/notifications",
)
_OTHER = jwks.generate()


class Forger:
    """What an attacker may have: a token, the public keys, an own key; for claims, ours."""

    def __init__(self, user: RegisteredUser, key: str) -> None:
        self.user, self.key = user, key
        self.header, self.claims = decode(user.access_token)
        self.admin = {**self.claims, "role": "ADMIN"}
        self.jwk = json.loads(tokens.public_keys())["keys"][0]

    def hs256(self, encoding: Encoding, form: PublicFormat) -> str:
        public = load_pem_public_key(jwks.public_pem(self.jwk).encode())
        secret = public.public_bytes(encoding, form)
        return hmac_signed({**self.header, "alg": "HS256"}, self.admin, secret)

    def headed(self, key: str | None = None, **changes: Any) -> str:
        return rsa_signed({**self.header, **changes}, self.admin, key or self.key)

    def claiming(self, **changes: Any) -> str:
        return rsa_signed(self.header, {**self.claims, **changes}, self.key)

    def without(self, name: str) -> str:
        rest = {key: value for key, value in self.claims.items() if key != name}
        return rsa_signed(self.header, rest, self.key)

    def altered(self) -> str:
        _, _, signature = self.user.access_token.split(".")
        return f"{segment(self.header)}.{segment(self.admin)}.{signature}"


_SPKI = PublicFormat.SubjectPublicKeyInfo
KINDS: dict[str, Callable[[Forger], str]] = {
    "alg none": lambda f: unsigned({**f.header, "alg": "none"}, f.admin),
    "alg None": lambda f: unsigned({**f.header, "alg": "None"}, f.admin),
    "no alg": lambda f: unsigned({"kid": f.header["kid"]}, f.admin),
    "HS256 with the PEM": lambda f: f.hs256(Encoding.PEM, _SPKI),
    "HS256 with the DER": lambda f: f.hs256(Encoding.DER, _SPKI),
    "HS256 with the SSH key": lambda f: f.hs256(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "HS256 with the JWK": lambda f: hmac_signed(
        {**f.header, "alg": "HS256"}, f.admin, json.dumps(f.jwk).encode()
    ),
    "RS384": lambda f: f.headed(alg="RS384"),
    "alg in lower case": lambda f: f.headed(alg="rs256"),
    "unknown kid": lambda f: f.headed(kid="of-nobody"),
    "no kid": lambda f: rsa_signed({"alg": "RS256"}, f.admin, f.key),
    "kid of ours, key of another issuer": lambda f: f.headed(_OTHER),
    "jwk in the header": lambda f: f.headed(_OTHER, jwk=jwks.public_jwk(_OTHER)),
    "jku in the header": lambda f: f.headed(_OTHER, jku="https://evil.example/jwks.json"),
    "unknown crit": lambda f: f.headed(crit=["exp"]),
    "no exp": lambda f: f.without("exp"),
    "no aud": lambda f: f.without("aud"),
    "no iss": lambda f: f.without("iss"),
    "no jti": lambda f: f.without("jti"),
    "no sid": lambda f: f.without("sid"),
    "exp as string": lambda f: f.claiming(exp=str(f.claims["exp"])),
    "exp as fraction": lambda f: f.claiming(exp=f.claims["exp"] + 0.5),
    "aud as list": lambda f: f.claiming(aud=[f.claims["aud"], "other-api"]),
    "another issuer": lambda f: f.claiming(iss="https://login.example.org"),
    "another audience": lambda f: f.claiming(aud="other-api"),
    "altered claims": lambda f: f.altered(),
    "no signature": lambda f: f.user.access_token.rpartition(".")[0] + ".",
    "refresh token": lambda f: f.user.refresh_token,
    "service key": lambda _: api_keys.new_service_key()[0],
    "robot key of nobody": lambda _: api_keys.new_robot_key()[0],
    "our own encryption": lambda f: encryption.encrypt(json.dumps(f.admin).encode()).decode(),
    "base64 of the claims": lambda f: base64.b64encode(json.dumps(f.admin).encode()).decode(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_forged_token_is_refused_alike_by_all_services(
    api: Any, ada: RegisteredUser, servers: dict[str, str], kind: str
) -> None:
    forged = KINDS[kind](Forger(ada, signing_key(servers)))
    headers = {"Authorization": f"Bearer {forged}"}
    refused = [api.get(path, headers=headers) for path in SERVICES]
    assert {code(response) for response in refused} == {(401, "UNAUTHENTICATED")}
    assert len({json.dumps(response.json()["error"]) for response in refused}) == 1
    assert len({response.headers["www-authenticate"] for response in refused}) == 1


def test_access_token_is_no_refresh_token(api: Any, ada: RegisteredUser) -> None:
    refused = api.post(REFRESH, json={"refresh_token": ada.access_token})
    assert code(refused) == (401, "TOKEN_REVOKED")
    assert api.post(LOGOUT, headers=ada.headers).status_code == 200  # nothing has ended


def test_token_of_the_real_key_is_admitted(
    api: Any, ada: RegisteredUser, servers: dict[str, str]
) -> None:
    """The forger's tools make valid tokens, so its refusals mean something."""
    forger = Forger(ada, signing_key(servers))
    later = int((clock.now() + timedelta(minutes=30)).timestamp())
    headers = {"Authorization": f"Bearer {forger.claiming(exp=later)}"}
    statuses = {path: api.get(path, headers=headers).status_code for path in SERVICES}
    assert statuses == dict.fromkeys(SERVICES, 200) | {"/api/v1/robot/status": 403}
