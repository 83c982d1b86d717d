"""The search for secrets in the logs of a run finds what it must."""

import logging
import smtplib
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from backend.shared.infra import config, logs
from backend.shared.messaging import mail
from backend.shared.web.security import api_keys
from tests.factories import users
from tests.secrets_in_logs import SecretSearch, check_home, searched_log

SECRET = "pl4nted_s3cret-of-a-device"


@pytest.mark.parametrize(
    "line",
    [
        f'{{"path":"/api/v1/auth/me?token={SECRET}"}}',
        f'{{"event":"Authorization: Bearer {SECRET}"}}',
        f"ticket.{SECRET}, luna.v1",
        f"Read-books-2026! {SECRET}",
    ],
)
def test_secret_is_found_in_a_line(line: str) -> None:
    search = SecretSearch()
    search.add(SECRET)
    assert search.found_in(["other\n", line]) == [line]
    assert SecretSearch().found_in([line]) == []


def test_password_is_found_in_a_line() -> None:
    search = SecretSearch()
    search.add("Read-books-2026!")
    assert search.found_in(["body=Read-books-2026!x"]) == ["body=Read-books-2026!x"]


@pytest.mark.parametrize("channel", ["log", "access", "traceback"])
def test_secret_that_a_service_logs_fails_the_run(tmp_path: Path, channel: str) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level

    def plant(secret: str) -> None:
        if channel == "log":
            logs.get("planted").warning("sign-in failed", given=secret)
        elif channel == "access":
            logs.access("GET", f"/api/v1/{secret}", 404, 1.0)
        else:
            logging.getLogger("planted").error("failed", exc_info=ValueError(f"<{secret}>"))

    try:
        with pytest.raises(AssertionError), searched_log(tmp_path / "log"):
            plant(api_keys.new_robot_key()[0])
        with searched_log(tmp_path / "other"):
            plant("nothing-secret-at-all")
    finally:
        root.handlers, root.level = before


def test_secret_of_a_home_is_found_in_its_logs(tmp_path: Path) -> None:
    for name in ("keys", "logs", "mail", "robots"):
        (tmp_path / name).mkdir()
    (tmp_path / "keys" / "luna_auth.secret").write_text(SECRET)
    (tmp_path / "logs" / "auth.log").write_text("quiet\n")
    check_home(tmp_path)
    (tmp_path / "logs" / "auth.log").write_text(f"connecting with {SECRET}@db\n")
    with pytest.raises(AssertionError, match=r"auth\.log"):
        check_home(tmp_path)


def test_values_that_postgresql_quotes_are_left_out(clean: None) -> None:
    taken = users.student()
    with pytest.raises(IntegrityError) as refused:
        users.create_user(email=taken.email)
    written = str(refused.value)
    assert taken.email in written
    assert taken.email not in logs.without_values(written)
    assert "uq_users_email" in logs.without_values(written)


def test_refusal_of_a_mail_server_does_not_name_the_recipient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = smtplib.SMTPRecipientsRefused({"ada@example.edu": (550, b"no ada@example.edu here")})

    def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setenv("LUNA_SMTP_URL", "smtp://localhost")
    monkeypatch.setattr(config, "mail", config.MailSettings)
    monkeypatch.setattr(mail, "_send_by_smtp", refuse)
    with pytest.raises(mail.MailNotSentError) as refused:
        mail.send(mail.build("ada@example.edu", "s", "t", "<p>t</p>"))
    assert "ada" not in str(refused.value)
    assert refused.value.__suppress_context__  # no traceback shows the refusal itself
