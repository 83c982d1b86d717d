"""A library with at least two rows in most lists, and the ids that path parameters take."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from backend.shared.domain.circulation import custody, loans
from backend.shared.infra import database, ids
from backend.shared.models import (
    Alert,
    AlertKind,
    AlertSeverity,
    LoanChannel,
    Notification,
    RobotError,
    WaypointEdge,
)
from tests.factories import catalogue, users
from tests.scenario import Scenario, start_scenario

IMPORT = {"books": [{"title": "One", "isbn": "no"}, {"title": "Two", "isbn": "neither"}]}
SUBSCRIPTION = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/another",
    "keys": {
        "p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-"
        "Ts1XbjhazAkj7I99e8QcYP7DkM",
        "auth": "tBHItJI5svbpez7KI4CCXg",
    },
}
_KEY = {"rpcs": ["luna.v1.LibraryService/CheckOutBook"]}


@dataclass
class FilledLibrary:
    """What the rules of the contract are tried on, as an administrator and as a robot."""

    scenario: Scenario
    admin: users.SignedInUser
    ids: dict[str, str]

    def path(self, template: str) -> str:
        """Replace the parameters of a path by ids of what exists."""
        return template.format(**self.ids)

    def call(self, route: str, **options: Any) -> Any:
        """Call `METHOD path` with the credentials that it needs."""
        method, template = route.split(" ")
        is_robot = "/bridge/" in template
        own = self.scenario.robot.headers if is_robot else self.admin.headers
        headers = {**own, **options.pop("headers", {})}
        return self.scenario.api.request(method, self.path(template), headers=headers, **options)

    def lend(self, book: UUID, member: UUID | None = None) -> None:
        """Lend a copy of the title to a member; without one, to the administrator."""
        with database.transaction() as session:
            copy = custody.reserve_any(session, book)
            custody.move(session, copy.id, custody.CustodyTransition.LOAD)
            loans.lend(session, copy.id, member or self.admin.id, LoanChannel.ROBOT)

    def add_unavailable_book(self) -> UUID:
        """Add a title whose only copy another member has borrowed."""
        book = catalogue.add_book("On loan")
        self.lend(book, users.student().id)
        return book

    def post(self, path: str, **body: Any) -> Any:
        """Create something as the administrator; returns its data."""
        answered = self.scenario.api.post(f"/api/v1{path}", json=body, headers=self.admin.headers)
        assert answered.is_success, answered.text
        return answered.json()["data"]


def _add_rows(admin: users.SignedInUser, robot_id: UUID) -> dict[str, str]:
    """Add what no call creates at once; returns the ids of a notification, an alert, an edge."""
    with database.transaction() as session:
        notes = [
            Notification(
                user_id=admin.id,
                event_id=ids.uuid7(),
                notification_type="TEST",
                title="Title",
                message="Message",
            )
            for _ in range(2)
        ]
        problems = [
            RobotError(robot_id=robot_id, type="BLOCKED", level="WARNING", message="Blocked")
            for _ in range(2)
        ]
        alerts = [
            Alert(
                kind=AlertKind.EVENT_DEAD,
                subject=f"system {number}",
                severity=AlertSeverity.WARNING,
                message="An event was not processed.",
            )
            for number in range(2)
        ]
        session.add_all([*notes, *problems, *alerts])
        session.flush()
        edge = session.execute(select(WaypointEdge.id).limit(1)).scalar_one()
        return {
            "notification_id": str(notes[0].id),
            "alert_id": str(alerts[0].id),
            "edge_id": str(edge),
        }


def _return_one(scenario: Scenario) -> str:
    """Lend the title and let a robot fetch it; returns the id of the return."""
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    scenario.drive_robot()
    scenario.as_librarian("complete")
    scenario.run_events()
    return str(scenario.request["id"])


def _circulate(library: FilledLibrary) -> dict[str, str]:
    """Place two holds, merge two titles and subscribe to pushed messages; returns their ids."""
    holds = [library.post("/holds", book_id=str(library.add_unavailable_book())) for _ in range(2)]
    double, kept = (str(catalogue.add_book("Double")) for _ in range(2))
    merge = library.post(f"/books/{double}/merge", into=kept)
    subscription = library.post("/notifications/push-subscriptions", **SUBSCRIPTION)
    return {
        "hold_id": holds[0]["id"],
        "merge_id": merge["id"],
        "subscription_id": subscription["id"],
        "into": kept,
        "name": "high-demand",
    }


def fill(api: Any) -> FilledLibrary:
    """Lend and fetch two books, deliver two, import twice, and add the rest by one call each."""
    admin = users.admin()
    scenario = start_scenario(api, copies=2, robots=2)
    library = FilledLibrary(scenario, admin, {})
    returns = [_return_one(scenario) for _ in range(2)]
    scenario.book = catalogue.add_book("Another", copies=6)
    transfer = {"source_location": "WS-1", "destination_location": "RS-1"}
    tasks = [
        library.post("/deliveries/transfer", book_id=str(scenario.book), **transfer)
        for _ in range(2)
    ]
    jobs = [library.post("/books/bulk-import", **IMPORT) for _ in range(2)]
    keys = [library.post("/auth/service-keys", name=f"key {n}", **_KEY) for n in range(2)]
    scenario.request_delivery()
    scenario.run_events()
    copy = scenario.get(admin, f"/books/{scenario.book}/copies")[-1]
    library.ids |= {
        **_circulate(library),
        "barcode": copy["barcode"],
        "book_id": str(scenario.book),
        "copy_id": copy["id"],
        "job_id": jobs[0]["job_id"],
        "key_id": keys[0]["id"],
        "loan_id": scenario.get(admin, "/loans")[0]["id"],
        **_add_rows(admin, scenario.robot.id),
        "request_id": scenario.request["id"],
        "return_id": returns[0],
        "robot_id": str(scenario.robot.id),
        "session_id": str(users.add_session(admin)),
        "task_id": tasks[0]["id"],
        "user_id": str(users.student().id),
        "waypoint_id": scenario.get(admin, "/robot/waypoints?kind=DELIVERY_POINT")[0]["id"],
        "command_id": str(ids.uuid7()),
    }
    return library
