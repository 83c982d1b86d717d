"""Shutdown callbacks: end long polls before the server waits for open requests."""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


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
