"""What the routes need before they begin: who is calling from where, and hashes made in turn."""

from datetime import datetime
from typing import Annotated

import anyio
from anyio.to_thread import run_sync
from fastapi import Depends, Request

from backend.auth.schemas.accounts import NewUser, RegisterBody
from backend.auth.schemas.sessions import LoginBody
from backend.auth.service import accounts
from backend.auth.service.sessions import Device
from backend.shared.infra import clock
from backend.shared.web import idempotency
from backend.shared.web.security import encryption

# A hash takes 60 ms of a core and 19 MiB on purpose. Whoever waits here holds no thread and no
# connection, so that a class signing in at once slows down nothing but itself.
hash_limiter = anyio.CapacityLimiter(2)
_LONGEST_AGENT = 300


def _device(request: Request) -> Device:
    agent = request.headers.get("user-agent")
    return Device(
        user_agent=agent[:_LONGEST_AGENT] if agent else None,
        ip_address=request.headers.get("x-real-ip"),
    )


async def _arrived_at() -> datetime:
    """On the event loop, before the call waits for a thread."""
    return clock.now()


async def _registration(body: RegisterBody) -> tuple[NewUser, str]:
    """Who wants an account, and the hash of their password."""
    password_hash = await run_sync(accounts.hashed, body.password, limiter=hash_limiter)
    return NewUser(**body.model_dump(exclude={"password", "role"})), password_hash


async def _verified_credentials(body: LoginBody) -> accounts.VerifiedCredentials:
    return await run_sync(
        accounts.check_credentials, body.email, body.password, limiter=hash_limiter
    )


class EncryptedIdempotency(idempotency.IdempotentRequest):
    """For bodies that hold a password and answers that hold tokens: the row tells neither."""

    @staticmethod
    def _fingerprint(call: bytes) -> str:
        return encryption.fingerprint(call)

    @staticmethod
    def _kept(answered: bytes) -> bytes:
        return encryption.seal(answered)

    @staticmethod
    def _shown(kept: bytes) -> bytes:
        return encryption.unseal(kept)


DeviceDep = Annotated[Device, Depends(_device)]
ArrivedDep = Annotated[datetime, Depends(_arrived_at)]
RegistrationDep = Annotated[tuple[NewUser, str], Depends(_registration)]
VerifiedCredentialsDep = Annotated[accounts.VerifiedCredentials, Depends(_verified_credentials)]
EncryptedIdempotencyDep = Annotated[
    EncryptedIdempotency, Depends(idempotency.once(EncryptedIdempotency), scope="function")
]
