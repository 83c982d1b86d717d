"""Service keys: shown once, rotated with an overlap, revoked, expiring."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.auth.service import service_keys
from backend.shared.infra import clock, database
from tests.api.auth.registered_user import ME, code, field_errors
from tests.event_runner import advance_clock
from tests.factories import users
from tests.factories.users import SignedInUser

KEYS = "/api/v1/auth/service-keys"
_BODY = {"name": "self check-out", "rpcs": ["luna.v1.LibraryService/CheckOutBook"]}


@pytest.fixture
def admin(api: Any) -> SignedInUser:
    return users.admin()


def _create(api: Any, admin: SignedInUser, **changes: Any) -> Any:
    return api.post(KEYS, json={**_BODY, **changes}, headers=admin.headers)


def _rpcs_of(secret: str) -> list[str] | None:
    with database.transaction() as session:
        key = service_keys.find(session, secret)
        return None if key is None else key.rpcs


def test_key_is_shown_once_and_stored_as_digest(
    api: Any, admin: SignedInUser, owner: Engine
) -> None:
    made = _create(api, admin)
    assert made.status_code == 201
    secret = made.json()["data"]["key"]
    assert _rpcs_of(secret) == _BODY["rpcs"]
    (listed,) = api.get(KEYS, headers=admin.headers).json()["data"]
    assert "key" not in listed
    with owner.connect() as connection:
        row = connection.execute(text("SELECT s::text FROM service_keys AS s")).scalar_one()
    assert secret not in row
    assert code(_create(api, admin))[0] == 409
    assert "rpcs.0" in field_errors(_create(api, admin, name="other", rpcs=["*"]))
    assert code(api.get(ME, headers={"Authorization": f"Bearer {secret}"}))[0] == 401


def test_rotated_key_overlaps_for_ten_minutes(api: Any, admin: SignedInUser) -> None:
    first = _create(api, admin).json()["data"]
    rotated = api.post(f"{KEYS}/{first['id']}/rotate", headers=admin.headers).json()["data"]
    assert _rpcs_of(first["key"]) == _rpcs_of(rotated["key"]) == _BODY["rpcs"]
    assert _rpcs_of(rotated["key"][:-1] + "_") is None
    advance_clock(timedelta(minutes=10, seconds=1))
    assert _rpcs_of(first["key"]) is None
    assert _rpcs_of(rotated["key"]) == _BODY["rpcs"]


def test_revoked_or_expired_key_is_refused(api: Any, admin: SignedInUser) -> None:
    soon = clock.iso(clock.now() + timedelta(hours=1))
    expiring = _create(api, admin, name="for an hour", expires_at=soon).json()["data"]
    kept = _create(api, admin).json()["data"]
    assert _rpcs_of(expiring["key"]) is not None
    advance_clock(timedelta(minutes=59))
    assert api.delete(f"{KEYS}/{kept['id']}", headers=admin.headers).status_code == 200
    assert api.delete(f"{KEYS}/{kept['id']}", headers=admin.headers).status_code == 404
    advance_clock(timedelta(minutes=2))
    assert (_rpcs_of(expiring["key"]), _rpcs_of(kept["key"])) == (None, None)
