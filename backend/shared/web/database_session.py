"""Dependencies of routes: a transaction to write in or a connection to read from.

A synchronous endpoint takes one thread for all of it: connection, work and commit
(`in_one_thread`). The transaction is committed before the response is sent: with FastAPI's default
scope a failed commit would follow a response of 200.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any

from anyio import CancelScope
from fastapi import Depends
from fastapi.dependencies.models import Dependant
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from backend.shared.infra import commit_hooks, database


async def _request_transaction() -> AsyncIterator[Session]:
    """Yield a session that takes its connection when it is first used.

    Its signals are sent from the event loop, where requests share a connection to Redis.
    """
    session = database.new_session()
    try:
        yield session
        if session.in_transaction():  # of an endpoint that has not committed it
            await run_in_threadpool(database.commit_without_signals, session)
        await commit_hooks.send_async(commit_hooks.of(session))
    finally:
        if session.in_transaction():
            with CancelScope(shield=True):
                await run_in_threadpool(session.close)
        else:
            session.close()


def _reading() -> Iterator[Connection]:
    with database.reading_engine().connect() as connection:
        yield connection


SessionDep = Annotated[Session, Depends(_request_transaction, scope="function")]
ReadDep = Annotated[Connection, Depends(_reading, scope="function")]


def _parameters(dependant: Dependant, dependency: object) -> list[str]:
    """Return the endpoint's parameters that a dependency gives."""
    own = [each for each in dependant.dependencies if each.call is dependency]
    return [each.name for each in own if each.name is not None]


def in_one_thread(dependant: Dependant) -> Dependant:
    """Let a synchronous endpoint connect and commit in the thread that it runs in."""
    endpoint = dependant.call
    if endpoint is None or iscoroutinefunction(endpoint):
        return dependant
    readers = _parameters(dependant, _reading)
    sessions = _parameters(dependant, _request_transaction)

    @wraps(endpoint)
    def run(**values: Any) -> Any:
        with ExitStack() as stack:
            for name in readers:
                values[name] = stack.enter_context(database.reading_engine().connect())
            result = endpoint(**values)
            for name in sessions:
                database.commit_without_signals(values[name])
        return result

    rest = [each for each in dependant.dependencies if each.call is not _reading]
    return replace(dependant, call=run, dependencies=rest)
