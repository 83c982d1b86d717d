"""Redis admits only LUNA's user, and its cache never displaces a queue."""

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from backend.shared.infra import redis as luna_redis
from tests.conftest import redis_url


def test_redis_refuses_clients_without_the_password(clean: None) -> None:
    address = redis_url().partition("@")[2]
    for url in (f"unix://{address}", f"unix://luna:wrong@{address}", f"unix://default:@{address}"):
        with redis.Redis.from_url(url) as client, pytest.raises(AuthenticationError):
            client.ping()


@pytest.mark.parametrize(
    "command", ["CONFIG GET *", "KEYS *", "SHUTDOWN", "ACL LIST", "MONITOR", "REPLICAOF no one"]
)
def test_user_of_luna_cannot_administer_redis(clean: None, command: str) -> None:
    with pytest.raises(NoPermissionError):
        luna_redis.client().execute_command(*command.split())  # type: ignore[no-untyped-call]  # redis


def test_full_cache_evicts_searches_and_no_queue(clean: None) -> None:
    """Fill Redis with searches, twice what it may hold, beside a queue of the broker."""
    client = luna_redis.client()
    client.rpush("delivery", *(f"message {number}" for number in range(1000)))
    value = b"x" * 1_000_000
    for number in range(260):
        client.set(f"search:{number}", value, ex=900)
    assert client.llen("delivery") == 1000
    assert client.exists("search:259")
    assert sum(client.exists(f"search:{number}") for number in range(260)) < 260


def test_memory_limit_leaves_no_room_for_keys_without_expiry(clean: None) -> None:
    """What must not be evicted is refused instead, as with `noeviction`."""
    client = luna_redis.client()

    def fill() -> None:
        for number in range(260):
            client.set(f"kept:{number}", b"x" * 1_000_000)

    with pytest.raises(ResponseError, match="maxmemory"):
        fill()
    assert client.exists("kept:0")
    client.flushdb()
