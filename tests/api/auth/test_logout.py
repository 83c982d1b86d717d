"""Signing out: this session ends, here at once, in every other process within two seconds."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.errors import AccountInactive, TokenRevoked
from backend.shared.web.security import authentication
from tests.api.auth.registered_user import LOGOUT, ME, REFRESH, Newcomer, code

_REVOKED = (401, "TOKEN_REVOKED")


def test_signing_out_ends_this_session_and_no_other(
    api: Any,
    ada: Newcomer,
    audit_trail: Callable[[], list[Any]],
    published: Callable[[], list[str]],
) -> None:
    other_device = ada.signed_in_again(api)
    assert api.get(ME, headers=ada.headers).status_code == 200

    answered = api.post(LOGOUT, headers=ada.headers)
    assert (answered.status_code, answered.json()["data"]) == (200, None)

    assert code(api.get(ME, headers=ada.headers)) == _REVOKED
    assert code(api.post(LOGOUT, headers=ada.headers)) == _REVOKED
    refreshed = api.post(REFRESH, json={"refresh_token": ada.refresh_token})
    assert code(refreshed) == _REVOKED
    assert api.get(ME, headers=other_device.headers).status_code == 200
    ended = audit_trail()[-1]
    assert (ended.action, str(ended.user_id)) == ("session.ended", ada.id)
    assert ended.changes == {"reason": "SIGNED_OUT"}
    assert published() == ["account.registered", "account.session.ended"]


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
def test_another_process_refuses_within_two_seconds(
    ada: Newcomer,
    owner: Engine,
    later: Callable[[float], None],
    change: str,
    refusal: type[Exception],
) -> None:
    """It has remembered the session a moment ago; somebody else changes it in the database."""
    assert str(authentication.authenticate(ada.access_token).id) == ada.id
    with owner.begin() as connection:
        connection.execute(text(change))
    assert str(authentication.authenticate(ada.access_token).id) == ada.id
    later(1.0)
    with pytest.raises(refusal):
        authentication.authenticate(ada.access_token)


def test_the_edge_without_threads_refuses_it_too(
    api: Any, ada: Newcomer, later: Callable[[float], None]
) -> None:
    assert str(api.portal.call(authentication.authenticate_async, ada.access_token).id) == ada.id
    api.post(LOGOUT, headers=ada.headers)
    later(1.0)
    with pytest.raises(TokenRevoked):
        api.portal.call(authentication.authenticate_async, ada.access_token)
