"""The cause of the work in progress: recorded in audit entries, events and responses."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from backend.shared.infra import logs


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The request that causes what happens now, and the address it came from."""

    request_id: str | None = None
    ip_address: str | None = None
    service_key_id: UUID | None = None  # of the machine that calls, instead of a person


_current: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext())  # noqa: B039 (it is frozen)


def current() -> RequestContext:
    """Return the context of this request, event or job."""
    return _current.get()


def act_as_service_key(key_id: UUID) -> None:
    """Record what follows as the work of a machine, in audit entries and log lines."""
    _current.set(replace(current(), service_key_id=key_id))
    logs.bind(service_key_id=key_id)


def begin(context: RequestContext, **log_ids: Any) -> None:
    """Replace the context of earlier work on this thread, also in its log lines."""
    _current.set(context)
    network = network_of(context.ip_address)
    logs.rebind(request_id=context.request_id, network=network, **log_ids)


@contextmanager
def attributed_to(context: RequestContext) -> Iterator[None]:
    """Attribute events and audit entries to another request for a while."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


@lru_cache(maxsize=1024)
def network_of(address: str | None) -> str | None:
    """Return the network of an address (/24, or /48 of IPv6): logs name nobody's own address."""
    try:
        given = ip_address(address or "")
    except ValueError:
        return None
    return str(ip_network((given, 24 if given.version == 4 else 48), strict=False))  # noqa: PLR2004 (IPv4)
