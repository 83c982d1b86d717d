"""Background tasks of an application, and their end."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from backend.shared.infra import logs

_log = logs.get(__name__)
_PATIENCE = 0.5  # seconds
_PAUSE = 1.0  # seconds before work that failed is started again

Work = Callable[[], Coroutine[Any, Any, None]]


def start(*works: Work) -> list[asyncio.Task[None]]:
    """Run each until it returns. One that fails is logged and started again.

    The application would go on without it, and nobody would see that it is missing.
    """
    return [asyncio.create_task(_run(work)) for work in works]


async def _run(work: Work) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 (whatever it is, it is logged)
            _log.exception("background work failed", work=work.__qualname__)
            await asyncio.sleep(_PAUSE)
        else:
            return


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
