"""Registration that reveals no account: LUNA_REGISTRATION=verify."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.shared.infra import config
from tests import event_runner
from tests.api.auth.registered_user import LOGIN, PASSWORD, REGISTER, code, form
from tests.smtp.conftest import Mailbox

VERIFY = "/api/v1/auth/verify-email"


@pytest.fixture(autouse=True)
def _verify(monkeypatch: pytest.MonkeyPatch, servers: dict[str, str]) -> None:
    chosen = {"registration": config.Registration.VERIFY, "staff_domain": "library.example"}
    settings = config.auth().model_copy(update=chosen)
    monkeypatch.setattr(config, "auth", lambda: settings)


@pytest.fixture
def register(api: Any) -> Callable[..., Any]:
    def send(email: str = "ada@university.edu", **changes: Any) -> Any:
        response = api.post(REGISTER, json=form(email, **changes))
        event_runner.run_events()
        return response

    return send


def _log_in(api: Any, email: str = "ada@university.edu") -> Any:
    return api.post(LOGIN, json={"email": email, "password": PASSWORD})


def test_account_works_once_its_address_is_verified(
    api: Any, mailbox: Mailbox, register: Callable[..., Any]
) -> None:
    response = register()
    assert (response.status_code, response.json()["data"]) == (202, None)
    assert code(_log_in(api)) == (401, "INVALID_CREDENTIALS")
    assert api.post(VERIFY, json={"token": mailbox.token()}).status_code == 200
    assert _log_in(api).status_code == 200
    settings = api.get("/api/v1/auth/client-settings").json()["data"]
    assert settings["registration"] == "verify"


def test_answer_is_the_same_for_an_address_that_has_an_account(
    api: Any, mailbox: Mailbox, register: Callable[..., Any]
) -> None:
    answers = [register()]
    api.post(VERIFY, json={"token": mailbox.token()})
    answers += [register(password="Other-lamps-1842", first_name="Eve"), register("new@u.edu")]
    seen = {
        (answer.status_code, str(answer.json()["data"]), tuple(sorted(answer.headers)))
        for answer in answers
    }
    assert len(seen) == 1
    subjects = [message["Subject"] for message in mailbox.messages]
    assert subjects == ["Confirm your e-mail address", "You have an account", subjects[0]]
    assert _log_in(api).status_code == 200  # neither password nor name has changed
    for _ in range(4):
        register()
    assert len(mailbox.messages) == 3 + 1  # three an hour for an address, the first among them


def test_link_is_sent_again_while_the_address_is_not_verified(
    api: Any, mailbox: Mailbox, register: Callable[..., Any]
) -> None:
    register()
    register()
    assert [message["Subject"] for message in mailbox.messages] == [
        "Confirm your e-mail address"
    ] * 2
    assert api.post(VERIFY, json={"token": mailbox.token()}).status_code == 200


def test_name_like_that_of_staff_is_accepted_with_a_verified_address(
    api: Any, mailbox: Mailbox, register: Callable[..., Any]
) -> None:
    assert register("desk@library.example", last_name="Librarian").status_code == 202
    assert _log_in(api, "desk@library.example").status_code == 401
    api.post(VERIFY, json={"token": mailbox.token()})
    assert _log_in(api, "desk@library.example").status_code == 200
