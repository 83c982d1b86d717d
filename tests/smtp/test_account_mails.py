"""Mails about an account, received by a real SMTP server; and what their links do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import config
from tests import event_runner
from tests.api.auth.registered_user import (
    LOGIN,
    ME,
    PASSWORD,
    REFRESH,
    REGISTER,
    RegisteredUser,
    code,
    field_errors,
    form,
)
from tests.smtp.conftest import Mailbox

FORGOT = "/api/v1/auth/forgot-password"
RESET = "/api/v1/auth/reset-password"
VERIFY = "/api/v1/auth/verify-email"
RESEND = "/api/v1/auth/resend-verification"
_NEW = "Calm-rivers-2027!"


@pytest.fixture
def ada(api: Any, mailbox: Mailbox) -> RegisteredUser:
    """A new user; the mail of the registration has been received."""
    user = RegisteredUser.register(api, "ada@university.edu")
    event_runner.run_events()
    return user


def _forgot(api: Any, email: str) -> Any:
    response = api.post(FORGOT, json={"email": email})
    event_runner.run_events()
    return response


def _log_in(api: Any, password: str) -> int:
    status: int = api.post(
        LOGIN, json={"email": "ada@university.edu", "password": password}
    ).status_code
    return status


def test_registration_sends_a_link_that_verifies_the_address_once(
    api: Any, ada: RegisteredUser, mailbox: Mailbox, owner: Engine
) -> None:
    message, words = mailbox.last()
    assert (message["To"], message["Subject"]) == (ada.email, "Confirm your e-mail address")
    assert f"http://localhost:8080/verify-email#token={mailbox.token()}" in words
    html = message.get_body(preferencelist=("html",))
    assert html is not None
    assert mailbox.token() in html.get_content()

    assert code(api.post(RESET, json={"token": mailbox.token(), "new_password": _NEW})) == (
        422,
        "INVALID_TOKEN",
    )
    assert api.post(VERIFY, json={"token": mailbox.token()}).status_code == 200
    assert code(api.post(VERIFY, json={"token": mailbox.token()})) == (422, "INVALID_TOKEN")
    with owner.connect() as connection:
        verified = connection.execute(text("SELECT email_verified_at FROM users")).scalar_one()
    assert verified is not None
    api.post(RESEND, headers=ada.headers)
    event_runner.run_events()
    assert len(mailbox.messages) == 1


def test_verification_is_sent_again_at_most_three_times_an_hour(
    api: Any, ada: RegisteredUser, mailbox: Mailbox
) -> None:
    statuses = [api.post(RESEND, headers=ada.headers).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    event_runner.run_events()
    assert len(mailbox.messages) == 4


def test_mailed_link_resets_the_password_once_and_ends_all_sessions(
    api: Any, ada: RegisteredUser, mailbox: Mailbox
) -> None:
    assert _forgot(api, " ADA@university.edu").status_code == 200
    token = mailbox.token()
    weak = api.post(RESET, json={"token": token, "new_password": "password"})
    assert "new_password" in field_errors(weak)

    done = api.post(RESET, json={"token": token, "new_password": _NEW})
    assert (done.status_code, done.json()["data"]) == (200, None)
    assert code(api.get(ME, headers=ada.headers)) == (401, "TOKEN_REVOKED")
    assert code(api.post(REFRESH, json={"refresh_token": ada.refresh_token}))[0] == 401
    assert (_log_in(api, PASSWORD), _log_in(api, _NEW)) == (401, 200)
    again = api.post(RESET, json={"token": token, "new_password": "Other-rivers-2027!"})
    assert code(again) == (422, "INVALID_TOKEN")
    event_runner.run_events()
    assert mailbox.last()[0]["Subject"] == "Your password was changed"


def test_reset_link_expires_after_half_an_hour(
    api: Any, ada: RegisteredUser, mailbox: Mailbox
) -> None:
    _forgot(api, ada.email)
    event_runner.advance_clock(timedelta(minutes=31))
    late = api.post(RESET, json={"token": mailbox.token(), "new_password": _NEW})
    assert code(late) == (422, "INVALID_TOKEN")


def test_forgot_password_reveals_no_account_and_sends_three_mails_an_hour(
    api: Any, ada: RegisteredUser, mailbox: Mailbox, owner: Engine
) -> None:
    known = [_forgot(api, ada.email) for _ in range(5)]
    unknown = [_forgot(api, address) for address in ("nobody@university.edu", "nonsense")]
    answers = {
        (answer.status_code, str(answer.json()["data"]), tuple(sorted(answer.headers)))
        for answer in [*known, *unknown]
    }
    assert len(answers) == 1
    assert len(mailbox.messages) == 1 + 3
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT o::text FROM outbox AS o")).scalars().all()
    assert not any("university" in row or mailbox.token() in row for row in rows)


def test_link_is_built_from_the_public_address(
    api: Any, ada: RegisteredUser, mailbox: Mailbox
) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    api.post(FORGOT, json={"email": ada.email}, headers=evil)
    event_runner.run_events()
    message, words = mailbox.last()
    assert "evil" not in str(message)
    assert words.count(config.http().public_url) == 1


def test_mail_that_the_server_refuses_is_sent_again(
    api: Any, ada: RegisteredUser, mailbox: Mailbox
) -> None:
    mailbox.refuses = True
    with pytest.raises(Exception, match="451"):
        _forgot(api, ada.email)
    mailbox.refuses = False
    event_runner.run_events()
    reset = api.post(RESET, json={"token": mailbox.token(), "new_password": _NEW})
    assert reset.status_code == 200


def test_hundredth_failed_login_sends_a_link_that_unlocks(
    api: Any, ada: RegisteredUser, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.http().model_copy(update={"login_failures_in_a_row": 3})
    monkeypatch.setattr(config, "http", lambda: settings)
    assert [_log_in(api, f"Loud-lamps-{n}") for n in range(4)] == [401] * 4
    assert _log_in(api, PASSWORD) == 401
    event_runner.run_events()
    assert mailbox.last()[0]["Subject"] == "Somebody tries to guess your password"
    api.post(RESET, json={"token": mailbox.token(), "new_password": _NEW})
    assert _log_in(api, _NEW) == 200


def test_administrators_and_demo_accounts_get_no_verification_mail(
    api: Any, mailbox: Mailbox
) -> None:
    from backend.auth.service import accounts
    from backend.shared.infra import database
    from backend.shared.web.schemas.accounts import NewUser

    with database.transaction() as session:
        new_user = NewUser(email="ruth@luna.example", first_name="Ruth", last_name="Okafor")
        accounts.create_user(session, new_user, PASSWORD)
    event_runner.run_events()
    assert mailbox.messages == []


def test_local_run_keeps_mails_as_files(api: Any, published_mails: Callable[[], list[str]]) -> None:
    """A local run keeps mails as files, and `luna mail` shows them with their links."""
    assert api.post(REGISTER, json=form()).status_code == 201
    event_runner.run_events()
    (shown,) = published_mails()
    assert "To: ada@university.edu" in shown
    assert "Link: http://localhost:8080/verify-email#token=" in shown
