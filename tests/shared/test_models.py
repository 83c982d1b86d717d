"""How rows appear in logs."""

from uuid import UUID

import pytest

from backend.shared.models import (
    BookRequest,
    DeliveryTask,
    Loan,
    LoanState,
    ProcessedEvent,
    RequestStatus,
    Role,
    Stage,
    TaskStatus,
    User,
)

pytestmark = pytest.mark.unit
ID = UUID("019bc0de-0000-7000-8000-000000000001")


def test_repr_shows_class_key_and_state() -> None:
    task = DeliveryTask(id=ID, status=TaskStatus.ASSIGNED, stage=Stage.LOADING)
    assert repr(task) == f"<DeliveryTask id={ID} status=ASSIGNED stage=LOADING>"
    assert repr(Loan(id=ID, state=LoanState.ACTIVE)) == f"<Loan id={ID} state=ACTIVE>"


def test_repr_shows_every_column_of_a_composite_key() -> None:
    row = ProcessedEvent(event_id=ID, consumer="robot.dispatch", seq=1)
    assert repr(row) == f"<ProcessedEvent event_id={ID} consumer=robot.dispatch>"


def test_repr_shows_no_personal_data() -> None:
    user = User(id=ID, email="ada@luna.example", first_name="Ada", role=Role.STUDENT)
    assert repr(user) == f"<User id={ID}>"
    request = BookRequest(
        id=ID, status=RequestStatus.PENDING, notes="at my desk", handover_code="1234"
    )
    assert repr(request) == f"<BookRequest id={ID} status=PENDING>"


def test_repr_of_a_row_without_loaded_columns_reads_nothing() -> None:
    assert repr(User()) == "<User>"
