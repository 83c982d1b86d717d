"""Request and response models of sessions and tokens."""

from typing import Annotated

from pydantic import ConfigDict, Field

from backend.auth.schemas.accounts import TOKENS_EXAMPLE, Secret
from backend.shared.web.schemas import PlainText, RequestModel, ResponseModel


class LoginBody(RequestModel):
    """What proves who someone is."""

    email: Annotated[PlainText, Field(max_length=1024)]
    password: Secret
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@university.edu", "password": "Read-books-2026!"}]
        }
    )


class RefreshBody(RequestModel):
    """The refresh token of a session, good for one use."""

    refresh_token: Annotated[PlainText, Field(max_length=1024)]
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refresh_token": TOKENS_EXAMPLE["refresh_token"]}]}
    )


class TokensRead(ResponseModel):
    """A fresh pair; `expires_in` are the seconds that the access token lives."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 (the name of a scheme)
    model_config = ConfigDict(
        json_schema_extra={"examples": [{**TOKENS_EXAMPLE, "token_type": "Bearer"}]}
    )
