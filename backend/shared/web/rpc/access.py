"""Who may call: access tokens with the roles of REST, and service keys for the RPCs they name.

It runs before a message is read, as the guards of routes do.
"""

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from connectrpc.method import IdempotencyLevel
from connectrpc.request import Headers, RequestContext

from backend.shared.domain.actor import Actor
from backend.shared.errors import NotSignedIn, RoleNotAllowed
from backend.shared.infra import request_context
from backend.shared.models import Role
from backend.shared.web.rpc import failures
from backend.shared.web.security import api_keys, authentication, rate_limits, service_keys

Context = RequestContext[Any, Any]
Roles = Mapping[str, Collection[Role]]
_caller: ContextVar["Caller"] = ContextVar("caller")


@dataclass(frozen=True)
class Caller:
    """Who makes this call; a machine acts as a librarian, within the RPCs that its key names."""

    actor: Actor
    is_machine: bool = False


def caller() -> Caller:
    """Return who makes this call."""
    return _caller.get()


class Access:
    """Admits the callers of each method of a service; counts writes against their limit."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles

    async def on_start(self, ctx: Context) -> None:
        """Set the caller, or raise UNAUTHENTICATED or PERMISSION_DENIED."""
        try:
            found = await self._admit(ctx)
            if ctx.method.idempotency_level is not IdempotencyLevel.NO_SIDE_EFFECTS:
                await rate_limits.count_write(
                    found.actor.session_id if found.is_machine else found.actor.id
                )
        except Exception as error:
            raise failures.of(error) from error
        _caller.set(found)

    async def on_end(self, token: None, ctx: Context, error: Exception | None, /) -> None:
        """Do nothing: the protocol asks for this method."""

    async def _admit(self, ctx: Context) -> Caller:
        token = _bearer(ctx.request_headers)
        if api_keys.service_key_prefix(token) is not None:
            return await _machine(token, f"{ctx.method.service_name}/{ctx.method.name}")
        return Caller(await authentication.admit(token, self._roles[ctx.method.name]))


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn
    return token.strip()


async def _machine(secret: str, rpc: str) -> Caller:
    key = await service_keys.find(secret)
    if key is None:
        await rate_limits.REFUSALS.wait()
        raise NotSignedIn
    if rpc not in key.rpcs:
        raise RoleNotAllowed(f"This service key does not name {rpc}.")
    request_context.act_as_service_key(key.id)
    actor = Actor(key.created_by, Role.LIBRARIAN, session_id=key.id, email="")
    return Caller(actor, is_machine=True)
