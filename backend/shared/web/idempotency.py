"""Idempotency keys (api.md §10): a repeated POST gets the first response again.

The key is claimed by a primary key in the transaction that does the work: a concurrent repeat
waits for the first to commit and then reads its response.
"""

import hashlib
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from backend.shared.domain.actor import Actor
from backend.shared.errors import IdempotencyKeyReused, invalid
from backend.shared.infra import clock, hot_transactions
from backend.shared.infra.database import Prepared
from backend.shared.infra.hot_transactions import Transaction
from backend.shared.models import IDEMPOTENCY_KEY_LIFE
from backend.shared.web.database_session import SessionDep
from backend.shared.web.direct_routes import FromRequest
from backend.shared.web.envelope import answer
from backend.shared.web.security import encryption

K = TypeVar("K", bound="IdempotentRequest")
_MAX_KEY = 128  # characters
_CLAIM = Prepared(  # a key may be used again after its life
    "claim_idempotency_key",
    """
    INSERT INTO idempotency_keys AS k (actor, key, route, body_hash, status, answer, created_at)
    VALUES (:actor, :key, :route, :body_hash, 0, '', :now)
    ON CONFLICT (actor, key) DO UPDATE SET route = excluded.route, body_hash = excluded.body_hash,
        status = 0, location = NULL, answer = '', created_at = excluded.created_at
        WHERE k.created_at < :expired
    RETURNING k.key
    """,
)
_STORED = Prepared(
    "stored_answer",
    """
    SELECT body_hash, status, location, answer FROM idempotency_keys
    WHERE actor = :actor AND key = :key
    """,
)
_STORE = Prepared(
    "store_answer",
    """
    UPDATE idempotency_keys SET status = :status, location = :location, answer = :answer
    WHERE actor = :actor AND key = :key
    """,
)


class _KeyedCall:
    """A call and its key: the parameters of the statements, and the response."""

    def __init__(self, request: Request, key: str | None, body: bytes) -> None:
        self._key = key
        self._route = f"{request.method} {request.scope['path']}"
        self._body = body
        actor: object = getattr(request.state, "actor", None)
        self._actor = str(actor.id) if isinstance(actor, Actor) else "anonymous"

    @cached_property
    def _hash(self) -> str:
        return self._digest(self._route.encode() + b"\0" + self._body)

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

    def _claimed(self) -> dict[str, Any]:
        now = clock.now()
        return {
            "actor": self._actor,
            "key": self._key,
            "route": self._route,
            "body_hash": self._hash,
            "now": now,
            "expired": now - IDEMPOTENCY_KEY_LIFE,
        }

    def _replay(self, stored: Any) -> Response:
        """Return the stored response, a row of _STORED."""
        if stored.body_hash != self._hash:
            raise IdempotencyKeyReused
        return _response(stored.status, self._from_stored(bytes(stored.answer)), stored.location)

    def _to_store(self, response: Response) -> dict[str, Any]:
        return {
            "actor": self._actor,
            "key": self._key,
            "status": response.status_code,
            "location": response.headers.get("Location"),
            "answer": self._to_stored(bytes(response.body)),
        }


class IdempotentRequest(_KeyedCall):
    """Run a creating call once per key and answer 201 with its `Location`."""

    def __init__(self, session: Session, request: Request, key: str | None, body: bytes) -> None:
        super().__init__(request, key, body)
        self._session = session

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
        if self._key is not None:
            claim = self._claimed()
            if not _CLAIM.run(self._session, claim).all():
                return self._replay(_STORED.run(self._session, claim).one())
        made = work()
        path = location(made) if location is not None else None
        response = _response(status, answer(made).model_dump_json().encode(), path)
        if self._key is not None:
            self._session.flush()
            _STORE.run(self._session, self._to_store(response))
        return response


class HotIdempotentRequest(_KeyedCall):
    """Likewise in a hot transaction, which it begins and commits."""

    async def answer(
        self,
        work: Callable[[Transaction], Awaitable[BaseModel]],
        *,
        subject: UUID,
        location: Callable[[Any], str],
        status: int = 201,
    ) -> Response:
        """Return the response of `work`, or the one stored under this key.

        Calls for one subject, the member whose row is locked, follow each other.
        """
        begun = hot_transactions.begin(subject, commits_last=self._key is None)
        async with begun as transaction:
            if self._key is not None:
                claim = self._claimed()
                if not await transaction.run((_CLAIM, claim)):
                    (stored,) = await transaction.run((_STORED, claim))
                    return self._replay(stored)
            made = await work(transaction)
            body = answer(made).model_dump_json().encode()
            response = _response(status, body, location(made))
            if self._key is not None:
                await transaction.run_and_commit((_STORE, self._to_store(response)))
        return response


def _response(status: int, body: bytes, location: str | None) -> Response:
    headers = {"Location": location} if location is not None else {}
    return Response(body, status_code=status, headers=headers, media_type="application/json")


async def _valid_key(  # on the event loop: a synchronous dependency takes a thread of its own
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="Up to 128 characters; stored for 24 hours"),
    ] = None,
) -> str | None:
    if key is not None and not (0 < len(key) <= _MAX_KEY and key.isprintable()):
        raise invalid("Idempotency-Key", "must be 1 to 128 printable characters")
    return key


KeyDep = Annotated[str | None, Depends(_valid_key)]


async def _raw_body(request: Request) -> bytes:
    return await request.body()


def idempotent(
    kind: type[K], read_body: Callable[..., Awaitable[bytes]] = _raw_body
) -> Callable[..., Awaitable[K]]:
    """Return a dependency that gives a route its IdempotentRequest, or a subclass of it.

    `read_body` gives what two requests are compared by; a large body is compared by its digest.
    """

    async def dependency(
        request: Request,
        session: SessionDep,
        body: Annotated[bytes, Depends(read_body)],
        key: KeyDep,
    ) -> K:
        return kind(session, request, key, body)

    return dependency


IdempotencyDep = Annotated[
    IdempotentRequest, Depends(idempotent(IdempotentRequest), scope="function")
]


class _HotIdempotency(FromRequest[HotIdempotentRequest]):
    async def read(self, request: Request) -> HotIdempotentRequest:
        return await self(request, await _valid_key(request.headers.get("idempotency-key")))

    async def __call__(self, request: Request, key: KeyDep) -> HotIdempotentRequest:
        return HotIdempotentRequest(request, key, await request.body())


HotIdempotencyDep = Annotated[HotIdempotentRequest, Depends(_HotIdempotency())]


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
