"""The statements that requests send to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from backend.shared.infra import hot_reads, request_context

REQUEST_ID = "req_of_this_test"


@contextmanager
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the statements sent to PostgreSQL for requests with the header REQUEST_ID.

    Services also send some in the background.
    """
    found: list[str] = []
    run_once = hot_reads.Pool.run_once

    def record(sql: str) -> None:
        if request_context.current().request_id == REQUEST_ID:
            found.append(sql)

    def record_call(*call: Any) -> None:
        record(call[2])

    async def record_hot_read(pool: hot_reads.Pool, sql: str, values: dict[str, Any]) -> Any:
        record(sql)
        return await run_once(pool, sql, values)

    event.listen(Engine, "before_cursor_execute", record_call)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(hot_reads.Pool, "run_once", record_hot_read)
            yield found
    finally:
        event.remove(Engine, "before_cursor_execute", record_call)
