"""What the tests of the workflow's table stand on: committed once, every test rolls back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.delivery.service import requests, returns, tasks
from backend.shared.domain import custody, route_graph
from backend.shared.domain.actor import Actor
from backend.shared.domain.custody import CustodyTransition
from backend.shared.domain.workflow import Action, TransitionContext, apply
from backend.shared.infra import clock, database
from backend.shared.models import (
    CommandStatus,
    Connectivity,
    Copy,
    DeliveryTask,
    LoanChannel,
    Robot,
    RobotCommand,
    Role,
    TaskType,
)
from tests.factories import catalogue, users


@dataclass(frozen=True)
class Ground:
    book: UUID
    member: Actor
    librarian: Actor
    robot: UUID


def _actor(person: users.SignedInUser) -> Actor:
    return Actor(person.id, person.role, person.session_id, person.email)


def lay() -> Ground:
    """A map, a book, a member, a librarian and a robot that is online at its dock."""
    catalogue.make_map()
    book = catalogue.add_book()
    with database.transaction() as session:
        robot = Robot(
            robot_name="luna-bot-1",
            connectivity=Connectivity.ONLINE,
            pose={"x": 0.0, "y": 0.0, "theta": 0.0, "floor": 1},
            battery_level=0.9,
            last_heartbeat=clock.now(),
        )
        session.add(robot)
        session.flush()
        robot_id = robot.id
    return Ground(
        book, _actor(users.create_user(Role.STUDENT)), _actor(users.librarian()), robot_id
    )


@contextmanager
def rolled_back() -> Iterator[Session]:
    with Session(database.engine(), expire_on_commit=False) as session:
        try:
            yield session
        finally:
            session.rollback()


def begin(session: Session, ground: Ground, kind: TaskType) -> DeliveryTask:
    """A new journey of this kind, with what belongs to it."""
    if kind is TaskType.STUDENT_DELIVERY:
        made = requests.create(session, ground.member, ground.book, "SR-201", None, None)
        return tasks.lock_for(session, request=made.id)
    copy = custody.reserve_any(session, ground.book)
    if kind is TaskType.RETURN_PICKUP:
        _lend(session, copy, ground)
        fetched = returns.create(session, ground.member, ground.book, "SR-201", None)
        return tasks.lock_for(session, returned=fetched.id)
    places = route_graph.current(session)
    desk, room = places.find("WS-1"), places.find("SR-202")
    return tasks.create(session, kind, copy, desk, room, ground.librarian)


def _lend(session: Session, copy: Copy, ground: Ground) -> None:
    custody.move(session, copy.id, CustodyTransition.LOAD)
    custody.lend(session, copy.id, ground.member.id, LoanChannel.ROBOT)


def take(session: Session, ground: Ground, task: DeliveryTask, action: str) -> None:
    """One step, as the one who takes it would."""
    apply(
        session,
        task,
        Action(action),
        TransitionContext(
            by=str(ground.librarian.id),
            user_id=ground.librarian.id,
            reason=f"{action} in a test",
            robot_id=ground.robot,
        ),
    )
    if action == Action.ARRIVE:  # it arrives because its drive has ended
        session.execute(
            update(RobotCommand)
            .where(RobotCommand.robot_id == ground.robot)
            .values(status=CommandStatus.SUCCEEDED)
        )
    session.flush()
