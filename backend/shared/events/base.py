"""What every event has, and the table of all of them by type."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """Base: what happened (`TYPE`), who says so (`SOURCE`), to what (`AGGREGATE`, its id)."""

    model_config = ConfigDict(frozen=True)

    TYPE: ClassVar[str]
    SOURCE: ClassVar[str]
    AGGREGATE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    def aggregate_id(self) -> UUID:
        """The id of the thing it happened to: the field named after the aggregate."""
        found: UUID = getattr(self, f"{self.AGGREGATE.rsplit('_', maxsplit=1)[-1]}_id")
        return found


BY_TYPE: dict[str, type[Event]] = {}


class RegisteredEvent(Event):
    """An event that is found by its type."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "TYPE" in cls.__dict__:
            BY_TYPE[cls.TYPE] = cls
