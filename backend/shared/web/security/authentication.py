"""Who is calling, and whether their role may: the guards that stand before every route.

A token is verified once and remembered; the state of its session is asked of the database at
most once a second a process, so that an ended session, a deactivated account, a changed role or
password is refused by every service within two seconds, with Redis or without.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NoReturn
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from backend.shared.domain.actor import EVERYONE, STAFF, Actor, RobotActor
from backend.shared.errors import (
    AccountInactive,
    NotSignedIn,
    RoleNotAllowed,
    TokenExpired,
    TokenRevoked,
)
from backend.shared.infra import async_database, clock, config, database, logs
from backend.shared.models import Robot, RobotKey, Role, User, UserSession
from backend.shared.web.security import api_keys, rate_limits, tokens

_MOST_REMEMBERED = 20_000


_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


_scheme = HTTPBearer(auto_error=False, description="An access token, or a robot's key")


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]


@dataclass(frozen=True)
class _SessionState:
    role: Role
    epoch: int
    is_active: bool
    ended: bool


class _Memory:
    """Values remembered for a while; emptied when it grows too large."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[float, Any]] = {}

    def get(self, key: Any) -> Any:
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def put(self, key: Any, value: Any, seconds: float) -> None:
        if len(self._kept) >= _MOST_REMEMBERED:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + seconds, value)

    def forget_all(self) -> None:
        self._kept.clear()


_tokens = _Memory()


_states = _Memory()


_robots = _Memory()


def forget() -> None:
    """Empty what is remembered (tests that move the clock)."""
    for memory in (_tokens, _states, _robots):
        memory.forget_all()


def forget_session(session_id: UUID) -> None:
    """Refuse a session that just ended at once in this process; the others hear of it in 1 s."""
    ended = _SessionState(Role.STUDENT, 0, is_active=True, ended=True)
    _remember_state(session_id, ended)


def bearer(connection: HTTPConnection) -> str:
    """The token of the Authorization header; NotSignedIn without one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn
    return token.strip()


def _claims(token: str) -> tokens.Claims:
    claims: tokens.Claims | None = _tokens.get(token)
    if claims is None:
        claims = tokens.verify(token)
        _tokens.put(token, claims, 3600)
    if claims.expires_at <= clock.now():
        raise TokenExpired
    return claims


def _read_state(session: Session | Connection, session_id: UUID) -> _SessionState | None:
    row = session.execute(
        select(
            User.role,
            User.token_epoch,
            User.is_active,
            UserSession.ended_at,
            UserSession.expires_at,
        )
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.id == session_id)
    ).one_or_none()
    if row is None:
        return None
    expires_at: datetime = row.expires_at
    ended = row.ended_at is not None or expires_at <= clock.now()
    return _SessionState(row.role, row.token_epoch, row.is_active, ended)


def _judge(claims: tokens.Claims, state: _SessionState | None) -> Actor:
    if state is None or state.ended:
        raise TokenRevoked
    if not state.is_active:
        raise AccountInactive
    if state.epoch != claims.epoch or state.role != claims.role:
        raise TokenRevoked
    logs.context(user_id=claims.user_id)
    return Actor(claims.user_id, claims.role, claims.session_id, claims.email)


def _remember_state(session_id: UUID, state: _SessionState | None) -> None:
    if state is not None:
        _states.put(session_id, state, config.auth().revocation_delay.total_seconds())


def authenticate(token: str) -> Actor:
    """The person behind an access token, as of at most a second ago."""
    if api_keys.robot_key_prefix(token) is not None:
        with database.reading_engine().connect() as connection:
            _refuse_robot(_read_robot(connection, token))
    claims = _claims(token)
    state: _SessionState | None = _states.get(claims.session_id)
    if state is None:
        with database.reading_engine().connect() as connection:
            state = _read_state(connection, claims.session_id)
        _remember_state(claims.session_id, state)
    return _judge(claims, state)


async def authenticate_async(token: str) -> Actor:
    """The same on the asynchronous edge."""
    if api_keys.robot_key_prefix(token) is not None:
        _refuse_robot(await async_database.run(_read_robot, token))
    claims = _claims(token)
    state: _SessionState | None = _states.get(claims.session_id)
    if state is None:
        state = await async_database.run(_read_state, claims.session_id)
        _remember_state(claims.session_id, state)
    return _judge(claims, state)


def _allow(actor: Actor, roles: tuple[Role, ...]) -> Actor:
    if actor.role not in roles:
        raise RoleNotAllowed
    return actor


def require(*roles: Role) -> Callable[..., Actor]:
    """A guard for plain routes: signed in, with one of these roles, not writing too fast."""

    def guard(request: Request, _: Credentials = None) -> Actor:
        actor = _allow(authenticate(bearer(request)), roles)
        if request.method not in _SAFE_METHODS:
            rate_limits.count_write(actor.id, request.headers.get("idempotency-key"))
        request.state.actor = actor
        return actor

    guard.is_guard = True  # type: ignore[attr-defined]  # found by http.LunaRoute
    return guard


def require_async(*roles: Role) -> Callable[..., Any]:
    """A guard for the asynchronous edge; never limited, so that a stop always gets through."""

    async def guard(request: Request, _: Credentials = None) -> Actor:
        return _allow(await authenticate_async(bearer(request)), roles)

    guard.is_guard = True  # type: ignore[attr-defined]  # found by http.LunaRoute
    return guard


def _read_robot(session: Session | Connection, key: str) -> RobotActor | None:
    prefix = api_keys.robot_key_prefix(key)
    if prefix is None:
        return None
    row = session.execute(
        select(RobotKey.key_hash, RobotKey.expires_at, Robot.id, Robot.robot_name)
        .join(Robot, Robot.id == RobotKey.robot_id)
        .where(RobotKey.prefix == prefix, RobotKey.revoked_at.is_(None), Robot.retired_at.is_(None))
    ).one_or_none()
    if row is None or not api_keys.same_digest(key, row.key_hash):
        return None
    if row.expires_at is not None and row.expires_at <= clock.now():
        return None
    return RobotActor(row.id, row.robot_name)


async def current_robot(request: Request, _: Credentials = None) -> RobotActor:
    """The guard of the bridge's routes: a robot's own key."""
    key = bearer(request)
    robot: RobotActor | None = _robots.get(key)
    if robot is None:
        robot = await async_database.run(_read_robot, key)
        if robot is None:
            _refuse_people(key)
            raise NotSignedIn
        _robots.put(key, robot, config.auth().revocation_delay.total_seconds())
    logs.context(robot_id=robot.robot_id)
    return robot


def _refuse_robot(robot: RobotActor | None) -> NoReturn:
    """A robot's valid key on a person's path is not unknown but not allowed."""
    raise NotSignedIn if robot is None else RoleNotAllowed


def _refuse_people(token: str) -> None:
    """A person's valid token on a robot's path is not unknown but not allowed."""
    if api_keys.robot_key_prefix(token) is None:
        _claims(token)
        raise RoleNotAllowed


current_robot.is_guard = True  # type: ignore[attr-defined]  # found by http.LunaRoute


AnyoneDep = Annotated[Actor, Depends(require(*EVERYONE))]


StaffDep = Annotated[Actor, Depends(require(*STAFF))]


AdminDep = Annotated[Actor, Depends(require(Role.ADMIN))]


FastAnyoneDep = Annotated[Actor, Depends(require_async(*EVERYONE))]


FastStaffDep = Annotated[Actor, Depends(require_async(*STAFF))]


RobotDep = Annotated[RobotActor, Depends(current_robot)]
