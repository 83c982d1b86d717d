"""A client that does not read is dropped and holds nobody up. On a real server: it has buffers."""

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

from backend.shared.infra import redis
from backend.shared.messaging import realtime
from tests.api.notification.ws_client import PATH, wait_until
from tests.factories import users
from tests.factories.users import SignedInUser

_FLOOD = 3000


@pytest.fixture
def server(servers: dict[str, str], clean: None, tmp_path: Path) -> Iterator[Path]:
    """A notification service of its own on a Unix socket."""
    listens = tmp_path / "n.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.shared.web.service_main", "notification"],
        env=os.environ | servers | {"LUNA_LISTEN": f"unix:{listens}"},
    )
    try:
        wait_until(listens.exists, seconds=30)
        yield listens
    finally:
        process.terminate()
        process.wait(timeout=15)


@contextmanager
def _watching(server: Path, person: SignedInUser) -> Iterator[ClientConnection]:
    with unix_connect(
        str(server), f"ws://luna{PATH}", additional_headers=person.headers, ping_interval=None
    ) as client:
        client.send(json.dumps({"action": "subscribe", "topics": ["me"]}))
        assert json.loads(client.recv(timeout=5))["type"] == "snapshot"
        yield client


def _event(person: SignedInUser, number: int) -> dict[str, Any]:
    return {
        "eventType": "circulation.loan.opened",
        "timestamp": "2026-01-15T10:30:00.000Z",
        "payload": {"user_id": str(person.id), "number": number, "filler": "x" * 2000},
        "pos": number + 1,
    }


def _code_at_the_end(client: ClientConnection) -> tuple[int, int | None]:
    """How many messages still came, and the close code."""
    got = 0
    try:
        while True:
            client.recv(timeout=15)
            got += 1
    except ConnectionClosed as end:
        return got, end.rcvd.code if end.rcvd is not None else None


def test_a_client_that_does_not_read_is_dropped_and_slows_nobody(server: Path) -> None:
    slow, quick = users.student(), users.student()
    with _watching(server, slow) as sleeping, _watching(server, quick) as awake:
        for first in range(0, _FLOOD, 100):
            realtime.publish([_event(slow, number) for number in range(first, first + 100)])
        realtime.publish([_event(quick, 0)])
        assert json.loads(awake.recv(timeout=5))["event"] == "circulation.loan.opened"
        got, code = _code_at_the_end(sleeping)
    assert code == 4408
    assert got < _FLOOD
    assert redis.client().ping()
