"""Reset a forgotten password.

forgot → an event → a mail with a link, valid for half an hour → the link's token sets the new
password once → every session of the account ends.

secrets makes the token, of which SQLAlchemy stores a hash; Celery runs the consumer, Jinja writes
the mail, smtplib sends it; passlib hashes the new password.
"""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from backend.shared.infra import config
from tests.factories import users
from tests.scenario import Scenario, code_of


def _token(folder: Path) -> str:
    (mail,) = folder.glob("*.eml")
    words = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",))
    found = re.search(r"#token=([\w-]+)", words.get_content() if words else "")
    assert found
    return found[1]


def test_mailed_link_sets_a_new_password_once(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.mail().model_copy(update={"mail_folder": tmp_path / "mail"})
    monkeypatch.setattr(config, "mail", lambda: settings)
    email = scenario.student.email
    scenario.call(None, "POST", "/auth/forgot-password", json={"email": email})
    scenario.run_events()

    body = {"token": _token(tmp_path / "mail"), "new_password": "Calm-rivers-2027!"}
    scenario.call(None, "POST", "/auth/reset-password", json=body)
    again = scenario.call(None, "POST", "/auth/reset-password", 422, json=body)
    assert code_of(again) == "INVALID_TOKEN"
    ended = scenario.call(scenario.student, "GET", "/auth/me", 401)
    assert code_of(ended) == "TOKEN_REVOKED"
    for password, status in ((users.PASSWORD, 401), (body["new_password"], 200)):
        login = {"email": email, "password": password}
        scenario.call(None, "POST", "/auth/login", status, json=login)
