"""Request models of passwords and verified addresses."""

from typing import Annotated

from pydantic import ConfigDict, Field

from backend.auth.schemas.field_types import PasswordText
from backend.shared.web.schemas import PlainText, RequestModel

TokenText = Annotated[PlainText, Field(max_length=200, description="The token of the mailed link")]


class ForgotPasswordBody(RequestModel):
    email: Annotated[PlainText, Field(max_length=1024)]
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@university.edu"}]})


class ResetPasswordBody(RequestModel):
    token: TokenText
    new_password: PasswordText
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "kP7c…", "new_password": "Calm-rivers-2027!"}]}
    )


class ChangePasswordBody(RequestModel):
    current_password: PasswordText
    new_password: PasswordText
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"current_password": "Read-books-2026!", "new_password": "Calm-rivers-2027!"}
            ]
        }
    )


class VerifyEmailBody(RequestModel):
    token: TokenText
    model_config = ConfigDict(json_schema_extra={"examples": [{"token": "kP7c…"}]})
