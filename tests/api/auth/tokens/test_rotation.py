"""Rotation of the signing key: nobody is signed out, and a retired key ends."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.shared.web.security import authentication, jwks, key_files, tokens
from tests.api.auth.registered_user import LOGIN, ME, PASSWORD, REFRESH, RegisteredUser, code
from tests.api.auth.tokens.forged_tokens import decode, rsa_signed
from tests.event_runner import advance_clock


@pytest.fixture
def keys(servers: dict[str, str]) -> Iterator[tuple[Path, Path]]:
    """The key files of the services, restored afterwards."""
    names = ("LUNA_AUTH_PRIVATE_KEY_FILE", "LUNA_AUTH_PUBLIC_KEYS_FILE")
    private, public = (Path(servers[name]) for name in names)
    before = (private.read_bytes(), public.read_bytes())
    yield private, public
    for path, content in zip((private, public), before, strict=True):
        path.write_bytes(content)
    _look_again()


def _look_again() -> None:
    """Let a second pass for the readers of key files."""
    for file in (key_files.PRIVATE, key_files.PUBLIC):
        file.text(fresh=True)


def _kid(token: str) -> str:
    kid: str = decode(token)[0]["kid"]
    return kid


def _me(api: Any, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_rotation_signs_nobody_out(api: Any, ada: RegisteredUser, keys: tuple[Path, Path]) -> None:
    kid = jwks.rotate(*keys)
    new = api.post(REFRESH, json={"refresh_token": ada.refresh_token}).json()["data"]
    assert (_kid(new["access_token"]), _kid(ada.access_token) == kid) == (kid, False)
    authentication.verified.cache_clear()  # as in a process that has not seen the tokens
    assert _me(api, new["access_token"]).status_code == 200
    assert _me(api, ada.access_token).status_code == 200
    listed = api.get("/api/v1/auth/.well-known/jwks.json").json()["keys"]
    assert [key["kid"] for key in listed] == [kid, _kid(ada.access_token)]
    assert all(set(key) == {"kty", "use", "alg", "kid", "n", "e"} for key in listed)


def test_retired_key_verifies_nothing_once_its_tokens_have_expired(
    api: Any, ada: RegisteredUser, keys: tuple[Path, Path]
) -> None:
    old_key = keys[0].read_text()
    header, claims = decode(ada.access_token)
    kid = jwks.rotate(*keys)
    _look_again()
    advance_clock(timedelta(minutes=61))
    late = rsa_signed(header, {**claims, "exp": claims["exp"] + 86400}, old_key)
    assert code(_me(api, late)) == (401, "UNAUTHENTICATED")
    listed = api.get("/api/v1/auth/.well-known/jwks.json").json()["keys"]
    assert [key["kid"] for key in listed] == [kid]
    jwks.rotate(*keys)
    assert _kid(ada.access_token) not in keys[1].read_text()


def test_revoked_key_is_refused_although_its_token_was_verified_before(
    api: Any, ada: RegisteredUser, keys: tuple[Path, Path]
) -> None:
    assert _me(api, ada.access_token).status_code == 200
    jwks.rotate(*keys, revoke=True)
    _look_again()
    assert code(_me(api, ada.access_token)) == (401, "UNAUTHENTICATED")
    assert api.post(REFRESH, json={"refresh_token": ada.refresh_token}).status_code == 200


def test_what_older_keys_have_encrypted_stays_readable(
    api: Any, ada: RegisteredUser, keys: tuple[Path, Path]
) -> None:
    """Refresh tokens, known devices and failure counts depend on the first key."""
    login = {"email": ada.email, "password": PASSWORD}
    device = api.post(LOGIN, json=login).json()["data"]["device_token"]
    for _ in range(3):
        jwks.rotate(*keys)
    again = api.post(LOGIN, json=login, headers={"X-LUNA-Device": device}).json()["data"]
    assert again["device_token"] == device
    assert api.post(REFRESH, json={"refresh_token": ada.refresh_token}).status_code == 200
    assert keys[0].read_text().count("BEGIN") == 2  # one signs, the first derives


def test_private_key_file_is_private_and_public_one_keeps_its_mode(
    servers: dict[str, str], keys: tuple[Path, Path]
) -> None:
    private, public = keys
    public.chmod(0o644)
    jwks.rotate(private, public)
    assert private.stat().st_mode & 0o777 == 0o600
    assert public.stat().st_mode & 0o777 == 0o644


def test_version_of_the_keys_changes_with_a_rotation(
    servers: dict[str, str], keys: tuple[Path, Path]
) -> None:
    before = tokens.key_version()
    jwks.rotate(*keys)
    _look_again()
    assert tokens.key_version() != before
