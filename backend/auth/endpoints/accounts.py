"""Endpoints of accounts: `/api/v1/auth/register` and `/api/v1/auth/me`."""

from functools import lru_cache
from typing import Any

from fastapi import Response

from backend.auth import queries
from backend.auth.dependencies import browsers
from backend.auth.dependencies.browsers import BrowserDep
from backend.auth.dependencies.requests import DeviceDep, RegistrationDep
from backend.auth.schemas.accounts import ProfileBody, RegisteredRead, UserRead
from backend.auth.schemas.administration import EXPORTED, ClientSettingsRead
from backend.auth.service import accounts, privacy
from backend.shared.errors import (
    AccountInactive,
    Conflict,
    CsrfRejected,
    EmailTaken,
    IdempotencyKeyReused,
    NotSignedIn,
    RoleNotAllowed,
    StaleVersion,
    TokenExpired,
    TokenRevoked,
)
from backend.shared.infra import config
from backend.shared.infra.config import Registration
from backend.shared.infra.hot_reads import MAX_REMEMBERED
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer, json_response
from backend.shared.web.idempotency import EncryptedIdempotencyDep
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import OwnAccountDep

router = routing.router("/auth", "accounts")
_SIGNED_IN = (NotSignedIn, TokenExpired, TokenRevoked, AccountInactive)


@router.post(
    "/register",
    summary="Register a student account",
    status_code=201,
    response_model=Answer[RegisteredRead],
    responses={
        202: {"model": Answer[None], "description": "With LUNA_REGISTRATION=verify, always"},
        **responses(RoleNotAllowed, EmailTaken, IdempotencyKeyReused, CsrfRejected),
    },
)
def register_account(
    registration: RegistrationDep,
    idempotency: EncryptedIdempotencyDep,
    session: SessionDep,
    device: DeviceDep,
    browser: BrowserDep,
) -> Response:
    """Return the account and the token pair of its first session. Role: none needed.

    With `LUNA_REGISTRATION=verify` the answer is 202 and null for every address, and a mail
    has a link that verifies it; signing in works from then on.
    """

    def register() -> RegisteredRead:
        user, tokens = accounts.register(session, *registration, device)
        return RegisteredRead(user=UserRead.model_validate(user), **vars(tokens))

    if config.auth().registration is Registration.VERIFY:
        accounts.request_registration(session, *registration)
        return Response(
            answer(None).model_dump_json(), status_code=202, media_type="application/json"
        )
    answered = idempotency.answer(register, location=lambda _: "/api/v1/auth/me")
    return browsers.hand_over_stored(answered, browser)


@router.get(
    "/me",
    summary="Get my profile",
    response_model=Answer[UserRead],
    responses=responses(*_SIGNED_IN),
)
async def get_profile(actor: OwnAccountDep) -> Response:
    """Return the caller's account with its ETag. Role: any."""
    (record,) = await queries.PROFILE.records(user_id=actor.id)
    profile, version = _encode(record)
    return json_response(profile, ETag=version)


@lru_cache(maxsize=MAX_REMEMBERED)
def _encode(record: bytes) -> tuple[bytes, str]:
    row = queries.PROFILE.row(record)
    return UserRead.model_validate(row).model_dump_json().encode(), etags.etag(row.updated_at)


@router.put("/me", summary="Update my profile", responses=responses(*_SIGNED_IN, StaleVersion))
def update_profile(
    body: ProfileBody,
    session: SessionDep,
    actor: OwnAccountDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[UserRead]:
    """Omitted fields keep their value; `phone_number: null` removes it. Role: any."""
    user = accounts.change_profile(session, actor.id, body.changes(), if_match)
    response.headers["ETag"] = etags.etag(user.updated_at)
    return answer(UserRead.model_validate(user))


@router.get(
    "/me/export",
    summary="Export my data",
    response_model=dict[str, Any],
    responses=EXPORTED,
)
def export_my_data(session: SessionDep, actor: OwnAccountDep) -> dict[str, Any]:
    """Return all that is held about me. Outside the envelope. Role: any."""
    return privacy.export(session, actor.id)


@router.post("/me/erase", summary="Erase my account", responses=responses(Conflict))
def erase_my_account(session: SessionDep, actor: OwnAccountDep) -> Answer[None]:
    """Anonymize my account; 409 with `details.reasons` while something is open. Role: any."""
    privacy.erase(session, actor.id, actor)
    return answer(None)


@router.get("/client-settings", summary="Get the settings of clients")
async def get_client_settings() -> Answer[ClientSettingsRead]:
    """Return what a client needs before anybody signs in. Role: none needed."""
    brand = config.brand()
    return answer(
        ClientSettingsRead(
            library_name=brand.library_name,
            accent_colour=brand.accent_colour,
            logo=brand.logo_address,
            welcome={"en": brand.welcome_en, "de": brand.welcome_de},
            time_zone=config.http().time_zone,
            languages=["en", "de"],
            registration=config.auth().registration,
            oidc=config.oidc().oidc_issuer is not None,
        )
    )
