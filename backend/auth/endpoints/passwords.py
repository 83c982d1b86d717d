"""Endpoints of passwords and of the verification of e-mail addresses."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Response

from backend.auth.dependencies import browsers
from backend.auth.dependencies.browsers import BrowserDep
from backend.auth.dependencies.requests import DeviceDep, hash_limiter
from backend.auth.schemas.passwords import (
    ChangePasswordBody,
    ForgotPasswordBody,
    ResetPasswordBody,
    VerifyEmailBody,
)
from backend.auth.schemas.sessions import SignedInRead
from backend.auth.service import password_changes
from backend.shared.errors import CsrfRejected, InvalidCredentials, InvalidToken
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/auth", "passwords")


async def _reset_hash(body: ResetPasswordBody) -> str:
    return await run_sync(
        password_changes.hash_for_reset, body.token, body.new_password, limiter=hash_limiter
    )


async def _change_hashes(body: ChangePasswordBody, actor: AnyoneDep) -> tuple[str, str]:
    return await run_sync(
        password_changes.verify_current,
        actor,
        body.current_password,
        body.new_password,
        limiter=hash_limiter,
    )


@router.post("/forgot-password", summary="Request a password reset")
def request_password_reset(body: ForgotPasswordBody, session: SessionDep) -> Answer[None]:
    """Send a link by mail, if the address has an account. Role: none needed.

    The response is the same in words and time whether or not it has one.
    """
    password_changes.request_reset(session, body.email)
    return answer(None)


@router.post("/reset-password", summary="Reset a password", responses=responses(InvalidToken))
def reset_password(
    body: ResetPasswordBody,
    password_hash: Annotated[str, Depends(_reset_hash)],
    session: SessionDep,
) -> Answer[None]:
    """Set a new password by the token of a mailed link, valid once for 30 minutes.

    Ends all sessions and signs nobody in. Role: none needed.
    """
    password_changes.reset(session, body.token, password_hash)
    return answer(None)


@router.put(
    "/change-password",
    summary="Change my password",
    responses=responses(InvalidCredentials, CsrfRejected),
)
def change_password(
    hashes: Annotated[tuple[str, str], Depends(_change_hashes)],
    session: SessionDep,
    actor: AnyoneDep,
    device: DeviceDep,
    browser: BrowserDep,
    response: Response,
) -> Answer[SignedInRead]:
    """End every session and return the tokens of a new one on this device. Role: any."""
    pair = password_changes.change(session, actor, hashes, device)
    return answer(browsers.hand_over(SignedInRead.model_validate(pair), browser, response))


@router.post("/verify-email", summary="Verify an address", responses=responses(InvalidToken))
def verify_email(body: VerifyEmailBody, session: SessionDep) -> Answer[None]:
    """Verify the address of an account by the token of a mailed link. Role: none needed."""
    password_changes.verify_email(session, body.token)
    return answer(None)


@router.post("/resend-verification", summary="Resend the verification link")
def resend_verification(session: SessionDep, actor: AnyoneDep) -> Answer[None]:
    """Send the link again; nothing when the address is verified. Role: any."""
    password_changes.request_verification(session, actor)
    return answer(None)
