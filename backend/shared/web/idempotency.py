"""Idempotency keys (api.md §10): a repeated POST gets the first response again.

The key is claimed by a primary key in the transaction that does the work: a concurrent repeat
waits for the first to commit and then reads its response.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared.domain.actor import Actor
from backend.shared.errors import IdempotencyKeyReused, invalid
from backend.shared.infra import clock
from backend.shared.models import IDEMPOTENCY_KEY_LIFE, IdempotencyKey
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import answer
from backend.shared.web.security import encryption

K = TypeVar("K", bound="IdempotentRequest")


class IdempotentRequest:
    """Run a creating call once per key and answer 201 with its `Location`."""

    def __init__(self, session: Session, request: Request, key: str | None, body: bytes) -> None:
        self._session = session
        self._key = key
        self._route = f"{request.method} {request.url.path}"
        self._hash = self._digest(self._route.encode() + b"\0" + body)
        actor: object = getattr(request.state, "actor", None)
        self._actor = str(actor.id) if isinstance(actor, Actor) else "anonymous"

    @staticmethod
    def _digest(call: bytes) -> str:
        """Return what distinguishes one body from another."""
        return hashlib.sha256(call).hexdigest()

    @staticmethod
    def _to_stored(answer: bytes) -> bytes:
        """Return a response in the form it is stored in."""
        return answer

    @staticmethod
    def _from_stored(stored: bytes) -> bytes:
        """Return a stored response in the form it is sent in."""
        return stored

    def answer(
        self,
        work: Callable[[], BaseModel | None],
        *,
        location: Callable[[Any], str] | None = None,
        status: int = 201,
    ) -> Response:
        """Return the response of `work`, or the one stored under this key.

        Authorization and `If-Match` belong into `work`: what a repeat changed must not refuse it.
        """
        if self._key is not None and not self._claim():
            return self._replay()
        made = work()
        path = location(made) if location is not None else None
        body = answer(made).model_dump_json().encode()
        if self._key is not None:
            self._session.flush()
            self._session.execute(
                update(IdempotencyKey)
                .where(IdempotencyKey.actor == self._actor, IdempotencyKey.key == self._key)
                .values(status=status, location=path, answer=self._to_stored(body))
            )
        return _response(status, body, path)

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
        stored = self._session.execute(
            select(IdempotencyKey).where(
                IdempotencyKey.actor == self._actor, IdempotencyKey.key == self._key
            )
        ).scalar_one()
        if stored.body_hash != self._hash:
            raise IdempotencyKeyReused
        return _response(stored.status, self._from_stored(stored.answer), stored.location)


def _response(status: int, body: bytes, location: str | None) -> Response:
    headers = {"Location": location} if location is not None else {}
    return Response(body, status_code=status, headers=headers, media_type="application/json")


async def _raw_body(request: Request) -> bytes:
    return await request.body()


def idempotent(
    kind: type[K], read_body: Callable[..., Awaitable[bytes]] = _raw_body
) -> Callable[..., Awaitable[K]]:
    """Return a dependency that gives a route its IdempotentRequest, or a subclass of it.

    `read_body` gives what two requests are compared by; a large body is compared by its digest.
    """

    async def dependency(  # on the event loop: a function of its own would take a thread
        request: Request,
        session: SessionDep,
        body: Annotated[bytes, Depends(read_body)],
        key: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key", description="Up to 128 characters; stored for 24 hours"
            ),
        ] = None,
    ) -> K:
        if key is not None and not (0 < len(key) <= 128 and key.isprintable()):  # noqa: PLR2004 (api.md §10)
            raise invalid("Idempotency-Key", "must be 1 to 128 printable characters")
        return kind(session, request, key, body)

    return dependency


IdempotencyDep = Annotated[
    IdempotentRequest, Depends(idempotent(IdempotentRequest), scope="function")
]


class EncryptedIdempotency(IdempotentRequest):
    """Store responses encrypted, for bodies with a password and responses with tokens."""

    @staticmethod
    def _digest(call: bytes) -> str:
        return encryption.keyed_digest(call)

    @staticmethod
    def _to_stored(answer: bytes) -> bytes:
        return encryption.encrypt(answer)

    @staticmethod
    def _from_stored(stored: bytes) -> bytes:
        return encryption.decrypt(stored)


EncryptedIdempotencyDep = Annotated[
    EncryptedIdempotency, Depends(idempotent(EncryptedIdempotency), scope="function")
]
