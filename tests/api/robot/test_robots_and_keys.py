"""Robots for admins, their keys, and what each key opens."""

from datetime import timedelta
from typing import Any

import pytest

from backend.shared.web.security import authentication
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge
from tests.scenario import Story, code_of


@pytest.fixture
def admin(tale: Story) -> users.Person:
    return users.admin()


def _with_key(robot: Bridge, key: str) -> Bridge:
    return Bridge(robot.api, robot.id, key, epoch=robot.epoch, seq=robot.seq)


def test_a_robot_is_registered_enrolled_once_and_speaks(tale: Story, admin: users.Person) -> None:
    made = tale.call(admin, "POST", "/robot/robots", 201, json={"robot_name": "luna-bot-7"})
    robot = made.json()["data"]
    assert robot["connectivity"] == "NEVER_SEEN"
    again = tale.call(admin, "POST", "/robot/robots", 409, json={"robot_name": "luna-bot-7"})
    assert code_of(again) == "CONFLICT"
    path = f"/robot/robots/{robot['id']}/enrolment-code"
    code = tale.call(admin, "POST", path, 201).json()["data"]["code"]
    body = {"code": code, "software_version": "1.0", "capabilities": {"arm": False}}
    enrolled = tale.call(None, "POST", "/robot/bridge/enroll", json=body).json()["data"]
    assert enrolled["robot_name"] == "luna-bot-7"
    used = tale.call(None, "POST", "/robot/bridge/enroll", 401, json=body)
    assert code_of(used) == "UNAUTHENTICATED"
    Bridge(tale.api, enrolled["robot_id"], enrolled["key"]).begin()
    assert tale.get(tale.librarian, f"/robot/status/{robot['id']}")["online"] is True


def test_an_enrolment_code_is_void_after_a_quarter_of_an_hour(
    tale: Story, admin: users.Person
) -> None:
    path = f"/robot/robots/{tale.robot.id}/enrolment-code"
    code = tale.call(admin, "POST", path, 201).json()["data"]["code"]
    event_runner.move_clock(timedelta(minutes=16))
    tale.call(None, "POST", "/robot/bridge/enroll", 401, json={"code": code})


def test_a_rotated_key_overlaps_for_a_while(tale: Story, admin: users.Person) -> None:
    path = f"/robot/robots/{tale.robot.id}/key"
    new = tale.call(admin, "POST", path, 201).json()["data"]["key"]
    assert _with_key(tale.robot, new).beat().status_code == 200
    assert tale.robot.beat(seq=9).status_code == 200
    event_runner.move_clock(timedelta(minutes=11))
    assert code_of(tale.robot.beat()) == "UNAUTHENTICATED"
    assert _with_key(tale.robot, new).beat().status_code == 200


def test_a_leaked_key_is_revoked_at_once(tale: Story, admin: users.Person) -> None:
    path = f"/robot/robots/{tale.robot.id}/key"
    new = tale.call(admin, "POST", path, 201, json={"revoke_now": True}).json()["data"]["key"]
    authentication.forget()  # remembered for a second at most
    assert code_of(tale.robot.beat()) == "UNAUTHENTICATED"
    assert _with_key(tale.robot, new).beat().status_code == 200


def test_a_retired_robots_key_opens_nothing(tale: Story, admin: users.Person) -> None:
    tale.call(admin, "DELETE", f"/robot/robots/{tale.robot.id}")
    authentication.forget()
    assert tale.robot.beat().status_code == 401
    tale.call(tale.librarian, "GET", f"/robot/status/{tale.robot.id}", 404)


@pytest.mark.parametrize("key", ["luna_rb_abc_def", "luna_rb_", "nonsense", "a.b.c"])
def test_a_wrong_key_opens_nothing(tale: Story, key: str) -> None:
    assert _with_key(tale.robot, key).beat().status_code == 401


def test_a_robots_key_opens_no_persons_path_and_a_persons_token_no_robots(tale: Story) -> None:
    for path in ("/requests", "/robot/status", "/notifications"):
        answer = tale.api.get(f"/api/v1{path}", headers=tale.robot.headers)
        assert answer.status_code == 403
    for person in (tale.student, tale.librarian, users.admin()):
        assert _with_key(tale.robot, person.token).beat().status_code == 403


