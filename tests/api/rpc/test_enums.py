"""Enumerations of the contract and of the database have the same names."""

from enum import IntEnum, StrEnum

import pytest

from backend.shared import models
from backend.shared.proto.gen.luna.v1 import library_pb, user_pb
from backend.shared.web.rpc import enums

pytestmark = pytest.mark.unit
_PAIRS = [
    (enums.ROLES, user_pb.Role, models.Role),
    (enums.BOOK_STATUSES, library_pb.BookStatus, models.BookStatus),
    (enums.LOAN_STATES, library_pb.LoanState, models.LoanState),
    (enums.LOAN_CHANNELS, library_pb.LoanChannel, models.LoanChannel),
]


@pytest.mark.parametrize(("mapped", "contract", "database"), _PAIRS)
def test_every_value_has_its_counterpart(
    mapped: enums.EnumMap[IntEnum, StrEnum], contract: type[IntEnum], database: type[StrEnum]
) -> None:
    for value in database:
        assert mapped.to_database(mapped.to_contract(value)) is value
    assert mapped.to_database(contract(0)) is None
    assert len(contract) == len(database) + 1


def test_every_enumeration_of_the_contract_is_mapped() -> None:
    found = {each.type_name for file in (library_pb, user_pb) for each in file.desc().enums}
    assert found == {f"luna.v1.{contract.__name__}" for _, contract, _ in _PAIRS}


def test_value_without_counterpart_is_refused() -> None:
    class Colour(IntEnum):
        UNSPECIFIED = 0
        RED = 1

    class Stored(StrEnum):
        BLUE = "BLUE"

    with pytest.raises(ValueError, match="other names"):
        enums.EnumMap(Colour, Stored)
