"""Cached reads: one round trip, correct without Redis, with a Redis that restarts or hangs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from backend.shared.infra import cache, cache_connection, config, redis

TTL = timedelta(minutes=1)


Test = Callable[[], Awaitable[Any]]


@pytest.fixture
def run(clean: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[Test], Any]:
    """Run a test on an event loop of the kind that the services use, with clients of its own."""
    monkeypatch.setattr(redis, "_down_until", 0.0)

    async def closed(test: Test) -> Any:
        client = Redis.from_url(config.redis().redis_url)
        monkeypatch.setattr(redis, "async_cache_client", lambda: client)
        try:
            return await test()
        finally:
            cache_connection.close()
            await client.aclose()

    def run_test(test: Test) -> Any:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(closed(test))

    return run_test


async def _read(value: bytes, *, until_any_change: bool = False) -> bytes:
    return await cache.get_or_create("key", TTL, lambda: value, until_any_change=until_any_change)


def test_value_is_created_once_until_it_is_deleted(run: Callable[[Test], Any]) -> None:
    async def test() -> list[bytes]:
        found = [await _read(b"a"), await _read(b"b")]
        redis.client().delete("key")
        return [*found, await _read(b"c")]

    assert run(test) == [b"a", b"a", b"c"]


def test_change_of_the_catalogue_invalidates_searches_only(run: Callable[[Test], Any]) -> None:
    async def test() -> list[bytes]:
        await _read(b"a")
        redis.client().incr(cache.CATALOGUE_VERSION)
        return [await _read(b"b"), await _read(b"c", until_any_change=True)]

    assert run(test) == [b"a", b"c"]


def test_value_read_before_a_change_is_not_stored_after_it(run: Callable[[Test], Any]) -> None:
    def create() -> bytes:
        redis.client().incr(cache.CATALOGUE_VERSION)  # a change commits meanwhile
        return b"old"

    async def test() -> list[bytes]:
        return [await cache.get_or_create("key", TTL, create), await _read(b"new")]

    assert run(test) == [b"old", b"new"]


def test_concurrent_reads_each_get_their_own_value(run: Callable[[Test], Any]) -> None:
    async def one(number: int) -> bytes:
        value = b"%d" % number
        return await cache.get_or_create(f"key:{number}", TTL, lambda: value)

    async def test() -> list[bytes]:
        await asyncio.gather(*(one(number) for number in range(50)))
        found = await asyncio.gather(*(one(-number) for number in range(50)))
        assert [int(value) for value in found] == [-number for number in range(50)]
        keys = [f"key:{number}" for number in range(50)]
        values = await asyncio.gather(*(cache_connection.mget(key) for key in keys))
        return [value[0] or b"" for value in values]

    assert [value.rpartition(b"\n")[2] for value in run(test)] == [b"%d" % n for n in range(50)]


def test_failed_command_is_raised_and_later_replies_stay_in_order(
    run: Callable[[Test], Any],
) -> None:
    url = config.redis().redis_url

    async def test() -> list[Any]:
        failing = cache_connection.run(url, [("INCR", "n"), ("NOSUCH",), ("INCR", "n")])
        found = await asyncio.gather(failing, cache_connection.mget("n"), return_exceptions=True)
        await cache_connection.run(url, [("INCR", "n"), ("SET", "key", b"a")])
        return [*found, await cache_connection.mget("n", "key")]

    error, during, after = run(test)
    assert isinstance(error, ResponseError)
    assert (during, after) == ([b"2"], [b"3", b"a"])


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def _server(path: Path, handler: Handler) -> AsyncIterator[None]:
    server = await asyncio.start_unix_server(handler, path)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def _reply_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"key\r\n")
    writer.write(b"*1\r\n$1\r\na\r\n")
    writer.close()


async def _never_reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.fixture
def other_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The socket of a Redis that a test starts itself, or not."""
    path = tmp_path / "r"
    settings = config.RedisSettings(redis_url=f"unix://{path}")
    monkeypatch.setattr(config, "redis", lambda: settings)
    monkeypatch.setattr(cache_connection, "_REPLY_TIMEOUT", 0.05)
    return path


def test_lost_connection_is_opened_again(run: Callable[[Test], Any], other_redis: Path) -> None:
    async def test() -> None:
        async with _server(other_redis, _reply_once):
            found = 0
            while found < 3:  # the loss may be noticed by a read
                with contextlib.suppress(OSError):
                    assert await cache_connection.mget("key") == [b"a"]
                    found += 1

    run(test)


@pytest.mark.parametrize("handler", [None, _never_reply])
def test_without_redis_the_value_is_created_every_time(
    run: Callable[[Test], Any], handler: Handler | None, other_redis: Path
) -> None:
    async def test() -> list[bytes]:
        async with _server(other_redis, handler) if handler else contextlib.nullcontext():
            return [await _read(b"a"), await _read(b"b")]

    assert run(test) == [b"a", b"b"]
    assert not redis.is_up()
