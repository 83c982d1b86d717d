"""Base classes and field types of all request and response models."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from backend.shared.infra import clock


def _no_nul(text: str) -> str:
    """Refuse NUL, which PostgreSQL cannot store, and lone surrogates, which UTF-8 cannot encode."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    return text


def _not_blank(text: str) -> str:
    if not text:
        raise ValueError("must not be blank")
    return text


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


Timestamp = Annotated[
    datetime,
    PlainSerializer(clock.iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


# Text from clients: stripped, valid Unicode, without NUL.
PlainText = Annotated[str, BeforeValidator(_stripped), AfterValidator(_no_nul)]
FilledText = Annotated[PlainText, AfterValidator(_not_blank)]


class RequestModel(BaseModel):
    """Base of request bodies; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """Base of response data; validates rows and objects by their attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
