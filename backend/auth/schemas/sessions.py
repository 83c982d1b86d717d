"""Request and response models of sessions and their tokens."""

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from backend.auth.schemas.field_types import PasswordText
from backend.shared.web.schemas import PlainText, RequestModel, ResponseModel

TOKENS_EXAMPLE: dict[str, JsonValue] = {
    "access_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6Ij…",
    "refresh_token": "AZvA3noxfF…",
    "expires_in": 3600,
}


class LoginBody(RequestModel):
    """E-mail and password."""

    email: Annotated[PlainText, Field(max_length=1024)]
    password: PasswordText
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@university.edu", "password": "Read-books-2026!"}]
        }
    )


CodeText = Annotated[
    PlainText, Field(max_length=40, description="Of the authenticator app, or a recovery code")
]


class SecondFactorBody(RequestModel):
    """The challenge of a log-in, and a code."""

    challenge: Annotated[PlainText, Field(max_length=200)]
    code: CodeText
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"challenge": "kP7c…", "code": "492039"}]}
    )


class RefreshBody(RequestModel):
    """A refresh token that has not been used; browsers send it as a cookie instead."""

    refresh_token: Annotated[PlainText, Field(max_length=1024)] | None = None
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refresh_token": TOKENS_EXAMPLE["refresh_token"]}]}
    )


class TokenPairRead(ResponseModel):
    """A token pair; `expires_in` is the lifetime of the access token in seconds."""

    access_token: str
    refresh_token: str | None = Field(description="null in browsers, which get a cookie")
    expires_in: int


class TokensRead(TokenPairRead):
    """A token pair with its type."""

    token_type: str = "Bearer"  # noqa: S105 (the name of a scheme)
    model_config = ConfigDict(
        json_schema_extra={"examples": [{**TOKENS_EXAMPLE, "token_type": "Bearer"}]}
    )


class SignedInRead(TokensRead):
    """The tokens of a new session, and the one by which this device is known from now on."""

    device_token: str | None = Field(description="null in browsers, which get a cookie")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**TOKENS_EXAMPLE, "token_type": "Bearer", "device_token": "kP7c…"}]
        }
    )
