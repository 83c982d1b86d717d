"""The envelope of every answer (api.md §1) and the base of all request and response models."""

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
    """PostgreSQL text holds no NUL; half a surrogate pair has no UTF-8."""
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


# Text as clients may send it: no NUL, valid Unicode, ends trimmed.
PlainText = Annotated[str, BeforeValidator(_stripped), AfterValidator(_no_nul)]


FilledText = Annotated[PlainText, AfterValidator(_not_blank)]


class RequestModel(BaseModel):
    """What a client sends. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """What a client gets; made from a row or an object by its attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
