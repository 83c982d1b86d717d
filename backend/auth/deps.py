"""What the routes need before they begin: who is calling from where, and hashes made in turn."""

from datetime import datetime
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Request

from backend.auth import passwords, service
from backend.auth.schemas import LoginBody, NewUser, RegisterBody
from backend.auth.sessions import Device
from backend.shared import clock, idempotency, security

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


async def _newcomer(body: RegisterBody) -> tuple[NewUser, str]:
    """Who wants an account, and the hash of their password."""
    password_hash = await run_sync(service.hashed, body.password, limiter=passwords.at_once)
    return NewUser(**body.model_dump(exclude={"password", "role"})), password_hash


async def _proven(body: LoginBody) -> service.Proven:
    return await run_sync(
        service.check_credentials, body.email, body.password, limiter=passwords.at_once
    )


class SecretOnce(idempotency.Once):
    """For bodies that hold a password and answers that hold tokens: the row tells neither."""

    @staticmethod
    def _fingerprint(call: bytes) -> str:
        return security.fingerprint(call)

    @staticmethod
    def _kept(answered: bytes) -> bytes:
        return security.seal(answered)

    @staticmethod
    def _shown(kept: bytes) -> bytes:
        return security.unseal(kept)


DeviceDep = Annotated[Device, Depends(_device)]
ArrivedDep = Annotated[datetime, Depends(_arrived_at)]
NewcomerDep = Annotated[tuple[NewUser, str], Depends(_newcomer)]
ProvenDep = Annotated[service.Proven, Depends(_proven)]
SecretOnceDep = Annotated[SecretOnce, Depends(idempotency.once(SecretOnce), scope="function")]
