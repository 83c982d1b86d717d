"""A connection to the cache's Redis on which concurrent reads are pipelined.

A read writes its command at once and waits for its own reply, so that many requests share one
connection and one system call. redis-py takes a connection from a pool for each command and parses
replies in Python, which costs more than all else in the answer of a cached read.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

import hiredis
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError, ResponseError

from backend.shared.infra import config

_CONNECT_TIMEOUT = 0.5  # seconds
_REPLY_TIMEOUT = 2.0


class _Connection(asyncio.Protocol):
    """Sends commands and gives each reply to the command it belongs to: they come in order."""

    def __init__(self) -> None:
        self._replies = hiredis.Reader(protocolError=RedisError, replyError=ResponseError)
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._replies.feed(data)
        while (reply := self._replies.gets()) is not False:
            waiting = self._waiting.popleft()
            if waiting.done():  # cancelled
                continue
            if isinstance(reply, Exception):
                waiting.set_exception(reply)
            else:
                waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        while self._waiting:
            if not (waiting := self._waiting.popleft()).done():
                waiting.set_exception(exc or ConnectionResetError("Redis closed the connection"))

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def send(self, *command: str | bytes) -> Any:
        """Send a command and return its reply; one without a reply in time ends the connection."""
        if self._transport is None:
            raise ConnectionResetError("Redis closed the connection")
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(reply)
        self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub allows one word only
        try:
            async with asyncio.timeout(_REPLY_TIMEOUT):
                return await reply
        except TimeoutError:
            self.close()
            raise

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _Cache:
    """The connection of one event loop, opened again after it was lost."""

    def __init__(self) -> None:
        self._opening = asyncio.Lock()
        self._connection: _Connection | None = None

    async def connection(self) -> _Connection:
        if self._connection is not None and self._connection.is_open:
            return self._connection
        async with self._opening:
            if self._connection is None or not self._connection.is_open:
                async with asyncio.timeout(_CONNECT_TIMEOUT):
                    self._connection = await _connect()
            return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


async def _connect() -> _Connection:
    settings = config.redis()
    address = parse_url(settings.cache_url or settings.redis_url)
    loop = asyncio.get_running_loop()
    if "path" in address:
        _, connection = await loop.create_unix_connection(_Connection, address["path"])
    else:
        host, port = address.get("host", "localhost"), address.get("port", 6379)
        _, connection = await loop.create_connection(_Connection, host, port)
    if "password" in address:
        await connection.send("AUTH", address.get("username", "default"), address["password"])
    if address.get("db"):
        await connection.send("SELECT", str(address["db"]))
    return connection


_caches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Cache] = WeakKeyDictionary()


def _cache() -> _Cache:
    loop = asyncio.get_running_loop()
    found = _caches.get(loop)
    if found is None:
        found = _caches[loop] = _Cache()
    return found


async def mget(*keys: str) -> Sequence[bytes | None]:
    """Return the values of some keys in one round trip; RedisError or OSError when it fails."""
    connection = await _cache().connection()
    found: Sequence[bytes | None] = await connection.send("MGET", *keys)
    return found


def close() -> None:
    """Close the connection of this event loop."""
    _cache().close()
