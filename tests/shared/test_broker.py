"""The Celery worker continues after Redis was killed under it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from backend.shared.infra import redis as luna_redis
from backend.shared.messaging import broker, subscriptions
from ops.home import ROOT
from ops.servers import redis_server
from tests.conftest import redis_url

_PASSWORD = "of-one-test"
_KILLS = 3
_TASKS = 40
_CALL: Any = ([], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None})
# A worker whose task is so short that an acknowledgement is always on its way.
_WORKER = """
import time
from backend.shared.messaging import celery_app, worker

@celery_app.celery.task(name="delivery.wait")
def wait() -> None:
    time.sleep(0.01)

worker._run_celery("test", ["delivery"], 2)
"""


def test_channel_of_a_closed_connection_reports_a_connection_error(clean: None) -> None:
    """Kombu's own raises AttributeError, which ends the worker."""
    with Connection(broker.url(redis_url())) as connection:
        queue = connection.SimpleQueue("broker-test")
        queue.put({})
        message = queue.get(timeout=30)
        channel: Any = message.channel
        assert isinstance(channel, broker.Channel)
        transport = channel.connection
        client, transport.client = transport.client, None  # as after a loss
        setattr(channel, "_pool", None)  # noqa: B010 (kombu's types do not know it)
        with pytest.raises(RedisConnectionError):
            message.ack()
        with pytest.raises(RedisConnectionError):
            channel.close()
        transport.client = client
    luna_redis.client().delete("broker-test")


def test_messages_that_robots_wait_for_overtake_all_others(clean: None) -> None:
    with Connection(broker.url(redis_url())) as connection:
        queue = connection.SimpleQueue("broker-test")
        sent = [subscriptions.NOTIFY, subscriptions.ALERT, subscriptions.COMMAND_OUTCOME]
        for consumer in sent:
            queue.put(consumer, priority=subscriptions.priority_of(consumer))
        received = []
        for _ in sent:
            message = queue.get(timeout=30)
            message.ack()
            received.append(message.payload)
    assert received == [sent[2], *sent[:2]]


def _client(socket: Path) -> Redis:
    return Redis.from_url(redis_server.url(str(socket), _PASSWORD))


@contextmanager
def _redis(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = Path(os.environ["LUNA_TEST_REDIS_SERVER"])
    command = redis_server.start_command(program, socket, socket.parent, _PASSWORD, durable=False)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command)
    try:
        _until(lambda: bool(_client(socket).ping()))
        yield process
    finally:
        process.kill()
        process.wait()
        socket.unlink(missing_ok=True)


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (RedisError, OSError):
            pass  # it is starting
        assert monotonic() < deadline, "condition not met in time"
        sleep(0.05)


def _process_tasks(socket: Path, worker: subprocess.Popen[bytes]) -> None:
    """Send tasks and wait until the worker has taken the half of them."""
    client = _client(socket)
    with Connection(broker.url(redis_server.url(str(socket), _PASSWORD))) as connection:
        queue = connection.SimpleQueue("delivery")
        headers = {"task": "delivery.wait", "lang": "py"}
        for _ in range(_TASKS):
            queue.put(_CALL, headers={**headers, "id": str(uuid4())}, serializer="json")
    _until(lambda: client.llen("delivery") < _TASKS / 2 or worker.poll() is not None)
    client.close()


def test_worker_reconnects_each_time_redis_is_killed(tmp_path: Path) -> None:
    socket = tmp_path / "r.sock"
    environment = os.environ | {
        "LUNA_REDIS_URL": redis_server.url(str(socket), _PASSWORD),
        "LUNA_DATABASE_URL": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
        "LUNA_LOG_LEVEL": "ERROR",
    }
    words = [sys.executable, "-c", _WORKER]
    worker = subprocess.Popen(words, cwd=ROOT, env=environment)  # noqa: S603 (our own program)
    try:
        for _ in range(_KILLS):
            with _redis(socket) as server:
                _process_tasks(socket, worker)
                server.send_signal(signal.SIGKILL)
            assert worker.poll() is None, "the worker has ended"
        with _redis(socket):
            _process_tasks(socket, worker)
            assert worker.poll() is None, "the worker has ended"
    finally:
        worker.kill()
        worker.wait()
