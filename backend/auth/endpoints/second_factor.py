"""Endpoints of `/auth/me/totp` and `/auth/me/recovery-codes`: my second factor."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Response

from backend.auth.dependencies.requests import hash_limiter
from backend.auth.schemas.second_factor import (
    CodeBody,
    RecoveryCodesRead,
    RemoveFactorBody,
    SecondFactorRead,
    TotpSetupRead,
)
from backend.auth.service import password_changes
from backend.auth.service.second_factor import factors
from backend.shared.domain.actor import Actor
from backend.shared.errors import Conflict, InvalidCredentials
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.idempotency import EncryptedIdempotencyDep
from backend.shared.web.routing import responses
from backend.shared.web.security import authentication
from backend.shared.web.security.authentication import OwnAccountDep

router = routing.router("/auth/me", "second-factor")


def _counted(body: CodeBody, actor: OwnAccountDep) -> Actor:
    del body  # validated first: a malformed one is no try
    factors.count_try(actor.id)
    return actor


async def _confirmed_password(body: RemoveFactorBody, actor: OwnAccountDep) -> Actor:
    check = password_changes.check_current
    await run_sync(check, actor.id, body.password, limiter=hash_limiter)
    await run_sync(factors.count_try, actor.id)
    return actor


CountedDep = Annotated[Actor, Depends(_counted)]
ConfirmedPasswordDep = Annotated[Actor, Depends(_confirmed_password)]


@router.get("/totp", summary="Get my second factor")
def get_second_factor(session: SessionDep, actor: OwnAccountDep) -> Answer[SecondFactorRead]:
    """Return whether one is set up and must be. Role: any."""
    required = authentication.needs_second_factor(actor)
    state = vars(factors.state(session, actor.id))
    return answer(SecondFactorRead(**state, required=required))


@router.post(
    "/totp",
    summary="Set up a second factor",
    status_code=201,
    response_model=Answer[TotpSetupRead],
    responses=responses(Conflict),
)
def set_up_second_factor(
    session: SessionDep, actor: OwnAccountDep, once: EncryptedIdempotencyDep
) -> Response:
    """Return a secret, in force once it is confirmed with a code. Role: any."""
    return once.answer(
        lambda: TotpSetupRead.model_validate(factors.set_up(session, actor)),
        location=lambda _: "/api/v1/auth/me/totp",
    )


@router.post(
    "/totp/confirm", summary="Confirm my second factor", responses=responses(InvalidCredentials)
)
def confirm_second_factor(
    body: CodeBody, session: SessionDep, actor: CountedDep
) -> Answer[RecoveryCodesRead]:
    """Require codes from now on; return the recovery codes, shown once. Role: any."""
    return answer(RecoveryCodesRead(recovery_codes=factors.confirm(session, actor, body.code)))


@router.delete("/totp", summary="Remove my second factor", responses=responses(InvalidCredentials))
def remove_second_factor(
    body: RemoveFactorBody, session: SessionDep, actor: ConfirmedPasswordDep
) -> Answer[None]:
    """Needs the password and a code, which may be a recovery code. Role: any."""
    factors.remove(session, actor, body.code)
    return answer(None)


@router.post(
    "/recovery-codes", summary="Renew my recovery codes", responses=responses(InvalidCredentials)
)
def renew_recovery_codes(
    body: CodeBody, session: SessionDep, actor: CountedDep
) -> Answer[RecoveryCodesRead]:
    """Replace all recovery codes; needs a code of the authenticator app. Role: any."""
    codes = factors.renew_recovery_codes(session, actor, body.code)
    return answer(RecoveryCodesRead(recovery_codes=codes))