def test_a_robot_on_a_journey_is_not_taken_out_of_service(tale: Story, admin: users.Person) -> None:
    tale.ask()
    tale.run()
    path = f"/robot/robots/{tale.robot.id}"
    tale.call(admin, "PUT", path, 409, json={"maintenance": True})
    tale.call(admin, "DELETE", path, 409)
    tale.mine("cancel")
    rested = tale.call(admin, "PUT", path, json={"maintenance": True}).json()["data"]
    assert rested["status"] == "MAINTENANCE"
    back = tale.call(admin, "PUT", path, json={"maintenance": False}).json()["data"]
    assert back["status"] == "IDLE"


# --- the map -------------------------------------------------------------------------------------


def _place(tale: Story, name: str) -> Any:
    places = tale.get(tale.librarian, "/robot/waypoints")
    return next(place for place in places if place["name"] == name)


def _body(place: Any, **changes: Any) -> dict[str, Any]:
    fields = ("name", "location_code", "kind", "floor", "x_coordinate", "y_coordinate")
    return {**{field: place[field] for field in fields}, **changes}


def test_a_place_that_a_delivery_needs_is_neither_moved_nor_removed(tale: Story) -> None:
    tale.ask()
    room = _place(tale, "Study Room 201")
    path = f"/robot/waypoints/{room['id']}"
    assert code_of(tale.call(tale.librarian, "DELETE", path, 409)) == "CONFLICT"
    moved = _body(room, x_coordinate=99.0)
    assert code_of(tale.call(tale.librarian, "PUT", path, 409, json=moved)) == "CONFLICT"
    tale.call(tale.librarian, "PUT", path, json=_body(room, name="Quiet Room 201"))
    tale.mine("cancel")
    tale.call(tale.librarian, "DELETE", path)
    assert code_of(tale.ask(expect=422)) == "UNKNOWN_LOCATION"


def test_a_new_place_can_be_asked_for_at_once(tale: Story) -> None:
    body = _body(_place(tale, "Study Room 203"), name="Atrium", location_code="AT-1")
    made = tale.call(tale.librarian, "POST", "/robot/waypoints", 201, json=body).json()["data"]
    taken = tale.call(tale.librarian, "POST", "/robot/waypoints", 409, json=body)
    assert code_of(taken) == "CONFLICT"
    assert tale.ask("atrium").json()["data"]["request_location"] == made["name"]


def test_the_map_can_be_put_back_as_it_was_read(tale: Story) -> None:
    read = tale.get(tale.librarian, "/robot/map")
    put = tale.call(tale.librarian, "PUT", "/robot/map", json=read).json()["data"]
    assert put["version"] == read["version"] + 1
    again = tale.get(tale.librarian, "/robot/map")
    assert {**again, "version": 0} == {**read, "version": 0}


def test_a_map_without_a_place_that_a_delivery_needs_is_refused(tale: Story) -> None:
    tale.ask()
    read = tale.get(tale.librarian, "/robot/map")
    kept = [place for place in read["waypoints"] if place["location_code"] != "SR-201"]
    edges = [edge for edge in read["edges"] if "SR-201" not in {edge["from"], edge["to"]}]
    body = {**read, "waypoints": kept, "edges": edges}
    tale.call(tale.librarian, "PUT", "/robot/map", 409, json=body)
    assert len(tale.get(tale.librarian, "/robot/waypoints")) == len(catalogue._PLACES)  # noqa: SLF001 (the one list)


def test_a_removed_places_name_is_free_again(tale: Story) -> None:
    place = {"name": "Atrium", "location_code": "AT-1", "kind": "DELIVERY_POINT", "x": 9, "y": 9}
    made = tale.call(tale.librarian, "POST", "/robot/waypoints", 201, json=place).json()["data"]
    tale.call(tale.librarian, "POST", "/robot/waypoints", 409, json=place)
    tale.call(tale.librarian, "DELETE", f"/robot/waypoints/{made['id']}")
    tale.call(tale.librarian, "POST", "/robot/waypoints", 201, json=place)


def test_a_robot_waits_while_no_open_way_leads_on(tale: Story) -> None:
    """The map loses an edge under a journey: the loading stands, the robot is not sent blindly."""
    tale.at_desk()
    whole = tale.get(tale.librarian, "/robot/map")
    cut = {**whole, "edges": whole["edges"][:2]}
    tale.call(tale.librarian, "PUT", "/robot/map", json=cut)
    tale.staff("book-placed")
    assert tale.state == "IN_PROGRESS/TO_DESTINATION"
    assert tale.robot.next() is None
    tale.call(tale.librarian, "PUT", "/robot/map", json=whole)
    event_runner.run_periodic("robot.owed_commands")
    assert tale.robot.next()["payload"]["waypoint"]["name"] == "Study Room 201"
