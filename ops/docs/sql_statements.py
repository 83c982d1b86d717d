"""The statements worth knowing: what each is for and the code that sends it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from backend.auth import queries as auth_queries
from backend.book import queries as book_queries
from backend.book.endpoints import loans as loan_endpoints
from backend.book.search import result_page, search_query
from backend.delivery import queries as delivery_queries
from backend.delivery.endpoints import deliveries as delivery_endpoints
from backend.delivery.endpoints import overview
from backend.delivery.service import deadlines
from backend.notification import queries as notification_queries
from backend.notification.endpoints import notifications as notification_endpoints
from backend.robot.bridge_protocol import command_leases, connectivity
from backend.robot.endpoints import tasks as robot_endpoints
from backend.robot.service import dispatch
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import custody
from backend.shared.infra import clock
from backend.shared.messaging import due_events
from backend.shared.messaging.retention import expired_rows
from backend.shared.models import Role
from backend.shared.web.pagination import Order, PageQuery
from backend.shared.web.security import session_validity


@dataclass(frozen=True)
class Sample:
    """Rows of the filled database that the statements are about."""

    user_id: UUID
    book_id: UUID
    task_id: UUID
    robot_id: UUID
    email: str

    @property
    def student(self) -> Actor:
        return Actor(self.user_id, Role.STUDENT, uuid4(), self.email)

    @property
    def librarian(self) -> Actor:
        return Actor(self.user_id, Role.LIBRARIAN, uuid4(), self.email)


@dataclass(frozen=True)
class Statement:
    """One entry of the page; `shows` picks it from the statements that `run` executes."""

    title: str
    use: str
    run: Callable[[Session, Sample], object]
    shows: str


_FIRST_PAGE = PageQuery()


def _search(
    session: Session, words: str | None, sort: str | None = None, order: Order | None = None
) -> object:
    query = search_query.SearchQuery(q=words)
    page_query = PageQuery(sort=sort, order=order)
    return result_page.read(session.connection(), query, page_query)


def _list_loans(
    session: Session, actor: Actor, *, user_id: UUID | None, overdue: bool | None
) -> object:
    reader = session.connection()
    return loan_endpoints.list_loans(actor, reader, _FIRST_PAGE, user_id, None, overdue)


STATEMENTS = (
    Statement(
        "Search by words",
        "Finds titles that contain every word, best match first.",
        lambda session, _: _search(session, "history of art"),
        "ORDER BY",
    ),
    Statement(
        "Newest titles",
        "The first page of the catalogue without search words.",
        lambda session, _: _search(session, None),
        "ORDER BY",
    ),
    Statement(
        "Latest titles by year",
        "The catalogue sorted by year of publication; titles without a year come last.",
        lambda session, _: _search(session, None, sort="publication_year", order=Order.DESC),
        "ORDER BY",
    ),
    Statement(
        "Availability",
        "The copies of a title, where each is and when a borrowed one is due.",
        lambda session, of: session.execute(book_queries.copies_with_loans(of.book_id)).all(),
        "FROM copies",
    ),
    Statement(
        "Reserve a copy",
        "Locks one free copy of a title; copies locked by other transactions are skipped first.",
        lambda session, of: custody.reserve_any(session, of.book_id),
        "SKIP LOCKED",
    ),
    Statement(
        "Loans of a member",
        "The first page of a student's loans.",
        lambda session, of: _list_loans(session, of.student, user_id=None, overdue=None),
        "LIMIT",
    ),
    Statement(
        "Overdue loans",
        "Open loans past their due date, for staff.",
        lambda session, of: _list_loans(session, of.librarian, user_id=None, overdue=True),
        "LIMIT",
    ),
    Statement(
        "Sign-in",
        "The password hash of an e-mail address, in any case.",
        lambda session, of: session.execute(
            auth_queries.credentials(of.email, "", clock.now())
        ).all(),
        "FROM users",
    ),
    Statement(
        "Session state",
        "Read at most once a second per session and process, for every authenticated request.",
        lambda session, of: session.execute(
            session_validity.STATES.statement, {"ids": [of.user_id]}
        ).all(),
        "FROM sessions",
    ),
    Statement(
        "Requests of a member",
        "The first page of a student's requests with book, task and robot.",
        lambda session, of: session.execute(
            delivery_queries.REQUESTS.reads(_FIRST_PAGE, "user_id")[0].statement,
            {"user_id": of.user_id, "limit": _FIRST_PAGE.limit, "offset": 0},
        ).all(),
        "LIMIT",
    ),
    Statement(
        "Tasks for staff",
        "The newest tasks of every status.",
        lambda session, of: delivery_endpoints.list_delivery_tasks(
            session.connection(), of.librarian, _FIRST_PAGE
        ),
        "LIMIT",
    ),
    Statement(
        "Pick list",
        "Books that staff have still to fetch, in shelf order.",
        lambda session, of: overview.list_books_to_fetch(
            session.connection(), of.librarian, PageQuery(sort="shelf_location")
        ),
        "LIMIT",
    ),
    Statement(
        "Task history",
        "Every transition of a task, oldest first.",
        lambda session, of: session.execute(delivery_queries.history(of.task_id)).all(),
        "FROM task_status_history",
    ),
    Statement(
        "Expired deadlines",
        "Tasks that have been in their state too long; every second, without a lock.",
        lambda session, _: session.execute(deadlines.waiting_tasks()).all(),
        "FROM delivery_tasks",
    ),
    Statement(
        "Dispatcher's queue",
        "Tasks that need a robot, by priority, then age.",
        lambda session, _: dispatch.run(session),
        "FROM delivery_tasks",
    ),
    Statement(
        "Queue on the dashboard",
        "Tasks that travel, then those that wait, in the order they will be served.",
        lambda session, of: robot_endpoints.list_task_queue(
            session.connection(), of.librarian, _FIRST_PAGE
        ),
        "FROM delivery_tasks",
    ),
    Statement(
        "Next command of a robot",
        "Leases the oldest due command in one statement; runs at every poll of a bridge.",
        lambda session, of: command_leases.lease_next(session, of.robot_id, 1),
        "UPDATE robot_commands",
    ),
    Statement(
        "Expired leases",
        "Commands whose bridge has not reported in time; every second.",
        lambda session, _: command_leases.expire_leases(session),
        "FROM robot_commands",
    ),
    Statement(
        "Pending commands",
        "Tasks that travel although their robot has no command; every two seconds.",
        lambda session, _: connectivity.issue_pending_commands(session),
        "FROM delivery_tasks",
    ),
    Statement(
        "Due outbox rows",
        "The next events to publish; several relays share the work by skipping locked rows.",
        lambda session, _: due_events.due_events(session),
        "FROM outbox",
    ),
    Statement(
        "Due outbox rows of robots",
        "The next events of robots, which do not wait for a backlog of others.",
        lambda session, _: due_events.prompt_events(session),
        "FROM outbox",
    ),
    Statement(
        "Published outbox rows past retention",
        "Deletes at most two thousand old events a run.",
        lambda session, _: expired_rows.delete(session),
        "DELETE FROM outbox",
    ),
    Statement(
        "Notifications past retention",
        "Deletes at most two thousand old notifications a run.",
        lambda session, _: expired_rows.delete(session),
        "DELETE FROM notifications",
    ),
    Statement(
        "Notifications of a person",
        "The first page, newest first.",
        lambda session, of: notification_endpoints.list_notifications(
            session.connection(), of.student, _FIRST_PAGE
        ),
        "LIMIT",
    ),
    Statement(
        "Unread notifications",
        "The number on the badge of an application.",
        lambda session, of: session.execute(
            notification_queries.UNREAD.statement, {"user_id": of.user_id}
        ).all(),
        "FROM notifications",
    ),
)
