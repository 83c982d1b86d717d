"""Rows that the transition tests share: committed once, every test rolls its changes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.delivery.service import requests, returns, tasks
from backend.shared.domain import route_graph
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import custody, loans
from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext, apply
from backend.shared.infra import clock, database
from backend.shared.models import (
    CommandStatus,
    Connectivity,
    DeliveryTask,
    LoanChannel,
    Robot,
    RobotCommand,
    Role,
    TaskType,
)
from tests import transactions
from tests.factories import catalogue, users


@dataclass(frozen=True)
class Fixtures:
    book: UUID
    member: Actor
    librarian: Actor
    robot: UUID


def _actor(person: users.SignedInUser) -> Actor:
    return Actor(person.id, person.role, person.session_id, person.email)


def create_fixtures() -> Fixtures:
    """Commit a map, a book, a member, a librarian and a robot that is online at its dock."""
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
    return Fixtures(
        book, _actor(users.create_user(Role.STUDENT)), _actor(users.librarian()), robot_id
    )


@contextmanager
def rolled_back() -> Iterator[Session]:
    with Session(database.engine(), expire_on_commit=False) as session:
        try:
            yield session
        finally:
            session.rollback()


def create_task(session: Session, fixtures: Fixtures, kind: TaskType) -> DeliveryTask:
    """Create a task of this type, with its request, return or copy."""
    if kind is TaskType.STUDENT_DELIVERY:
        route_graph.current(session)  # read it now: the new request would read it in a thread
        made = transactions.finish(
            requests.create(
                transactions.of(session), fixtures.member, fixtures.book, "SR-201", None, None
            )
        )
        return tasks.lock_for(session, request=made.id)
    copy = custody.reserve_any(session, fixtures.book)
    if kind is TaskType.RETURN_PICKUP:
        _lend(session, copy.id, fixtures)
        pickup = returns.create(session, fixtures.member, fixtures.book, "SR-201", None)
        return tasks.lock_for(session, returned=pickup.id)
    graph = route_graph.current(session)
    desk, room = graph.find("WS-1"), graph.find("SR-202")
    return tasks.create(session, kind, copy, desk, room, fixtures.librarian)


def _lend(session: Session, copy_id: UUID, fixtures: Fixtures) -> None:
    custody.move(session, copy_id, CustodyTransition.LOAD)
    loans.lend(session, copy_id, fixtures.member.id, LoanChannel.ROBOT)


def apply_action(session: Session, fixtures: Fixtures, task: DeliveryTask, action: str) -> None:
    """Apply one action to the task, as its caller would."""
    apply(
        session,
        task,
        Action(action),
        TransitionContext(
            by=str(fixtures.librarian.id),
            user_id=fixtures.librarian.id,
            reason=f"{action} in a test",
            robot_id=fixtures.robot,
        ),
    )
    if action == Action.ARRIVE:  # a robot arrives when its drive has ended
        session.execute(
            update(RobotCommand)
            .where(RobotCommand.robot_id == fixtures.robot)
            .values(status=CommandStatus.SUCCEEDED)
        )
    session.flush()
