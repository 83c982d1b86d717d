"""The guard of signing out: an access token, or in a browser the refresh token's cookie."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from backend.auth import queries
from backend.auth.dependencies import browsers
from backend.shared.domain.actor import Actor
from backend.shared.errors import NotSignedIn
from backend.shared.infra import async_database, clock
from backend.shared.web.security import api_keys, authentication


class _SigningOut(authentication.Guard[Actor]):
    """Admits whoever holds a session, also once its access token has expired."""

    async def authorize(self, request: Request) -> Actor:
        browser = browsers.of(request)
        try:
            return await authentication.authenticate(
                authentication.bearer(request), own_account=True
            )
        except NotSignedIn:
            if browser is None or browser.refresh_token is None:
                raise
            actor = await async_database.read(_holder, browser.refresh_token)
            if actor is None:
                raise
            return actor


def _holder(connection: Connection, refresh_token: str) -> Actor | None:
    query = queries.holder(api_keys.digest(refresh_token), clock.now())
    row = connection.execute(query).one_or_none()
    return None if row is None else Actor(row.id, row.role, row.session_id, row.email)


SigningOutDep = Annotated[Actor, Depends(_SigningOut())]
