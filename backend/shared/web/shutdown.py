"""Telling long waits that the service is about to stop, so that it stops at once and politely."""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


def on_stop(callback: Callable[[], None]) -> None:
    """Call `callback` on the event loop when SIGTERM or SIGINT comes, before the server drains.

    Call it from a lifespan. Outside the main thread (tests) there are no signals to hear.
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
