"""Browser sessions (web.md §3): refresh and device token in cookies that scripts cannot read.

A page says `X-LUNA-Client: web`, which no other site can send, and its Origin must be this site's.
Without that header cookies are ignored.
"""

import json
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from backend.auth.schemas.sessions import TokenPairRead
from backend.auth.service.devices import DEVICE_LIFE
from backend.shared.errors import CsrfRejected
from backend.shared.infra import config
from backend.shared.web.security import origins

REFRESH_COOKIE = "luna_refresh"
DEVICE_COOKIE = "luna_device"
PATH = "/api/v1/auth"
_IN_COOKIES = {"refresh_token": REFRESH_COOKIE, "device_token": DEVICE_COOKIE}
M = TypeVar("M", bound=TokenPairRead)


@dataclass(frozen=True)
class Browser:
    """The cookies of a page of this site."""

    refresh_token: str | None
    device_token: str | None


def of(request: Request) -> Browser | None:
    """Return the calling browser, None for a program; CsrfRejected for a page of another site."""
    if request.headers.get("x-luna-client") != "web":
        return None
    origin = request.headers.get("origin")
    if origin is None or not origins.is_allowed(request, origin):
        raise CsrfRejected
    cookies = request.cookies
    return Browser(cookies.get(REFRESH_COOKIE), cookies.get(DEVICE_COOKIE))


async def _browser(request: Request) -> Browser | None:
    return of(request)


BrowserDep = Annotated[Browser | None, Depends(_browser)]


def _set_cookie(response: Response, name: str, value: str) -> None:
    life = config.auth().refresh_token_life if name == REFRESH_COOKIE else DEVICE_LIFE
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        path=PATH,
        secure=urlsplit(config.http().public_url).scheme == "https",
        httponly=True,
        samesite="strict",
    )


def hand_over(tokens: M, browser: Browser | None, response: Response) -> M:
    """Return the tokens for the body; those that belong in cookies are set and become null."""
    if browser is None:
        return tokens
    moved: dict[str, None] = {}
    for field, cookie in _IN_COOKIES.items():
        if (value := getattr(tokens, field, None)) is not None:
            _set_cookie(response, cookie, value)
            moved[field] = None
    return tokens.model_copy(update=moved)


def hand_over_stored(answered: Response, browser: Browser | None) -> Response:
    """Do the same with a response that is already written, or stored under an Idempotency-Key."""
    if browser is None:
        return answered
    body = json.loads(bytes(answered.body))
    location = {"Location": answered.headers["location"]} if "location" in answered.headers else {}
    replaced = Response(
        status_code=answered.status_code, headers=location, media_type="application/json"
    )
    for field, cookie in _IN_COOKIES.items():
        if body["data"].get(field) is not None:
            _set_cookie(replaced, cookie, body["data"][field])
            body["data"][field] = None
    replaced.body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    replaced.headers["Content-Length"] = str(len(replaced.body))
    return replaced


def forget(response: Response, browser: Browser | None) -> None:
    """Delete the refresh token's cookie; the device stays known."""
    if browser is not None:
        response.delete_cookie(REFRESH_COOKIE, path=PATH, httponly=True, samesite="strict")
