"""Logout ends the session: here at once, in every other process within two seconds."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.errors import AccountInactive, TokenRevoked
from backend.shared.web.security import authentication
from tests.api.auth.registered_user import LOGOUT, ME, REFRESH, RegisteredUser, code

_REVOKED = (401, "TOKEN_REVOKED")


def test_logout_ends_this_session_and_no_other(
    api: Any,
    ada: RegisteredUser,
    audit_trail: Callable[[], list[Any]],
    published_events: Callable[[], list[str]],
) -> None:
    other_device = ada.log_in_again(api)
    assert api.get(ME, headers=ada.headers).status_code == 200

    response = api.post(LOGOUT, headers=ada.headers)
    assert (response.status_code, response.json()["data"]) == (200, None)

    assert code(api.get(ME, headers=ada.headers)) == _REVOKED
    assert code(api.post(LOGOUT, headers=ada.headers)) == _REVOKED
    refreshed = api.post(REFRESH, json={"refresh_token": ada.refresh_token})
    assert code(refreshed) == _REVOKED
    assert api.get(ME, headers=other_device.headers).status_code == 200
    ended = audit_trail()[-1]
    assert (ended.action, str(ended.user_id)) == ("session.ended", ada.id)
    assert ended.changes == {"reason": "SIGNED_OUT"}
    assert published_events() == ["account.registered", "account.session.ended"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE sessions SET ended_at = now()", TokenRevoked),
        ("DELETE FROM sessions", TokenRevoked),
        ("UPDATE users SET token_epoch = token_epoch + 1", TokenRevoked),
        ("UPDATE users SET role = 'LIBRARIAN'", TokenRevoked),
        ("UPDATE users SET is_active = false", AccountInactive),
    ],
)
def test_other_process_refuses_ended_session_within_two_seconds(
    api: Any,
    ada: RegisteredUser,
    owner: Engine,
    advance_monotonic: Callable[[float], None],
    change: str,
    refusal: type[Exception],
) -> None:
    """The session is cached, then changed in the database by another process."""
    token = ada.access_token
    assert str(api.portal.call(authentication.authenticate, token).id) == ada.id
    with owner.begin() as connection:
        connection.execute(text(change))
    assert str(api.portal.call(authentication.authenticate, token).id) == ada.id
    advance_monotonic(1.0)
    with pytest.raises(refusal):
        api.portal.call(authentication.authenticate, token)
