"""A connection to each Redis on which the commands of concurrent requests are pipelined.

A request writes its commands at once and waits for its own replies, so that many requests share one
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
Command = tuple[str | bytes, ...]


class _Connection(asyncio.Protocol):
    """Sends commands and gives each reply to the command it belongs to: they come in order."""

    def __init__(self) -> None:
        self._replies = hiredis.Reader(protocolError=RedisError, replyError=ResponseError)
        # Of each command: what waits for its reply, or for that of a later command.
        self._waiting: deque[tuple[asyncio.Future[Any], bool]] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._replies.feed(data)
        while (reply := self._replies.gets()) is not False:
            waiting, is_last = self._waiting.popleft()
            if waiting.done():  # cancelled, or an earlier command of the same call failed
                continue
            if isinstance(reply, Exception):
                waiting.set_exception(reply)
            elif is_last:
                waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        while self._waiting:
            waiting, _ = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(exc or ConnectionResetError("Redis closed the connection"))

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def send(self, *commands: Command) -> Any:
        """Send commands and return the reply to the last.

        One without a reply in time ends the connection; an error of any is raised.
        """
        if self._transport is None:
            raise ConnectionResetError("Redis closed the connection")
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.extend((reply, False) for _ in commands[1:])
        self._waiting.append((reply, True))
        packed = map(hiredis.pack_command, commands)  # type: ignore[arg-type]  # its stub allows one word only
        self._transport.write(b"".join(packed))
        # asyncio.timeout takes as long as all else here
        ending = asyncio.get_running_loop().call_later(_REPLY_TIMEOUT, self.close)
        try:
            return await reply
        finally:
            ending.cancel()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _Shared:
    """The connection of one event loop to one server, opened again after it was lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opening = asyncio.Lock()
        self._connection: _Connection | None = None

    async def connection(self) -> _Connection:
        if self._connection is not None and self._connection.is_open:
            return self._connection
        async with self._opening:
            if self._connection is None or not self._connection.is_open:
                async with asyncio.timeout(_CONNECT_TIMEOUT):
                    self._connection = await _connect(self._url)
            return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


async def _connect(url: str) -> _Connection:
    address = parse_url(url)
    loop = asyncio.get_running_loop()
    if "path" in address:
        _, connection = await loop.create_unix_connection(_Connection, address["path"])
    else:
        host, port = address.get("host", "localhost"), address.get("port", 6379)
        _, connection = await loop.create_connection(_Connection, host, port)
    if "password" in address:
        name = address.get("username", "default")
        await connection.send(("AUTH", name, address["password"]))
    if address.get("db"):
        await connection.send(("SELECT", str(address["db"])))
    return connection


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]] = WeakKeyDictionary()


async def _connection(url: str) -> _Connection:
    own = _shared.setdefault(asyncio.get_running_loop(), {})
    found = own.get(url)
    if found is None:
        found = own[url] = _Shared(url)
    return await found.connection()


async def mget(*keys: str) -> Sequence[bytes | None]:
    """Return values of the cache in one round trip; RedisError or OSError when it fails."""
    connection = await _connection(config.redis().cache_url or config.redis().redis_url)
    found: Sequence[bytes | None] = await connection.send(("MGET", *keys))
    return found


async def run(url: str, commands: Sequence[Command]) -> None:
    """Run commands on a server in one round trip; RedisError or OSError when one fails."""
    await (await _connection(url)).send(*commands)


def close() -> None:
    """Close the connections of this event loop."""
    for shared in _shared.get(asyncio.get_running_loop(), {}).values():
        shared.close()
