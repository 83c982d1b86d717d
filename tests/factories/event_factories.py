"""Rows and events for tests of notifications."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from backend.shared.events import Event, LoanOpened, RequestCreated, TaskEvent
from backend.shared.infra import clock, database, ids
from backend.shared.messaging import outbox
from backend.shared.models import (
    Book,
    BookRequest,
    Copy,
    DeliveryTask,
    Priority,
    Robot,
    Stage,
    TaskStatus,
    TaskType,
    Waypoint,
    WaypointKind,
)
from tests.factories.users import SignedInUser

HANDOVER_CODE = "4711"
_numbers = count(1)


@dataclass(frozen=True)
class CreatedRequest:
    """The ids of a request, its task, its book and copy, and a robot."""

    user_id: UUID
    request_id: UUID
    task_id: UUID
    book_id: UUID
    copy_id: UUID
    robot_id: UUID
    reference: str


def _place(name: str, kind: WaypointKind) -> Waypoint:
    number = next(_numbers)
    return Waypoint(
        name=f"{name} {number}",
        location_code=f"P-{number}",
        kind=kind,
        floor=1,
        x_coordinate=0.0,
        y_coordinate=0.0,
    )


def create_request(user: SignedInUser) -> CreatedRequest:
    """Create a request whose task waits for a robot, as the delivery service does."""
    with database.transaction() as session:
        room = _place("Room", WaypointKind.DELIVERY_POINT)
        desk = _place("Desk", WaypointKind.WORKSTATION)
        book = Book(title="Dune", author="Frank Herbert")
        robot = Robot(robot_name=f"robot-{next(_numbers)}")
        session.add_all([room, desk, book, robot])
        session.flush()
        copy = Copy(book_id=book.id, barcode=f"B{next(_numbers)}")
        session.add(copy)
        session.flush()
        request = BookRequest(
            user_id=user.id,
            book_id=book.id,
            copy_id=copy.id,
            request_location=room.name,
            waypoint_id=room.id,
            handover_code=HANDOVER_CODE,
        )
        session.add(request)
        session.flush()
        task = DeliveryTask(
            reference=ids.reference(),
            task_type=TaskType.STUDENT_DELIVERY,
            status=TaskStatus.QUEUED,
            request_id=request.id,
            book_id=book.id,
            copy_id=copy.id,
            source_location=desk.name,
            source_waypoint_id=desk.id,
            destination_location=room.name,
            destination_waypoint_id=room.id,
        )
        session.add(task)
        session.flush()
        return CreatedRequest(
            user.id, request.id, task.id, book.id, copy.id, robot.id, task.reference
        )


def request_event(created: CreatedRequest, **changes: Any) -> RequestCreated:
    values: dict[str, Any] = {
        "request_id": created.request_id,
        "task_id": created.task_id,
        "user_id": created.user_id,
        "book_id": created.book_id,
        "book_title": "Dune",
        "location": "Study Room 201",
        "status": "PENDING",
    }
    return RequestCreated(**(values | changes))


def task_event(kind: type[TaskEvent], created: CreatedRequest, **changes: Any) -> TaskEvent:
    values: dict[str, Any] = {
        "task_id": created.task_id,
        "reference": created.reference,
        "task_type": TaskType.STUDENT_DELIVERY,
        "status": TaskStatus.IN_PROGRESS,
        "stage": Stage.TO_DESTINATION,
        "priority": Priority.NORMAL,
        "attempt": 1,
        "request_id": created.request_id,
        "return_id": None,
        "user_id": created.user_id,
        "book_id": created.book_id,
        "book_title": "Dune",
        "copy_id": created.copy_id,
        "robot_id": created.robot_id,
        "robot_name": "luna-bot-1",
        "source": "Main Desk",
        "destination": "Study Room 201",
        "eta": clock.now() + timedelta(minutes=2),
        "reason": None,
    }
    return kind(**(values | changes))


def loan_opened(user_id: UUID, title: str = "Dune") -> LoanOpened:
    """Return an event that concerns one user and has no consumer."""
    return LoanOpened(
        loan_id=uuid4(),
        user_id=user_id,
        book_id=uuid4(),
        copy_id=uuid4(),
        book_title=title,
        due_at=clock.now(),
    )


def publish(*happened: Event) -> list[UUID]:
    """Write these events to the outbox in one transaction and return their ids."""
    with database.transaction() as session:
        return [outbox.publish(session, event) for event in happened]
