"""Notices of due dates and holds; preferences, quiet hours, mail and Web Push."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pywebpush import WebPushException  # type: ignore[import-untyped]  # it has no types
from sqlalchemy import Engine, text

from backend.notification.service import channels
from backend.shared.domain.circulation import notices
from backend.shared.infra import clock, config
from backend.shared.messaging import mail
from tests import event_runner
from tests.api.circulation.desk_client import Desk
from tests.factories import catalogue, users

_SUBSCRIPTION = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/one",
    "keys": {
        "p256dh": (
            "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-"
            "Ts1XbjhazAkj7I99e8QcYP7DkM"
        ),
        "auth": "tBHItJI5svbpez7KI4CCXg",
    },
}


@pytest.fixture
def desk(api: Any) -> Desk:
    return Desk(api)


@pytest.fixture
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which mails arrive."""
    folder = tmp_path / "mail"
    monkeypatch.setenv("LUNA_MAIL_FOLDER", str(folder))
    config.mail.cache_clear()
    yield folder
    monkeypatch.undo()
    config.mail.cache_clear()


@pytest.fixture
def push(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Switch Web Push on."""
    monkeypatch.setenv("LUNA_PUSH_PRIVATE_KEY", "c2VjcmV0")
    monkeypatch.setenv("LUNA_PUSH_PUBLIC_KEY", "cHVibGlj")
    config.push.cache_clear()
    yield
    monkeypatch.undo()
    config.push.cache_clear()


def _advance(desk: Desk, **time: float) -> None:
    event_runner.advance_clock(timedelta(**time))
    desk.librarian = users.librarian()


def _remind() -> list[str]:
    event_runner.run_periodic("catalog.remind")
    return event_runner.run_events()


def _texts(owner: Engine, user: users.SignedInUser) -> list[str]:
    with owner.connect() as connection:
        statement = text("SELECT message FROM notifications WHERE user_id = :id ORDER BY id")
        return list(connection.execute(statement, {"id": user.id}).scalars())


@pytest.mark.unit
def test_steps_follow_from_the_due_date_alone() -> None:
    due = clock.now()
    days = (-3, -1, 0.5, 8, 15, 100)
    steps = [notices.step_due(due, due + timedelta(days=day)) for day in days]
    assert steps == [0, 1, 2, 3, 4, 5]


def test_one_digest_a_day_joins_all_loans_and_catches_up(desk: Desk, owner: Engine) -> None:
    desk.check_out()
    other = catalogue.add_book("A Wizard of Earthsea")
    desk.check_out(book_id=str(other))
    assert "circulation.member.reminded" not in _remind()
    _advance(desk, days=40)  # no job has run for weeks
    seen = _remind()
    assert seen.count("circulation.member.reminded") == 1
    assert seen.count("circulation.loan.overdue") == 2
    (message,) = _texts(owner, desk.member)
    assert "Earthsea" in message
    assert "Darkness" in message
    assert "circulation.member.reminded" not in _remind()
    _advance(desk, days=1)
    assert "circulation.member.reminded" not in _remind()  # the next step is not due
    _advance(desk, days=7)
    assert "circulation.member.reminded" in _remind()


def test_no_reminder_after_the_book_is_back(desk: Desk, owner: Engine, mails: Path) -> None:
    desk.check_out()
    _advance(desk, days=40)
    event_runner.run_periodic("catalog.remind")
    desk.check_in()
    event_runner.run_events()
    assert _texts(owner, desk.member) == []
    assert not mails.exists()


def test_ready_hold_is_told_in_the_app_and_by_mail(desk: Desk, owner: Engine, mails: Path) -> None:
    desk.check_out()
    waiting = users.create_user(preferred_language="de")
    desk.place_hold(waiting)
    desk.check_in()
    event_runner.run_events()
    (message,) = _texts(owner, waiting)
    assert "liegt bis" in message
    (message_file,) = mails.glob("*.eml")
    assert waiting.email in message_file.read_text()


def test_preferences_choose_channels_and_language(desk: Desk, owner: Engine, mails: Path) -> None:
    waiting = users.student()
    path = "/notifications/preferences"
    before = desk.call(waiting, "GET", path)
    kinds = {each["notification_type"]: each for each in before["channels"]}
    assert kinds["CIRCULATION_HOLD_READY"]["email"]
    assert kinds["DELIVERY_TASK_ARRIVED"]["urgent"]
    choices = [
        {
            "notification_type": kind,
            "in_app": False,
            "push": False,
            "email": False,
        }
        for kind in ("CIRCULATION_HOLD_READY", "DELIVERY_TASK_ARRIVED")
    ]
    after = desk.call(waiting, "PUT", path, json={"language": "de", "channels": choices})
    kinds = {each["notification_type"]: each for each in after["channels"]}
    assert not kinds["CIRCULATION_HOLD_READY"]["in_app"]
    assert kinds["DELIVERY_TASK_ARRIVED"]["in_app"]  # a robot at the door is always told
    assert after["language"] == "de"
    assert desk.call(waiting, "GET", path) == after
    wrong = {"channels": [{"notification_type": "NOTHING", "push": True, "email": True}]}
    desk.call(waiting, "PUT", path, 422, json=wrong)
    desk.call(waiting, "PUT", path, 422, json={"language": "xx"})
    desk.check_out()
    desk.place_hold(waiting)
    desk.check_in()
    event_runner.run_events()
    assert _texts(owner, waiting) == []
    assert not mails.exists()


def test_quiet_hours_hold_mails_back(desk: Desk, mails: Path) -> None:
    waiting = users.student()
    now = clock.now()
    quiet = {
        "start": f"{now - timedelta(hours=1):%H:%M}",
        "end": f"{now + timedelta(hours=1):%H:%M}",
    }
    desk.call(waiting, "PUT", "/notifications/preferences", json={"quiet_hours": quiet})
    desk.check_out()
    desk.place_hold(waiting)
    desk.check_in()
    event_runner.run_events()
    event_runner.run_periodic("notification.send_due")
    assert not mails.exists()
    _advance(desk, hours=2)
    event_runner.run_periodic("notification.send_due")
    assert len(list(mails.glob("*.eml"))) == 1


def _deliveries(owner: Engine) -> list[Any]:
    with owner.connect() as connection:
        columns = "channel, status, attempts, last_error"
        return list(
            connection.execute(text(f"SELECT {columns} FROM notification_deliveries"))  # noqa: S608 (constants)
        )


@pytest.mark.usefixtures("mails")
def test_failed_mail_is_tried_again_and_given_up(
    desk: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_message: object) -> None:
        raise OSError("the mail server is away")

    monkeypatch.setattr(mail, "send", refuse)
    desk.check_out()
    desk.place_hold(users.student())
    desk.check_in()
    event_runner.run_events()
    (delivery,) = _deliveries(owner)
    assert (delivery.status, delivery.attempts) == ("PENDING", 1)
    assert "away" in delivery.last_error
    for _ in range(channels.MAX_ATTEMPTS):
        event_runner.advance_clock(timedelta(hours=7))
        event_runner.run_periodic("notification.send_due")
    (delivery,) = _deliveries(owner)
    assert (delivery.status, delivery.attempts) == ("FAILED", channels.MAX_ATTEMPTS)


@pytest.mark.usefixtures("push")
def test_push_reaches_browsers_and_dead_subscriptions_are_deleted(
    desk: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = users.student()
    path = "/notifications/push-subscriptions"
    for name in ("one", "gone"):
        endpoint = f"https://updates.push.services.mozilla.com/wpush/v2/{name}"
        desk.call(waiting, "POST", path, 201, json={**_SUBSCRIPTION, "endpoint": endpoint})
    inside = {**_SUBSCRIPTION, "endpoint": "https://127.0.0.1/secrets"}
    desk.call(waiting, "POST", path, 422, json=inside)
    posted: list[dict[str, Any]] = []

    class _Gone:
        status_code = 410

    def post(subscription_info: dict[str, Any], data: str, **_options: Any) -> None:
        if subscription_info["endpoint"].endswith("gone"):
            raise WebPushException("gone", response=_Gone())
        posted.append(json.loads(data))

    monkeypatch.setattr("pywebpush.webpush", post)
    desk.check_out()
    desk.place_hold(waiting)
    desk.check_in()
    event_runner.run_events()
    assert [message["type"] for message in posted] == ["CIRCULATION_HOLD_READY"]
    assert [(each.channel, each.status) for each in _deliveries(owner)] == [("PUSH", "SENT")]
    with owner.connect() as connection:
        left = connection.execute(text("SELECT id, endpoint FROM push_subscriptions")).one()
    assert left.endpoint.endswith("one")
    desk.call(users.student(), "DELETE", f"{path}/{left.id}", 404)
    desk.call(waiting, "DELETE", f"{path}/{left.id}")
