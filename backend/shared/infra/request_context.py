"""The cause of the work in progress: recorded in audit entries, events and responses."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from backend.shared.infra import logs


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The request that causes what happens now, and the address it came from."""

    request_id: str | None = None
    ip_address: str | None = None


_current: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext())  # noqa: B039 (it is frozen)


def current() -> RequestContext:
    """Return the context of this request, event or job."""
    return _current.get()


def begin(context: RequestContext, **log_ids: Any) -> None:
    """Replace the context of earlier work on this thread, also in its log lines."""
    _current.set(context)
    logs.rebind(request_id=context.request_id, ip=context.ip_address, **log_ids)
