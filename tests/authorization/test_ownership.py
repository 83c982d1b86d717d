"""A student's resources are hidden from other students, a robot's commands from other robots."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from backend.shared.domain.circulation import custody, loans
from backend.shared.infra import database, ids
from backend.shared.models import LoanChannel, Notification
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.users import SignedInUser


@dataclass(frozen=True)
class Scene:
    """One student's request, return, loan and notification; a robot that fetches the book."""

    owner: SignedInUser
    stranger: SignedInUser
    paths: dict[str, str]
    borrowed: UUID
    robot: catalogue.Bridge
    other_robot: catalogue.Bridge


def _lent(owner: SignedInUser, book: UUID) -> UUID:
    with database.transaction() as session:
        copy = custody.reserve_any(session, book)
        custody.move(session, copy.id, custody.CustodyTransition.LOAD)
        return loans.lend(session, copy.id, owner.id, LoanChannel.ROBOT).id


def _told(owner: SignedInUser) -> UUID:
    with database.transaction() as session:
        note = Notification(
            user_id=owner.id,
            event_id=ids.uuid7(),
            notification_type="DELIVERY",
            title="Your book",
            message="It is on its way.",
        )
        session.add(note)
        session.flush()
        return note.id


@pytest.fixture
def scene(api: Any) -> Scene:
    catalogue.make_map()
    owner, stranger = users.student(), users.student()
    robot, other_robot = (
        catalogue.add_robot(api),
        catalogue.add_robot(api, "luna-bot-2", at="Dock 1"),
    )
    borrowed = catalogue.add_book("Lent already")
    loan = _lent(owner, borrowed)
    made = {
        "requests": {"book_id": str(catalogue.add_book()), "request_location": "SR-201"},
        "returns": {"book_id": str(borrowed), "pickup_location": "SR-202"},
    }
    paths = {"loan": f"/api/v1/loans/{loan}", "note": f"/api/v1/notifications/{_told(owner)}"}
    for kind, body in made.items():
        answered = api.post(f"/api/v1/{kind}", json=body, headers=owner.headers)
        assert answered.status_code == 201, answered.text
        paths[kind.removesuffix("s")] = f"/api/v1/{kind}/{answered.json()['data']['id']}"
        paths[f"{kind}_task"] = f"/api/v1/deliveries/{answered.json()['data']['task']['id']}"
    event_runner.run_events()
    return Scene(owner, stranger, paths, borrowed, robot, other_robot)


_OWN = [
    ("GET", "request", ""),
    ("PUT", "request", "/cancel"),
    ("PUT", "request", "/complete"),
    ("GET", "return", ""),
    ("PUT", "return", "/picked-up"),
    ("PUT", "return", "/cancel"),
    ("GET", "loan", ""),
    ("GET", "note", ""),
    ("PUT", "note", "/read"),
    ("DELETE", "note", ""),
]


def _error(answered: Any) -> tuple[int, Any]:
    return answered.status_code, answered.json().get("error")


def test_resource_of_another_student_is_not_found(api: Any, scene: Scene) -> None:
    for method, thing, step in _OWN:
        path = scene.paths[thing]
        nothing = f"{path.rpartition('/')[0]}/{ids.uuid7()}"
        refused = api.request(method, path + step, headers=scene.stranger.headers)
        absent = api.request(method, nothing + step, headers=scene.stranger.headers)
        assert _error(refused) == _error(absent), f"{method} {thing}{step}"
        assert refused.status_code == 404
    for thing in ("request", "return", "loan", "note"):
        still = api.get(scene.paths[thing], headers=scene.owner.headers)
        assert still.status_code == 200, f"{thing}: {still.text}"
        assert still.json()["data"].get("status") != "CANCELLED"


def test_list_contains_only_own_resources(api: Any, scene: Scene) -> None:
    for kind in ("requests", "returns", "loans", "notifications"):
        whole = api.get(f"/api/v1/{kind}", headers=scene.owner.headers).json()
        assert whole["pagination"]["total"] >= 1, kind
        for query in ("", f"?user_id={scene.owner.id}"):
            listed = api.get(f"/api/v1/{kind}{query}", headers=scene.stranger.headers)
            refused = listed.status_code in {403, 422}
            assert refused or listed.json()["data"] == [], f"{kind}{query}"


def test_return_is_refused_for_a_book_of_another_borrower(api: Any, scene: Scene) -> None:
    body = {"book_id": str(scene.borrowed), "pickup_location": "SR-203"}
    refused = api.post("/api/v1/returns", json=body, headers=scene.stranger.headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "NOT_BORROWED")


def test_staff_see_all_tasks_but_no_notifications_of_others(api: Any, scene: Scene) -> None:
    for staff in (users.librarian(), users.admin()):
        for thing in ("request", "return", "loan", "requests_task", "returns_task"):
            assert api.get(scene.paths[thing], headers=staff.headers).status_code == 200, thing
        assert api.get(scene.paths["note"], headers=staff.headers).status_code == 404


def test_only_an_admin_cancels_for_a_student(api: Any, scene: Scene) -> None:
    path = f"{scene.paths['request']}/cancel"
    refused = api.put(path, headers=users.librarian().headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert api.put(path, headers=users.admin().headers).status_code == 200


def test_robot_receives_only_its_own_commands(api: Any, scene: Scene) -> None:
    commands = {robot.id: robot.next_command() for robot in (scene.robot, scene.other_robot)}
    assert None not in commands.values()
    for thief, victim in (
        (scene.robot, scene.other_robot),
        (scene.other_robot, scene.robot),
    ):
        refused = thief.report(commands[victim.id], "ACCEPTED")
        assert refused.status_code == 404
    assert scene.robot.report(commands[scene.robot.id], "ACCEPTED").status_code == 200
