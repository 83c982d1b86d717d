"""What the routes read from a request: the device, checked credentials, encrypted idempotency."""

import os
from typing import Annotated

import anyio
from anyio.to_thread import run_sync
from fastapi import Depends, Header, Request

from backend.auth.dependencies.browsers import BrowserDep
from backend.auth.schemas.accounts import RegisterBody
from backend.auth.schemas.sessions import LoginBody
from backend.auth.service import credentials
from backend.auth.service.devices import Device
from backend.shared.web.schemas.accounts import NewUser

# A hash takes 60 ms of a core and 19 MiB by design. A request that waits for its turn here holds
# no thread and no database connection, so a burst of sign-ins delays nothing else. Where there
# are only two processors, one is left to reads.
hash_limiter = anyio.CapacityLimiter(min(2, max(1, (os.cpu_count() or 1) - 1)))
_MAX_USER_AGENT_LENGTH = 300
_MAX_DEVICE_TOKEN_LENGTH = 100


async def _device(
    request: Request,
    browser: BrowserDep,
    sent: Annotated[
        str | None,
        Header(alias="X-LUNA-Device", description="The device token of an earlier sign-in"),
    ] = None,
) -> Device:
    agent = request.headers.get("user-agent")
    token = browser.device_token if browser is not None else sent
    return Device(
        user_agent=agent[:_MAX_USER_AGENT_LENGTH] if agent else None,
        ip_address=request.headers.get("x-real-ip"),
        token=token[:_MAX_DEVICE_TOKEN_LENGTH] if token else None,
    )


DeviceDep = Annotated[Device, Depends(_device)]


async def _registration(body: RegisterBody) -> tuple[NewUser, str]:
    """Return the new user and the hash of their password."""
    password_hash = await run_sync(credentials.hash_password, body.password, limiter=hash_limiter)
    return NewUser(**body.model_dump(exclude={"password", "role"})), password_hash


async def _verified_credentials(
    body: LoginBody, device: DeviceDep
) -> credentials.VerifiedCredentials:
    return await run_sync(
        credentials.verify, body.email, body.password, device, limiter=hash_limiter
    )


RegistrationDep = Annotated[tuple[NewUser, str], Depends(_registration)]
VerifiedCredentialsDep = Annotated[credentials.VerifiedCredentials, Depends(_verified_credentials)]
