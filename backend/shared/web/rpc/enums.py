"""Enumerations of the contract and of the database, mapped by name: an addition to one fails here.

`UNSPECIFIED`, which every enumeration of the contract begins with, has no counterpart.
"""

from enum import IntEnum, StrEnum
from typing import Generic, TypeVar

from backend.shared import models
from backend.shared.proto.gen.luna.v1 import library_pb, user_pb

P = TypeVar("P", bound=IntEnum)
D = TypeVar("D", bound=StrEnum)


class EnumMap(Generic[P, D]):
    """Two enumerations with the same names; ValueError when they differ."""

    def __init__(self, contract: type[P], database: type[D]) -> None:
        names = {each.name for each in contract} - {"UNSPECIFIED"}
        if names != {each.name for each in database}:
            raise ValueError(f"{contract.__name__} of the contract has other names")
        self._contract = contract
        self._database = database

    def to_contract(self, value: D) -> P:
        return self._contract[value.name]

    def to_database(self, value: P) -> D | None:
        """Return the counterpart; None for UNSPECIFIED."""
        return self._database[value.name] if value.value else None


ROLES = EnumMap(user_pb.Role, models.Role)
BOOK_STATUSES = EnumMap(library_pb.BookStatus, models.BookStatus)
LOAN_STATES = EnumMap(library_pb.LoanState, models.LoanState)
LOAN_CHANNELS = EnumMap(library_pb.LoanChannel, models.LoanChannel)
