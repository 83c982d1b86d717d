"""Idempotency keys (api.md §10): the same POST again gets the first answer again.

The key is claimed by a primary key in the transaction that does the work: one that arrives
meanwhile waits for the first to commit, then finds its answer.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared.errors import IdempotencyKeyReused, invalid
from backend.shared.infra import clock
from backend.shared.models import IDEMPOTENCY_KEY_LIFE, IdempotencyKey
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import answer

K = TypeVar("K", bound="IdempotentRequest")


class IdempotentRequest:
    """Does a creating call once for its key and answers 201 with its `Location`."""

    def __init__(self, session: Session, request: Request, key: str | None, body: bytes) -> None:
        self._session = session
        self._key = key
        self._route = f"{request.method} {request.url.path}"
        self._hash = self._fingerprint(self._route.encode() + b"\0" + body)
        actor = getattr(request.state, "actor", None)
        self._actor = str(actor.id) if actor is not None else "anonymous"

    @staticmethod
    def _fingerprint(call: bytes) -> str:
        """What tells the same body from another one."""
        return hashlib.sha256(call).hexdigest()

    @staticmethod
    def _kept(answered: bytes) -> bytes:
        """The form in which an answer is stored."""
        return answered

    @staticmethod
    def _shown(kept: bytes) -> bytes:
        """The stored answer as it is given again."""
        return kept

    def answer(
        self,
        work: Callable[[], BaseModel],
        *,
        location: Callable[[Any], str] | None = None,
        status: int = 201,
    ) -> Response:
        """The answer of `work`, or the stored one when this key was answered before."""
        if self._key is not None and not self._claim():
            return self._replay()
        made = work()
        place = location(made) if location is not None else None
        body = answer(made).model_dump_json().encode()
        if self._key is not None:
            self._session.flush()
            self._session.execute(
                update(IdempotencyKey)
                .where(IdempotencyKey.actor == self._actor, IdempotencyKey.key == self._key)
                .values(status=status, location=place, answer=self._kept(body))
            )
        return _response(status, body, place)

    def _claim(self) -> bool:
        self._session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.actor == self._actor,
                IdempotencyKey.key == self._key,
                IdempotencyKey.created_at < clock.now() - IDEMPOTENCY_KEY_LIFE,
            )
        )
        claimed = self._session.execute(
            insert(IdempotencyKey)
            .values(
                actor=self._actor,
                key=self._key,
                route=self._route,
                body_hash=self._hash,
                status=0,
                answer=b"",
                created_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        ).scalar_one_or_none()
        return claimed is not None

    def _replay(self) -> Response:
        kept = self._session.execute(
            select(IdempotencyKey).where(
                IdempotencyKey.actor == self._actor, IdempotencyKey.key == self._key
            )
        ).scalar_one()
        if kept.body_hash != self._hash:
            raise IdempotencyKeyReused
        return _response(kept.status, self._shown(kept.answer), kept.location)


def _response(status: int, body: bytes, location: str | None) -> Response:
    headers = {"Location": location} if location is not None else {}
    return Response(body, status_code=status, headers=headers, media_type="application/json")


async def _raw_body(request: Request) -> bytes:
    return await request.body()


def once(kind: type[K]) -> Callable[..., K]:
    """The dependency that gives a route its `Once`, or a kind of it that stores otherwise."""

    def dependency(
        request: Request,
        session: SessionDep,
        body: Annotated[bytes, Depends(_raw_body)],
        key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", description="Up to 128 characters; kept for 24 hours"),
        ] = None,
    ) -> K:
        if key is not None and not (0 < len(key) <= 128 and key.isprintable()):  # noqa: PLR2004 (api.md §10)
            raise invalid("Idempotency-Key", "must be 1 to 128 printable characters")
        return kind(session, request, key, body)

    return dependency


IdempotencyDep = Annotated[IdempotentRequest, Depends(once(IdempotentRequest), scope="function")]
