"""Base classes and field types of all request and response models."""

from datetime import datetime, time
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from backend.shared.infra import clock, storable


def _not_blank(text: str) -> str:
    if not text:
        raise ValueError("must not be blank")
    return text


def _without_offset(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("must be a time of the library, without an offset")
    return moment


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


Timestamp = Annotated[
    datetime,
    PlainSerializer(clock.iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


# Text from clients: stripped, valid Unicode, without NUL.
PlainText = Annotated[str, BeforeValidator(_stripped), AfterValidator(storable.check_text)]
FilledText = Annotated[PlainText, AfterValidator(_not_blank)]
# A JSON object of any fields from clients, at most 32 levels deep.
JsonObject = Annotated[dict[str, Any], AfterValidator(storable.check_json)]
# A point in time from clients, between 1900 and 2200, converted to UTC.
Instant = Annotated[datetime, AfterValidator(storable.check_time)]
# A time of day at the library; one with an offset could not be compared with it.
LocalTime = Annotated[time, AfterValidator(_without_offset)]


class RequestModel(BaseModel):
    """Base of request bodies; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EmptyBody(RequestModel):
    """A call without fields: no body, or `{}`."""


class ResponseModel(BaseModel):
    """Base of response data; validates rows and objects by their attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
