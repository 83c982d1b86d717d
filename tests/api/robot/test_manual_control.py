"""Robots by hand, closed edges, histories and the state of the emergency stop."""

from typing import Any

import pytest

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario, code_of, details_of


def _put(scenario: Scenario, action: str, expect: int = 200, **body: Any) -> Any:
    path = f"/robot/robots/{scenario.robot.id}/{action}"
    return scenario.call(scenario.librarian, "PUT", path, expect, json=body)


def _map(scenario: Scenario) -> Any:
    return scenario.get(scenario.librarian, "/robot/map")


def _replace_map(scenario: Scenario, document: Any, expect: int = 200) -> Any:
    return scenario.call(scenario.librarian, "PUT", "/robot/map", expect, json=document)


def test_paused_robot_holds_and_goes_on_when_staff_say_so(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    assert _put(scenario, "pause").json()["data"]["paused"] is True
    assert _put(scenario, "pause").json()["data"]["paused"] is True
    hold = scenario.robot.next_command()
    assert hold["type"] == "PAUSE"
    assert scenario.robot.next_command() is None
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "PAUSE"
    scenario.robot.report(hold, "ACCEPTED")
    scenario.robot.report(hold, "SUCCEEDED")
    assert _put(scenario, "resume-task").json()["data"]["paused"] is False
    assert scenario.robot.next_command()["type"] == "RESUME"
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "RUN"
    scenario.robot.drive(drive)
    scenario.run_events()
    assert scenario.state == "ASSIGNED/LOADING"


def test_paused_robot_is_not_assigned_and_not_sent_off(scenario: Scenario) -> None:
    _put(scenario, "pause")
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.state == "QUEUED"
    _put(scenario, "resume-task")
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"


def test_loading_of_a_paused_robot_is_recorded_and_it_leaves_after_the_pause(
    scenario: Scenario,
) -> None:
    scenario.until_loading()
    _put(scenario, "pause")
    scenario.as_librarian("book-placed")
    assert scenario.robot.next_command()["type"] == "PAUSE"
    assert scenario.robot.next_command() is None
    _put(scenario, "resume-task")
    assert scenario.robot.next_command()["type"] == "RESUME"
    assert scenario.robot.next_command()["payload"]["loading_proof_id"]


def test_failed_drive_with_a_book_goes_on_by_hand(scenario: Scenario) -> None:
    scenario.until_departed()
    for _ in range(3):
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="wheel slips")
        scenario.run_events()
    assert scenario.robot.next_command() is None
    _put(scenario, "resume-task")
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"


def test_stopped_robot_does_not_go_on_by_hand(scenario: Scenario) -> None:
    _put(scenario, "pause")
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    for action in ("resume-task", "dock"):
        assert code_of(_put(scenario, action, 409)) == "ROBOT_STOPPED"
    assert code_of(_put(scenario, "announce", 409, text="Hello")) == "ROBOT_STOPPED"


def test_robot_is_sent_to_its_dock_and_speaks(scenario: Scenario) -> None:
    scenario.robot.at = "Study Room 203"
    scenario.robot.heartbeat()
    _put(scenario, "announce", text="Please let me pass", sound="chime")
    spoken = scenario.robot.next_command()
    assert spoken["payload"] == {"text": "Please let me pass", "sound": "chime"}
    scenario.robot.report(spoken, "ACCEPTED")
    scenario.robot.report(spoken, "SUCCEEDED")
    _put(scenario, "dock")
    assert scenario.robot.next_command()["payload"]["waypoint"]["name"] == "Dock 1"
    assert code_of(_put(scenario, "dock", 409)) == "CONFLICT"


def test_closed_edge_is_not_driven_until_it_opens(scenario: Scenario) -> None:
    edge = _map(scenario)["edges"][0]  # from the dock to the desk
    path = f"/robot/map/edges/{edge['id']}"
    closed = scenario.call(
        scenario.librarian, "PUT", f"{path}/close", json={"reason": "Wet floor"}
    ).json()["data"]
    assert closed["closed_reason"] == "Wet floor"
    scenario.request_delivery()
    scenario.run_events()
    assert (scenario.state, scenario.task["waiting_reason"]) == ("QUEUED", "NO_ROUTE")
    opened = scenario.call(scenario.librarian, "PUT", f"{path}/open").json()["data"]
    assert opened["closed_until"] is None
    event_runner.run_periodic("robot.dispatch_sweep")
    assert scenario.state == "ASSIGNED/TO_SOURCE"
    past = {"reason": "late", "until": "2020-01-01T00:00:00Z"}
    scenario.call(scenario.librarian, "PUT", f"{path}/close", 422, json=past)


def _add_way_around(scenario: Scenario) -> None:
    """Add a longer way from the dock to the desk, through a junction."""
    document = _map(scenario)
    corner = {"name": "Corner", "location_code": "J-1", "kind": "JUNCTION", "floor": 1}
    document["waypoints"].append({**corner, "x": 5.0, "y": 9.0})
    document["edges"] += [{"from": "DK-1", "to": "J-1"}, {"from": "J-1", "to": "WS-1"}]
    _replace_map(scenario, document)


