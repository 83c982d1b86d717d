"""The declarative base: names of constraints, types of columns, the columns all tables share."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import DateTime, Enum, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from backend.shared.infra import clock, ids


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        str: Text(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[str]: JSONB(),
    }


Id = Annotated[UUID, mapped_column(primary_key=True, default=ids.uuid7)]
CreatedAt = Annotated[datetime, mapped_column(default=clock.now)]
UpdatedAt = Annotated[datetime, mapped_column(default=clock.now, onupdate=clock.now)]


def sql_values(values: Iterable[str]) -> str:
    """Format constants as the right side of an SQL `IN`: `('A', 'B')`."""
    return "(" + ", ".join(f"'{value!s}'" for value in values) + ")"


def text_enum(kind: type[StrEnum], name: str | None = None) -> Enum:
    """An enumeration kept as text with a check, so that a new value needs no type change.

    `name` is the check's, needed where a table has two columns of a kind.
    """
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name or kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
