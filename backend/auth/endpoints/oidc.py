"""Endpoints of `/auth/oidc`: campus sign-in; 404 until it is configured.

The client of the provider is imported at the first sign-in: most libraries have none.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Cookie, Query, Response
from fastapi.responses import RedirectResponse

from backend.auth.dependencies import browsers
from backend.auth.dependencies.requests import DeviceDep
from backend.auth.schemas.sessions import SignedInRead
from backend.auth.service.devices import Device
from backend.auth.service.oidc import linking
from backend.auth.service.sessions import TokenPair
from backend.shared.errors import (
    AccountInactive,
    NotFound,
    NotSignedIn,
    SecondFactorRequired,
)
from backend.shared.infra import config, database
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security import encryption

if TYPE_CHECKING:
    from backend.auth.service.oidc.provider import Start

router = routing.router("/auth/oidc", "oidc")
_COOKIE = "luna_oidc"
_PATH = "/api/v1/auth/oidc"
_COOKIE_LIFE = 600  # seconds
_REDIRECT: dict[int | str, dict[str, Any]] = {302: {"description": "To the campus's sign-in page"}}


def _check_configured() -> None:
    if config.oidc().oidc_issuer is None:
        raise NotFound("There is no campus sign-in.")


@router.get(
    "/start",
    summary="Start a campus sign-in",
    status_code=302,
    response_class=Response,
    responses={**_REDIRECT, **responses(NotFound)},
)
def start_campus_sign_in(client: Literal["web"] | None = None) -> Response:
    """Redirect to the campus's provider; `client=web` ends in a browser session.

    Role: none needed.
    """
    _check_configured()
    from backend.auth.service.oidc import provider

    begun = provider.start()
    sealed = encryption.encrypt(json.dumps({**vars(begun), "client": client}).encode())
    response = RedirectResponse(begun.url, status_code=302)
    # Lax: the provider's page leads back here, which Strict would hide the cookie from.
    response.set_cookie(
        _COOKIE,
        sealed.decode(),
        max_age=_COOKIE_LIFE,
        path=_PATH,
        secure=config.http().public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    "/callback",
    summary="Finish a campus sign-in",
    response_model=Answer[SignedInRead],
    responses=responses(NotFound, NotSignedIn, SecondFactorRequired, AccountInactive),
)
def finish_campus_sign_in(
    device: DeviceDep,
    code: Annotated[str, Query(max_length=2000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    sealed: Annotated[str | None, Cookie(alias=_COOKIE)] = None,
) -> Response:
    """Sign in the person for whom the provider vouches. Role: none needed.

    An account is found, or created, by the verified address. A browser is redirected to the
    application, or to its page for the code of a second factor; a program gets the tokens.
    """
    from backend.auth.service.oidc import provider

    _check_configured()
    begun, client = _begun(sealed, state)
    identity = provider.finish(code, begun)
    with database.transaction() as session:
        signed_in = linking.sign_in(session, identity, device)
    if client == "web":
        return _to_page(signed_in, device)
    if isinstance(signed_in, str):
        raise SecondFactorRequired(challenge=signed_in)
    tokens = SignedInRead.model_validate(signed_in)
    return Response(answer(tokens).model_dump_json(), media_type="application/json")


def _to_page(signed_in: TokenPair | str, device: Device) -> Response:
    """Redirect a browser to the application, or to the page that asks for the second factor.

    The challenge follows `#`, which browsers send to no server.
    """
    site = config.http().public_url.rstrip("/")
    if isinstance(signed_in, str):
        response = RedirectResponse(f"{site}/sign-in#challenge={signed_in}", status_code=303)
    else:
        response = RedirectResponse(f"{site}/", status_code=303)
        tokens = SignedInRead.model_validate(signed_in)
        browsers.hand_over(tokens, browsers.Browser(None, device.token), response)
    response.delete_cookie(_COOKIE, path=_PATH)
    return response


def _begun(sealed: str | None, state: str) -> tuple["Start", str | None]:
    """Return the sign-in of this browser; NotSignedIn when it has begun none with this state."""
    from backend.auth.service.oidc.provider import Start

    if sealed is None:
        raise NotSignedIn("The campus sign-in has failed. Start it again.")
    content = json.loads(encryption.decrypt(sealed.encode(), max_age=_COOKIE_LIFE))
    client = content.pop("client")
    begun = Start(**content)
    if not state or begun.state != state:
        raise NotSignedIn("The campus sign-in has failed. Start it again.")
    return begun, client