def test_blocked_path_closes_the_edge_and_the_route_is_planned_anew(scenario: Scenario) -> None:
    _add_way_around(scenario)
    scenario.request_delivery()
    scenario.run_events()
    first = scenario.robot.next_command()
    assert [place["name"] for place in first["payload"]["route"]] == ["Dock 1", "Circulation Desk"]
    scenario.robot.report(first, "ACCEPTED")
    scenario.robot.report(first, "STARTED")
    scenario.robot.report(first, "FAILED", message="PATH_BLOCKED: a trolley")
    scenario.run_events()
    names = [place["name"] for place in scenario.robot.next_command()["payload"]["route"]]
    assert names == ["Dock 1", "Corner", "Circulation Desk"]
    assert _map(scenario)["edges"][0]["closed_reason"] == "PATH_BLOCKED"


def test_blocked_path_without_a_way_around_stays_open(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "FAILED", message="PATH_BLOCKED: a trolley")
    scenario.run_events()
    assert _map(scenario)["edges"][0]["closed_until"] is None
    assert scenario.robot.next_command() is not None


def test_drive_over_an_edge_that_staff_close_is_planned_anew(scenario: Scenario) -> None:
    _add_way_around(scenario)
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.robot.next_command() is not None
    edge = _map(scenario)["edges"][0]
    path = f"/robot/map/edges/{edge['id']}/close"
    scenario.call(scenario.librarian, "PUT", path, json={"reason": "Event"})
    scenario.run_events()
    assert scenario.robot.next_command()["type"] == "CANCEL"
    names = [place["name"] for place in scenario.robot.next_command()["payload"]["route"]]
    assert "Corner" in names


@pytest.mark.parametrize(
    ("edge", "fault"),
    [
        ({"from": "DK-1", "to": "NOWHERE"}, "two different waypoints"),
        ({"from": "DK-1", "to": "WS-1"}, "same waypoints"),
        ({"from": "DK-1", "to": "UP-1"}, "is a LIFT"),
        ({"from": "DK-1", "to": "UP-1", "kind": "LIFT"}, "needs a distance"),
        (
            {"from": "DK-1", "to": "UP-1", "kind": "LIFT", "distance": 5, "bidirectional": False},
            "there and back: UP-1",
        ),
    ],
)
def test_faulty_map_is_refused_with_each_fault(
    scenario: Scenario, edge: dict[str, Any], fault: str
) -> None:
    document = _map(scenario)
    upper = {"name": "Upper Room", "location_code": "UP-1", "kind": "DELIVERY_POINT", "floor": 2}
    document["waypoints"].append({**upper, "x": 0, "y": 0})
    document["edges"].append(edge)
    refused = _replace_map(scenario, document, 422)
    assert fault in str(details_of(refused)["fields"])


def test_exported_map_of_two_floors_is_imported_and_driven(scenario: Scenario) -> None:
    document = _map(scenario)
    upper = {"name": "Upper Room", "location_code": "UP-1", "kind": "DELIVERY_POINT", "floor": 2}
    document["waypoints"].append({**upper, "x": 0, "y": 0})
    document["edges"].append({"from": "SR-203", "to": "UP-1", "kind": "LIFT", "distance": 6})
    _replace_map(scenario, document)
    exported = scenario.call(scenario.librarian, "GET", "/robot/map/export").json()
    assert exported["edges"][-1]["kind"] == "LIFT"
    scenario.call(scenario.librarian, "POST", "/robot/map/import", json=exported)
    scenario.request_delivery("UP-1")
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_librarian("book-placed")
    route = scenario.drive_robot()["payload"]["route"]
    assert [place["floor"] for place in route][-2:] == [1, 2]


def test_history_of_a_robot_is_read_by_time(scenario: Scenario) -> None:
    scenario.robot.heartbeat(battery=0.2)
    scenario.robot.at = "Circulation Desk"
    scenario.robot.heartbeat()
    path = f"/robot/robots/{scenario.robot.id}"
    logs = scenario.get(scenario.librarian, f"{path}/logs")
    assert logs[0]["location"] == "Circulation Desk"
    errors = scenario.get(scenario.librarian, f"{path}/errors")
    assert [error["type"] for error in errors] == ["BATTERY_JUMP"]
    future = "from=2099-01-01T00:00:00Z"
    for kind in ("logs", "errors"):
        assert scenario.get(scenario.librarian, f"{path}/{kind}?{future}") == []
        before = scenario.get(scenario.librarian, f"{path}/{kind}?to=2099-01-01T00:00:00Z")
        assert before
    scenario.call(scenario.librarian, "GET", f"/robot/robots/{scenario.book}/logs", 404)


def test_state_of_the_stop_names_each_robot_and_its_proof(scenario: Scenario) -> None:
    second = catalogue.add_robot(scenario.api, "luna-bot-2")
    path = "/robot/emergency-stop"
    before = scenario.get(scenario.librarian, path)
    assert (before["latched"], before["robots"], before["reason"]) == (False, [], None)
    scenario.call(scenario.librarian, "POST", path, json={"reason": "A child"})
    event_runner.wait_until(lambda: len(scenario.get(scenario.librarian, path)["robots"]) == 2)
    stopped = scenario.get(scenario.librarian, path)
    assert (stopped["latched"], stopped["reason"]) == (True, "A child")
    assert stopped["by"] == str(scenario.librarian.id)
    confirmed = {"stop_version": stopped["stop_version"], "type": "MOTION_STOPPED"}
    second.call("POST", "/stop/events", json=confirmed)
    states = {
        each["id"]: each["state"] for each in scenario.get(scenario.librarian, path)["robots"]
    }
    assert states == {str(scenario.robot.id): "REQUESTED", str(second.id): "MOTION_STOPPED"}
