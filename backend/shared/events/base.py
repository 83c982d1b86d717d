"""The base class of events, and the event classes by type."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """An event: its type, the service that published it, and the aggregate that changed."""

    model_config = ConfigDict(frozen=True)

    TYPE: ClassVar[str]
    SOURCE: ClassVar[str]
    AGGREGATE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    def aggregate_id(self) -> UUID:
        """Return the aggregate's id: the field named after the last word of AGGREGATE."""
        aggregate_id: UUID = getattr(self, f"{self.AGGREGATE.rsplit('_', maxsplit=1)[-1]}_id")
        return aggregate_id


BY_TYPE: dict[str, type[Event]] = {}


class RegisteredEvent(Event):
    """Base of the concrete events: registers each class in BY_TYPE."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "TYPE" in cls.__dict__:
            BY_TYPE[cls.TYPE] = cls
