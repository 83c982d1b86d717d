"""Request and response models of the second factor."""

from pydantic import ConfigDict

from backend.auth.schemas.field_types import PasswordText
from backend.auth.schemas.sessions import CodeText
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp


class SecondFactorRead(ResponseModel):
    """The second factor of an account; `required` when the role cannot work without one."""

    enabled: bool
    required: bool
    confirmed_at: Timestamp | None
    recovery_codes_left: int
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "enabled": True,
                    "required": False,
                    "confirmed_at": "2026-01-15T10:30:00.000Z",
                    "recovery_codes_left": 10,
                }
            ]
        }
    )


class TotpSetupRead(ResponseModel):
    """What an authenticator app needs; shown once."""

    secret: str
    otpauth_uri: str
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "secret": "JBSWY3DPEHPK3PXP",
                    "otpauth_uri": "otpauth://totp/LUNA:ada%40university.edu?secret=JBSWY3DP…",
                }
            ]
        }
    )


class RecoveryCodesRead(ResponseModel):
    """Codes that replace the second factor, each once; shown once."""

    recovery_codes: list[str]
    model_config = ConfigDict(json_schema_extra={"examples": [{"recovery_codes": ["7k2mp-x4nqa"]}]})


class CodeBody(RequestModel):
    code: CodeText
    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "492039"}]})


class RemoveFactorBody(CodeBody):
    password: PasswordText
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": "492039", "password": "Read-books-2026!"}]}
    )
