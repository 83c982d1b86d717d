"""Guards: authenticate the caller and authorize their role before a route runs.

Every guard runs on the event loop and sets `request.state.actor`. A verified token is cached; the
state of its session is read at most once per LUNA_REVOCATION_DELAY and process, so that an ended
session, a deactivated account or a changed role or password is refused by every service within
two seconds, with or without Redis.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import lru_cache
from threading import Lock
from typing import Annotated, Generic, NoReturn, TypeVar
from uuid import UUID

from cachetools import TLRUCache
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from backend.shared.domain import permissions
from backend.shared.domain.actor import Actor, RobotActor
from backend.shared.domain.permissions import Action
from backend.shared.errors import NotSignedIn, RoleNotAllowed, SecondFactorMissing, TokenExpired
from backend.shared.infra import clock, config, logs
from backend.shared.models import Role
from backend.shared.web.security import (
    api_keys,
    rate_limits,
    robot_keys,
    service_keys,
    session_validity,
    tokens,
)
from backend.shared.web.security.session_validity import SessionState

A = TypeVar("A", Actor, RobotActor)

_MAX_CACHED = 10_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ENDED = SessionState(Role.STUDENT, 0, is_active=True, ended=True)
_scheme = HTTPBearer(auto_error=False, description="An access token, or a robot's key")

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]


def _expiry(_key: object, _value: object, now: float) -> float:
    return now + config.auth().revocation_delay.total_seconds()


session_cache: TLRUCache[UUID, SessionState] = TLRUCache(_MAX_CACHED, _expiry)
_session_lock = Lock()  # sessions are ended on threads; the other caches stay on the event loop


def invalidate_caches() -> None:
    """Empty all caches of this process (for tests that move the clock)."""
    verified.cache_clear()
    session_cache.clear()
    robot_keys.clear()
    service_keys.clear()


def invalidate_session(session_id: UUID) -> None:
    """Refuse an ended session in this process at once; others refuse it when theirs expires."""
    with _session_lock:
        session_cache[session_id] = _ENDED


def bearer(connection: HTTPConnection) -> str:
    """Return the token of the Authorization header; NotSignedIn without one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn
    return token.strip()


@lru_cache(maxsize=_MAX_CACHED)
def verified(token: str, _key_version: int) -> tokens.Claims:
    """Return the claims of a token; those of a valid one are remembered until the keys change."""
    return tokens.verify(token)


def _claims(token: str) -> tokens.Claims:
    claims = verified(token, tokens.key_version())
    if claims.expires_at <= clock.now():
        raise TokenExpired
    return claims


async def _proven_claims(token: str) -> tokens.Claims:
    """Return the claims of a token; one that is made up waits for its refusal."""
    try:
        return _claims(token)
    except TokenExpired:
        raise
    except NotSignedIn:
        await rate_limits.REFUSALS.wait()
        raise


async def _session_state(session_id: UUID, *, fresh: bool = False) -> SessionState | None:
    with _session_lock:
        state = None if fresh else session_cache.get(session_id)
    if state is None:
        state = (await session_validity.read([session_id])).get(session_id)
        if state is not None:
            with _session_lock:
                session_cache[session_id] = state
    return state


async def authenticate(token: str, *, own_account: bool = False) -> Actor:
    """Return the person behind an access token; raise the error of a token that is not valid.

    `own_account` admits an administrator who must still set up a second factor.
    """
    if api_keys.robot_key_prefix(token) is not None:
        await _refuse_robot(token)
    claims = await _proven_claims(token)
    state = await _session_state(claims.session_id)
    problem = session_validity.refusal(state, role=claims.role, epoch=claims.epoch)
    if isinstance(problem, SecondFactorMissing) and not own_account:
        # It may have been set up a moment ago, in another process.
        state = await _session_state(claims.session_id, fresh=True)
        problem = session_validity.refusal(state, role=claims.role, epoch=claims.epoch)
    if problem is not None and not (own_account and isinstance(problem, SecondFactorMissing)):
        raise problem
    logs.bind(user_id=claims.user_id)
    return Actor(claims.user_id, claims.role, claims.session_id, claims.email)


async def admit(token: str, roles: Collection[Role], *, own_account: bool = False) -> Actor:
    """Return the person behind an access token; RoleNotAllowed without one of `roles`."""
    actor = await authenticate(token, own_account=own_account)
    if actor.role not in roles:
        raise RoleNotAllowed
    return actor


def needs_second_factor(actor: Actor) -> bool:
    """Return whether a person may do nothing else before they set up a second factor."""
    return session_validity.needs_second_factor(actor.role)


class Guard(ABC, Generic[A]):
    """Admits or refuses callers.

    A route runs `authorize` before anything else (routing.LunaRoute). As a dependency the guard
    only returns the actor that it admitted, and adds the security scheme to the OpenAPI document.
    """

    @abstractmethod
    async def authorize(self, request: Request) -> A:
        """Return the caller; raise NotSignedIn or RoleNotAllowed for others."""

    async def __call__(self, request: Request, _: Credentials = None) -> A:
        actor: A = request.state.actor
        return actor


class _People(Guard[Actor]):
    """Admits people who may do `action`; counts writes against the limit per person."""

    def __init__(
        self, action: Action, *, limit_writes: bool = True, own_account: bool = False
    ) -> None:
        self._roles = frozenset(permissions.roles(action))
        self._limit_writes = limit_writes
        self._own_account = own_account

    async def authorize(self, request: Request) -> Actor:
        actor = await admit(bearer(request), self._roles, own_account=self._own_account)
        if self._limit_writes and request.method not in _SAFE_METHODS:
            stores_keys = getattr(request.scope.get("route"), "stores_idempotency_keys", False)
            key = request.headers.get("idempotency-key") if stores_keys else None
            await rate_limits.count_write(actor.id, key)
        return actor


class _Robots(Guard[RobotActor]):
    """Admits a robot by its key: the guard of the bridge's routes."""

    async def authorize(self, request: Request) -> RobotActor:
        key = bearer(request)
        robot = await robot_keys.find(key)
        if robot is None:
            await _refuse_person(key)
        logs.bind(robot_id=robot.robot_id)
        return robot


async def _refuse_robot(key: str) -> NoReturn:
    """A robot's key is never accepted on a person's route: 403 when it is valid, else 401."""
    if await robot_keys.find(key) is not None:
        raise RoleNotAllowed
    await rate_limits.REFUSALS.wait()
    raise NotSignedIn


async def _refuse_person(token: str) -> NoReturn:
    """A person's token is never accepted on a robot's route: 403 when it is valid, else 401."""
    if api_keys.robot_key_prefix(token) is not None:
        await rate_limits.REFUSALS.wait()
        raise NotSignedIn
    await _proven_claims(token)
    raise RoleNotAllowed


AnyoneDep = Annotated[Actor, Depends(_People(Action.REQUEST))]
OwnAccountDep = Annotated[Actor, Depends(_People(Action.VIEW_NOTIFICATIONS, own_account=True))]
StaffDep = Annotated[Actor, Depends(_People(Action.MANAGE_DELIVERIES))]
AdminDep = Annotated[Actor, Depends(_People(Action.ADMINISTER))]
UnlimitedStaffDep = Annotated[Actor, Depends(_People(Action.OPERATE_ROBOTS, limit_writes=False))]
ROBOTS = _Robots()
RobotDep = Annotated[RobotActor, Depends(ROBOTS)]
