"""Request and response models of service keys."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, JsonValue

from backend.shared.infra import storable
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp
from backend.shared.web.schemas.accounts import NameText

RpcName = Annotated[str, Field(pattern=r"^[a-z][a-zA-Z0-9_.]*/[A-Z][A-Za-z]*$", max_length=120)]
_RPCS: list[JsonValue] = ["luna.v1.LibraryService/CheckOutBook"]
_KEY: dict[str, JsonValue] = {
    "id": "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44",
    "name": "self check-out",
    "rpcs": _RPCS,
    "prefix": "9f86d081884c",
    "created_at": "2026-01-15T10:30:00.000Z",
    "expires_at": "2027-01-15T10:30:00.000Z",
}


class ServiceKeyCreate(RequestModel):
    """A key for a machine; `rpcs` are the calls that it may make."""

    name: NameText
    rpcs: Annotated[list[RpcName], Field(min_length=1, max_length=100)]
    expires_at: Annotated[AwareDatetime, AfterValidator(storable.check_time)] | None = None
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "self check-out", "rpcs": _RPCS}]}
    )


class ServiceKeyRead(ResponseModel):
    """A key without its secret."""

    id: UUID
    name: str
    rpcs: list[str]
    prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None
    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})


class NewServiceKeyRead(ServiceKeyRead):
    """A key with its secret, which is shown once."""

    key: str
    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_KEY, "key": "luna_sk_9f86d081884c_…"}]}
    )
