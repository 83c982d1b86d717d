"""A local run has a VAPID key pair of its own, so that Web Push works without settings."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest
from pywebpush import Vapid  # type: ignore[import-untyped]  # it has no types

from backend.shared.infra import config
from ops.servers import push_keys


def _point(vapid: Vapid) -> bytes:
    numbers = vapid.public_key.public_numbers()
    return bytes(b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"))


def test_key_pair_is_private_and_signs_for_its_public_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUNA_PUSH_PRIVATE_KEY", raising=False)
    monkeypatch.delenv("LUNA_PUSH_PUBLIC_KEY", raising=False)
    assert not push_keys.exist(tmp_path)
    push_keys.make(tmp_path)
    assert push_keys.exist(tmp_path)
    for name, file in push_keys.settings(tmp_path).items():
        assert Path(file).stat().st_mode & 0o077 == 0
        monkeypatch.setenv(name, file)
    made = config.PushSettings()
    vapid = Vapid.from_string(made.push_private_key)
    public = str(made.push_public_key)
    assert urlsafe_b64encode(_point(vapid)).rstrip(b"=").decode() == public
    assert len(public) == 87  # what PushManager.subscribe takes
    headers = vapid.sign({"sub": "mailto:library@localhost", "aud": "https://push.example"})
    assert public in headers["Authorization"]
    claims = headers["Authorization"].split("t=")[1].split(".")[1]
    assert json.loads(urlsafe_b64decode(claims + "=="))["aud"] == "https://push.example"


def test_key_pair_of_the_settings_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_PUSH_PRIVATE_KEY", "own")
    assert push_keys.settings(tmp_path) == {}
    assert push_keys.exist(tmp_path)  # nothing is to be made
