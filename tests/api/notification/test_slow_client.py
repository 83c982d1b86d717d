"""A client that does not read is closed. On a real server, since its buffers matter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, unix_connect

from backend.shared.messaging import realtime
from tests.api.notification.ws_client import PATH, wait_until
from tests.factories import users
from tests.factories.users import SignedInUser

_MESSAGES = 3000


@pytest.fixture
def server(servers: dict[str, str], clean: None, tmp_path: Path) -> Iterator[Path]:
    """Start a notification service on a Unix socket."""
    address = tmp_path / "n.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.shared.web.service_main", "notification"],
        env=os.environ | servers | {"LUNA_LISTEN": f"unix:{address}"},
    )
    try:
        wait_until(address.exists, seconds=60)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def _subscribed(server: Path, person: SignedInUser) -> Iterator[ClientConnection]:
    with unix_connect(
        str(server), f"ws://luna{PATH}", additional_headers=person.headers, ping_interval=None
    ) as client:
        client.send(json.dumps({"action": "subscribe", "topics": ["me"]}))
        assert json.loads(client.recv(timeout=30))["type"] == "snapshot"
        yield client


def _event(person: SignedInUser, number: int) -> dict[str, Any]:
    return {
        "eventType": "circulation.loan.opened",
        "timestamp": "2026-01-15T10:30:00.000Z",
        "payload": {"user_id": str(person.id), "number": number, "filler": "x" * 2000},
        "pos": number + 1,
    }


def _drain(client: ClientConnection) -> tuple[int, int | None]:
    """Count the remaining messages; return the count and the close code."""
    received = 0
    try:
        while True:
            client.recv(timeout=60)
            received += 1
    except ConnectionClosed as closed:
        return received, closed.rcvd.code if closed.rcvd is not None else None


def test_slow_client_is_closed_and_does_not_delay_others(server: Path) -> None:
    slow, quick = users.student(), users.student()
    with _subscribed(server, slow) as slow_client, _subscribed(server, quick) as quick_client:
        for first in range(0, _MESSAGES, 100):
            realtime.publish([_event(slow, number) for number in range(first, first + 100)])
        realtime.publish([_event(quick, 0)])
        assert json.loads(quick_client.recv(timeout=30))["event"] == "circulation.loan.opened"
        received, code = _drain(slow_client)
    assert code == 4408
    assert received < _MESSAGES
