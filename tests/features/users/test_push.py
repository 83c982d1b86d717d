"""Push a notification to a browser that is closed.

the browser subscribes (an address at its push service, a key) → an event makes a notification →
it is encrypted for the browser and posted to that address → only the browser can read it.

pywebpush encrypts (RFC 8291) and signs with the VAPID key (RFC 8292), requests posts to the push
service, Celery runs the consumer, SQLAlchemy keeps the subscription and what is still to be sent.
"""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import http_ece  # type: ignore[import-untyped]  # it has no types

from backend.shared.infra import config
from ops.servers import push_keys
from tests.scenario import Scenario

ADDRESS = "https://updates.push.services.mozilla.com/wpush/v2/one"
SECRET = b"sixteen bytes of"


def _push_settings(folder: Path) -> config.PushSettings:
    push_keys.make(folder)
    return config.PushSettings(
        push_private_key=(folder / "push-private.secret").read_text(),
        push_public_key=(folder / "push-public").read_text(),
    )


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode()


def test_arrival_of_the_robot_is_pushed_to_the_browser_of_the_student(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, browser = _push_settings(tmp_path), ec.generate_private_key(ec.SECP256R1())
    posted: list[tuple[str, bytes]] = []

    def post(address: str, data: bytes, **_options: Any) -> Any:
        posted.append((address, data))
        return SimpleNamespace(status_code=201)

    monkeypatch.setattr(config, "push", lambda: settings)
    monkeypatch.setattr("requests.post", post)
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    body = {"endpoint": ADDRESS, "keys": {"p256dh": _text(point), "auth": _text(SECRET)}}
    path = "/notifications/push-subscriptions"
    scenario.call(scenario.student, "POST", path, 201, json=body)

    scenario.until_handover()
    assert {address for address, _ in posted} == {ADDRESS}
    read = [
        json.loads(http_ece.decrypt(data, private_key=browser, auth_secret=SECRET))
        for _, data in posted
    ]
    assert "DELIVERY_TASK_ARRIVED" in {message["type"] for message in read}
