"""Robots, their keys, and the map."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from backend.shared.web.security import authentication, robot_keys
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge
from tests.scenario import Scenario, code_of


@pytest.fixture
def admin(scenario: Scenario) -> users.SignedInUser:
    return users.admin()


def _with_key(robot: Bridge, key: str) -> Bridge:
    return Bridge(robot.api, robot.id, key, epoch=robot.epoch, seq=robot.seq)


def test_registered_robot_enrolls_once_and_connects(
    scenario: Scenario, admin: users.SignedInUser
) -> None:
    made = scenario.call(admin, "POST", "/robot/robots", 201, json={"robot_name": "luna-bot-7"})
    robot = made.json()["data"]
    assert robot["connectivity"] == "NEVER_SEEN"
    again = scenario.call(admin, "POST", "/robot/robots", 409, json={"robot_name": "luna-bot-7"})
    assert code_of(again) == "CONFLICT"
    path = f"/robot/robots/{robot['id']}/enrolment-code"
    code = scenario.call(admin, "POST", path, 201).json()["data"]["code"]
    body = {"code": code, "software_version": "1.0", "capabilities": {"arm": False}}
    enrolled = scenario.call(None, "POST", "/robot/bridge/enroll", json=body).json()["data"]
    assert enrolled["robot_name"] == "luna-bot-7"
    used = scenario.call(None, "POST", "/robot/bridge/enroll", 401, json=body)
    assert code_of(used) == "UNAUTHENTICATED"
    Bridge(scenario.api, enrolled["robot_id"], enrolled["key"]).open_session()
    assert scenario.get(scenario.librarian, f"/robot/status/{robot['id']}")["online"] is True


def test_enrollment_code_expires_after_15_minutes(
    scenario: Scenario, admin: users.SignedInUser
) -> None:
    path = f"/robot/robots/{scenario.robot.id}/enrolment-code"
    code = scenario.call(admin, "POST", path, 201).json()["data"]["code"]
    event_runner.advance_clock(timedelta(minutes=16))
    scenario.call(None, "POST", "/robot/bridge/enroll", 401, json={"code": code})


def test_rotated_key_stays_valid_for_ten_minutes(
    scenario: Scenario, admin: users.SignedInUser
) -> None:
    path = f"/robot/robots/{scenario.robot.id}/key"
    new = scenario.call(admin, "POST", path, 201).json()["data"]["key"]
    assert _with_key(scenario.robot, new).heartbeat().status_code == 200
    assert scenario.robot.heartbeat(seq=9).status_code == 200
    event_runner.advance_clock(timedelta(minutes=11))
    assert code_of(scenario.robot.heartbeat()) == "UNAUTHENTICATED"
    assert _with_key(scenario.robot, new).heartbeat().status_code == 200


def test_leaked_key_is_revoked_at_once(scenario: Scenario, admin: users.SignedInUser) -> None:
    path = f"/robot/robots/{scenario.robot.id}/key"
    new = scenario.call(admin, "POST", path, 201, json={"revoke_now": True}).json()["data"]["key"]
    authentication.invalidate_caches()  # cached for up to a second
    assert code_of(scenario.robot.heartbeat()) == "UNAUTHENTICATED"
    assert _with_key(scenario.robot, new).heartbeat().status_code == 200


def test_key_of_retired_robot_is_refused(scenario: Scenario, admin: users.SignedInUser) -> None:
    scenario.call(admin, "DELETE", f"/robot/robots/{scenario.robot.id}")
    authentication.invalidate_caches()
    assert scenario.robot.heartbeat().status_code == 401
    scenario.call(scenario.librarian, "GET", f"/robot/status/{scenario.robot.id}", 404)


@pytest.mark.parametrize("key", ["luna_rb_abc_def", "luna_rb_", "nonsense", "a.b.c"])
def test_wrong_key_is_refused(scenario: Scenario, key: str) -> None:
    assert _with_key(scenario.robot, key).heartbeat().status_code == 401


def test_robot_key_and_user_token_are_not_interchangeable(
    scenario: Scenario,
) -> None:
    for path in ("/requests", "/robot/status", "/notifications"):
        answer = scenario.api.get(f"/api/v1{path}", headers=scenario.robot.headers)
        assert answer.status_code == 403
    for person in (scenario.student, scenario.librarian, users.admin()):
        assert _with_key(scenario.robot, person.token).heartbeat().status_code == 403


def test_robot_with_task_cannot_be_set_to_maintenance_or_retired(
    scenario: Scenario, admin: users.SignedInUser
) -> None:
    scenario.request_delivery()
    scenario.run_events()
    path = f"/robot/robots/{scenario.robot.id}"
    scenario.call(admin, "PUT", path, 409, json={"maintenance": True})
    scenario.call(admin, "DELETE", path, 409)
    scenario.as_student("cancel")
    rested = scenario.call(admin, "PUT", path, json={"maintenance": True}).json()["data"]
    assert rested["status"] == "MAINTENANCE"
    back = scenario.call(admin, "PUT", path, json={"maintenance": False}).json()["data"]
    assert back["status"] == "IDLE"


# --- the map -------------------------------------------------------------------------------------


def _place(scenario: Scenario, name: str) -> Any:
    places = scenario.get(scenario.librarian, "/robot/waypoints")
    return next(place for place in places if place["name"] == name)


def _body(place: Any, **changes: Any) -> dict[str, Any]:
    fields = ("name", "location_code", "kind", "floor", "x_coordinate", "y_coordinate")
    return {**{field: place[field] for field in fields}, **changes}


def test_waypoint_of_open_task_cannot_be_moved_or_deleted(scenario: Scenario) -> None:
    scenario.request_delivery()
    room = _place(scenario, "Study Room 201")
    path = f"/robot/waypoints/{room['id']}"
    assert code_of(scenario.call(scenario.librarian, "DELETE", path, 409)) == "CONFLICT"
    moved = _body(room, x_coordinate=99.0)
    assert code_of(scenario.call(scenario.librarian, "PUT", path, 409, json=moved)) == "CONFLICT"
    scenario.call(scenario.librarian, "PUT", path, json=_body(room, name="Quiet Room 201"))
    scenario.as_student("cancel")
    scenario.call(scenario.librarian, "DELETE", path)
    assert code_of(scenario.request_delivery(expect=422)) == "UNKNOWN_LOCATION"


def test_created_waypoint_is_accepted_in_requests_at_once(scenario: Scenario) -> None:
    body = _body(_place(scenario, "Study Room 203"), name="Atrium", location_code="AT-1")
    made = scenario.call(scenario.librarian, "POST", "/robot/waypoints", 201, json=body).json()[
        "data"
    ]
    taken = scenario.call(scenario.librarian, "POST", "/robot/waypoints", 409, json=body)
    assert code_of(taken) == "CONFLICT"
    assert scenario.request_delivery("atrium").json()["data"]["request_location"] == made["name"]


def test_exported_map_can_be_loaded_unchanged(scenario: Scenario) -> None:
    read = scenario.get(scenario.librarian, "/robot/map")
    put = scenario.call(scenario.librarian, "PUT", "/robot/map", json=read).json()["data"]
    assert put["version"] == read["version"] + 1
    again = scenario.get(scenario.librarian, "/robot/map")
    ids = {edge["id"] for edge in (*again["edges"], *read["edges"])}
    for edge in (*again["edges"], *read["edges"]):
        del edge["id"]  # edges are written anew
    assert {**again, "version": 0} == {**read, "version": 0}
    assert len(ids) == 2 * len(read["edges"])


def test_map_without_waypoint_of_open_task_is_refused(scenario: Scenario) -> None:
    scenario.request_delivery()
    read = scenario.get(scenario.librarian, "/robot/map")
    kept = [place for place in read["waypoints"] if place["location_code"] != "SR-201"]
    edges = [edge for edge in read["edges"] if "SR-201" not in {edge["from"], edge["to"]}]
    body = {**read, "waypoints": kept, "edges": edges}
    scenario.call(scenario.librarian, "PUT", "/robot/map", 409, json=body)
    assert len(scenario.get(scenario.librarian, "/robot/waypoints")) == len(catalogue.WAYPOINTS)


def test_name_of_deleted_waypoint_can_be_reused(scenario: Scenario) -> None:
    place = {"name": "Atrium", "location_code": "AT-1", "kind": "DELIVERY_POINT", "x": 9, "y": 9}
    made = scenario.call(scenario.librarian, "POST", "/robot/waypoints", 201, json=place).json()[
        "data"
    ]
    scenario.call(scenario.librarian, "POST", "/robot/waypoints", 409, json=place)
    scenario.call(scenario.librarian, "DELETE", f"/robot/waypoints/{made['id']}")
    scenario.call(scenario.librarian, "POST", "/robot/waypoints", 201, json=place)


def test_robot_without_route_receives_no_command_until_map_allows(scenario: Scenario) -> None:
    """An edge is closed during a task: the loading is confirmed, no command is issued."""
    scenario.until_loading()
    edge = scenario.get(scenario.librarian, "/robot/map")["edges"][2]
    path = f"/robot/map/edges/{edge['id']}"
    scenario.call(scenario.librarian, "PUT", f"{path}/close", json={"reason": "Wet floor"})
    scenario.as_librarian("book-placed")
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    assert scenario.robot.next_command() is None
    scenario.call(scenario.librarian, "PUT", f"{path}/open")
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_made_up_keys_share_few_reads(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[float] = []
    read = robot_keys.KEYS.all

    async def counted() -> Any:
        reads.append(time.monotonic())
        return await read()

    monkeypatch.setattr(robot_keys.KEYS, "all", counted)
    began = time.monotonic()

    def call(number: int) -> int:
        headers = {"Authorization": f"Bearer luna_rb_{number:012x}_secret"}
        path = "/api/v1/robot/bridge/stop?after=0&wait=20"
        return int(scenario.api.get(path, headers=headers).status_code)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(60))) == {401}
    assert len(reads) <= (time.monotonic() - began) / 0.2 + 1
