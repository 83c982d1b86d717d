"""Shutdown without a lost request: end long polls, drain connections, then end.

On SIGTERM a service is no longer ready and closes each connection with its next response. The
gateway closes those that stay idle, after `keepalive_timeout` of its upstreams: if the service
closed one, the gateway could be sending a request on it.
"""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

DRAIN_TIMEOUT = 6.0  # seconds; longer than the gateway keeps idle connections
_POLL_INTERVAL = 0.05
_draining = threading.Event()


def is_draining() -> bool:
    """Return whether this process is about to end and should get no new requests."""
    return _draining.is_set()


class DrainingServer(uvicorn.Server):
    """A server that takes over a Unix socket once it can serve, and drains before it ends.

    The socket is bound to a name of this process and renamed to `path`, so that a successor takes
    new connections from a process that still serves its own.
    """

    def __init__(self, config: uvicorn.Config, path: Path | None) -> None:
        super().__init__(config)
        self._path = path
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        if self._path is not None and self.config.uds is not None:
            Path(self.config.uds).rename(self._path)  # noqa: ASYNC240 (no disk is involved)

    async def main_loop(self) -> None:
        """Wait for the signal to end; Uvicorn would look for it ten times a second."""
        await self.on_tick(0)
        if not self.should_exit:
            await self._ending.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        """Wait until every connection is closed, at most for the timeout."""
        _draining.set()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        for connection in list(state.connections):
            if isinstance(connection, self.config.ws_protocol_class or ()):
                connection.shutdown()  # 1012: the client connects again
            elif (cycle := getattr(connection, "cycle", None)) and not cycle.response_started:
                cycle.keep_alive = False
        deadline = time.monotonic() + DRAIN_TIMEOUT
        # uvicorn has no event for the last connection
        while state.connections and not self.force_exit:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_POLL_INTERVAL)


def on_shutdown(callback: Callable[[], None]) -> None:
    """Run `callback` on the event loop on SIGTERM or SIGINT, before the server's own handler.

    To be called in a lifespan. Outside the main thread (tests) Python delivers no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None, before: object = before) -> None:
            loop.call_soon_threadsafe(callback)
            if callable(before):
                before(received, frame)

        signal.signal(number, handle)
