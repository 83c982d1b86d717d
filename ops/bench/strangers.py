"""Strangers on the paths of bridges and stops: 500 kept connections, in a process of their own.

Half have no credentials, half a made-up key of a robot. Each sends a request, waits for the
response, pauses and sends the next one; it connects again when its connection was closed.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ops.bench.bridges import Connection

CONNECTIONS = 500
_PAUSE = 1.0  # seconds, half as much to half as much again: as a client that is refused waits
_REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/robot/bridge/stop?wait=25", None),
    ("GET", "/robot/bridge/commands/next?epoch=1&wait=25", None),
    ("POST", "/robot/bridge/heartbeat", {"epoch": 1, "seq": 1}),
    ("POST", "/robot/emergency-stop", {}),
    ("POST", "/robot/resume", {"reason": "stranger"}),
)


@dataclass
class Crowd:
    """The process of the strangers; `report` is there once it has ended."""

    process: "subprocess.Popen[bytes]"
    report: dict[str, float] = field(default_factory=dict)


@contextmanager
def running(address: str) -> Iterator[Crowd]:
    """Let the strangers send requests; afterwards the crowd reports what it did."""
    words = [sys.executable, "-m", "ops.bench.strangers", address]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:  # noqa: S603 — our module
        crowd = Crowd(process)
        try:
            yield crowd
        finally:
            process.terminate()
            output, _ = process.communicate(timeout=10)
        crowd.report = json.loads(output)


async def _knock(address: str, number: int, statuses: Counter[int]) -> None:
    token = f"luna_rb_{number:012x}_{'a' * 43}" if number % 2 else None
    connection = Connection(address, token)
    await asyncio.sleep(random.uniform(0, _PAUSE))  # noqa: S311 — no secret
    while True:
        status, _ = await connection.call(*_REQUESTS[number // 2 % len(_REQUESTS)])
        statuses[status] += 1
        await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 — no secret


async def _main(address: str) -> None:
    statuses: Counter[int] = Counter()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    began = asyncio.get_running_loop().time()
    strangers = [
        asyncio.create_task(_knock(address, number, statuses)) for number in range(CONNECTIONS)
    ]
    await ended.wait()
    for stranger in strangers:
        stranger.cancel()
    await asyncio.gather(*strangers, return_exceptions=True)
    seconds = asyncio.get_running_loop().time() - began
    cpu = sum(os.times()[:2])
    rate = statuses.total() / seconds
    answered = {f"answered {status}": count for status, count in statuses.items()}
    print(json.dumps({"requests/s": rate, "cores": cpu / seconds, **answered}))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
