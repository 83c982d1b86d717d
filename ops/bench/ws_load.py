"""Many WebSocket clients in one process: raw protocols that parse only frame headers."""

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

_PATH = "/api/v1/notifications/ws"
_PING, _TEXT = 9, 1
_LENGTHS = {126: ">H", 127: ">Q"}


def _frame(opcode: int, payload: bytes) -> bytes:
    """Mask with zeros: the payload is sent as it is."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < min(_LENGTHS):
        return head + bytes([0x80 | size]) + bytes(4) + payload
    return head + bytes([0x80 | 126]) + struct.pack(">H", size) + bytes(4) + payload


class Client(asyncio.Protocol):
    """One socket; calls `received` with the time of each text message."""

    def __init__(self, host: str, token: str, received: Callable[[float], None]) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_open = False
        self._received = received
        self._data = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._request = (
            f"GET {_PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n"
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none
        self._transport.write(self._request.encode())

    def send(self, text: str) -> None:
        self._transport.write(_frame(_TEXT, text.encode()))

    def close(self) -> None:
        self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_open = False
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._data += data
        if not self.is_open and not self._upgraded():
            return
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == _TEXT:
                self._received(now)
            elif opcode == _PING:
                self._transport.write(_frame(10, payload))

    def _upgraded(self) -> bool:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self._transport.close()
            return False
        self._data, self.is_open = rest, True
        self.opened.set_result(None)
        return True

    def _next_frame(self) -> tuple[int, bytes] | None:
        if len(self._data) < 2:  # noqa: PLR2004 (opcode and length)
            return None
        size, start = self._data[1], 2
        if size in _LENGTHS:
            start += struct.calcsize(_LENGTHS[size])
            if len(self._data) < start:
                return None
            [size] = struct.unpack(_LENGTHS[size], self._data[2:start])
        if len(self._data) < start + size:
            return None
        opcode, payload = self._data[0] & 0x0F, self._data[start : start + size]
        self._data = self._data[start + size :]
        return opcode, payload


@dataclass
class Clients:
    """A group of open sockets that counts what they receive."""

    clients: list[Client]
    times: list[float]

    async def subscribe(self, topic: str) -> None:
        """Subscribe each socket and wait for the snapshots."""
        self.times.clear()
        for client in self.clients:
            client.send('{"action":"subscribe","topics":["' + topic + '"]}')
        await self.received(len(self.clients), 60)
        self.times.clear()

    async def received(self, count: int, seconds: float) -> bool:
        """Wait until so many messages have come; False when they have not in time."""
        deadline = time.monotonic() + seconds
        while len(self.times) < count and time.monotonic() < deadline:  # noqa: ASYNC110 (an event for each message would be measured too)
            await asyncio.sleep(0.002)
        return len(self.times) >= count

    def close(self) -> None:
        for client in self.clients:
            client.close()


async def connect(address: str, tokens: Sequence[str], each: int) -> Clients:
    """Open so many sockets for each token, fifty at a time."""
    times: list[float] = []
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 80
    loop = asyncio.get_running_loop()
    slots = asyncio.Semaphore(50)

    async def open_one(token: str) -> Client:
        async with slots:
            _, client = await loop.create_connection(
                lambda: Client(parts.netloc, token, times.append), host, port
            )
            await asyncio.wait_for(client.opened, 30)
            return client

    opened = await asyncio.gather(*(open_one(token) for token in tokens for _ in range(each)))
    return Clients(list(opened), times)
