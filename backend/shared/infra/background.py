"""Background tasks of an application, and their end."""

import asyncio
from collections.abc import Collection
from typing import Any

_PATIENCE = 0.5  # seconds


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel the tasks until all have ended.

    Once is not enough: `asyncio.wait_for`, which the database driver uses, drops a cancellation
    that arrives together with the result.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_PATIENCE)
