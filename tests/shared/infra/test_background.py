"""The end of background tasks."""

import asyncio

import pytest

from backend.shared.infra import background

pytestmark = pytest.mark.unit


def test_task_that_drops_a_cancellation_is_ended() -> None:
    dropped = 0
    started = asyncio.Event()

    async def work() -> None:
        nonlocal dropped
        started.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                dropped += 1
                if dropped > 1:
                    raise

    async def main() -> None:
        task = asyncio.create_task(work())
        await started.wait()
        await asyncio.wait_for(background.end([task]), 10)
        assert task.cancelled()

    asyncio.run(main())
    assert dropped == 2


def test_work_that_fails_is_logged_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_PAUSE", 0)
    runs = []

    async def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("an unexpected message")

    async def main() -> None:
        await asyncio.wait_for(asyncio.gather(*background.start(work)), 10)

    asyncio.run(main())
    assert len(runs) == 2
