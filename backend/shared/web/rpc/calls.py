"""The contract around every call: field rules, limits, deadlines, errors as codes."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import protovalidate
from anyio.to_thread import run_sync
from prometheus_client import Gauge
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from backend.shared.errors import Invalid, RateLimited, RequestTimeout
from backend.shared.infra import config, database
from backend.shared.web.rpc import failures
from backend.shared.web.rpc.access import Context

_IN_FLIGHT = Gauge("luna_rpc_calls_in_flight", "RPCs that this process runs now")
_TOO_LATE = "The call took longer than its deadline allows. Nothing was changed."
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Calls:
    """Validates each message before its method runs, and limits the calls at one time."""

    def __init__(self) -> None:
        self._running = 0

    async def intercept_unary(
        self, call_next: Callable[[Any, Context], Awaitable[T]], request: Any, ctx: Context, /
    ) -> T:
        """Run one call; every exception becomes the error that the caller gets."""
        self._running += 1
        _IN_FLIGHT.set(self._running)
        try:
            self._check_limit()
            check(request)
            return await call_next(request, ctx)
        except Exception as error:
            raise failures.of(error) from error
        finally:
            self._running -= 1
            _IN_FLIGHT.set(self._running)

    def _check_limit(self) -> None:
        if self._running > config.rpc().rpc_max_calls:
            raise RateLimited("Too many calls at once. Wait a moment and try again.")


def check(message: Any) -> None:
    """Raise Invalid with every violation of the contract's field rules."""
    fields: dict[str, list[str]] = {}
    for violation in protovalidate.collect_violations(message):
        rule = violation.proto
        elements = rule.field.elements if rule.field is not None else []
        path = ".".join(_name(element) for element in elements)
        fields.setdefault(path, []).append(rule.message or rule.rule_id)
    if fields:
        raise Invalid(fields=fields)


def _name(element: Any) -> str:
    subscript = element.subscript
    return element.field_name if subscript is None else f"{element.field_name}.{subscript.value}"


def parse(model: type[M], values: Mapping[str, Any]) -> M:
    """Return the request model of REST, with its rules; Invalid by the names of the fields."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fields: dict[str, list[str]] = {}
        for violation in error.errors():
            name = ".".join(str(part) for part in violation["loc"])
            fields.setdefault(name, []).append(violation["msg"].removeprefix("Value error, "))
        raise Invalid(fields=fields) from error


async def write(ctx: Context, work: Callable[[Session], T]) -> T:
    """Run `work` in one transaction on a thread; what passes its deadline writes nothing."""
    return await _run(ctx, database.transaction, work)


async def read(ctx: Context, work: Callable[[Connection], T]) -> T:
    """Run `work` on a connection without a transaction, on a thread."""
    return await _run(ctx, lambda: database.reading_engine().connect(), work)


async def _run(
    ctx: Context, open_: Callable[[], AbstractContextManager[Any]], work: Callable[[Any], T]
) -> T:
    left = ctx.timeout_ms
    deadline = None if left is None else time.monotonic() + left / 1000

    def until_deadline() -> T:
        with open_() as opened:
            result = work(opened)
            if deadline is not None and time.monotonic() >= deadline:
                raise RequestTimeout(_TOO_LATE)
            return result

    # abandoned: the caller gets DEADLINE_EXCEEDED at once, and the thread rolls back by itself
    return await run_sync(until_deadline, abandon_on_cancel=True)
