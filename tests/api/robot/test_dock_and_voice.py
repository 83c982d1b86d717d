"""What a robot does around a drive: it leaves its dock first, and speaks at a hand-over."""

import uuid

import pytest

from tests import event_runner
from tests.scenario import Scenario, code_of


def _assign_docked(scenario: Scenario) -> None:
    scenario.robot.heartbeat(docked=True, charging=False)
    scenario.request_delivery()
    scenario.run_events()


def _carry_out(scenario: Scenario, command: dict[str, object], end: str = "SUCCEEDED") -> None:
    for kind in ("ACCEPTED", "STARTED", end):
        assert scenario.robot.report(command, kind).status_code == 200


def test_docked_robot_leaves_its_dock_before_it_drives(scenario: Scenario) -> None:
    _assign_docked(scenario)
    undock = scenario.robot.next_command()
    assert (undock["type"], undock["payload"]) == ("UNDOCK", {})
    assert scenario.robot.next_command() is None
    _carry_out(scenario, undock)
    scenario.run_events()
    assert scenario.drive_robot()["type"] == "NAVIGATE"
    assert scenario.state == "ASSIGNED/LOADING"


def test_robot_whose_dock_sensor_is_stuck_drives_after_it_has_undocked(scenario: Scenario) -> None:
    _assign_docked(scenario)
    _carry_out(scenario, scenario.robot.next_command())
    scenario.robot.heartbeat(docked=True)
    scenario.run_events()
    assert scenario.robot.next_command()["type"] == "NAVIGATE"


def test_undocking_that_fails_is_tried_three_times_then_another_robot_comes(
    scenario: Scenario,
) -> None:
    _assign_docked(scenario)
    for _ in range(3):
        undock = scenario.robot.next_command()
        assert undock["type"] == "UNDOCK"
        _carry_out(scenario, undock, "FAILED")
        event_runner.run_periodic("robot.pending_commands")  # waits for the event
        scenario.run_events()
    assert scenario.task["attempt"] == 2


def test_robot_stopped_after_undocking_drives_after_the_resume(scenario: Scenario) -> None:
    _assign_docked(scenario)
    _carry_out(scenario, scenario.robot.next_command())
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    scenario.run_events()
    scenario.robot.heartbeat(docked=False)
    assert scenario.robot.next_command() is None
    scenario.call(scenario.librarian, "POST", "/robot/resume", json={"reason": "Clear"})
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.drive_robot()["type"] == "NAVIGATE"


def test_robot_that_cannot_dock_is_tried_again_and_staff_are_told(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.advance_seconds(61)
    scenario.robot.heartbeat(battery=0.1)
    told = []
    for _ in range(4):
        event_runner.run_periodic("robot.docking")
        scenario.run_events()
        alerts = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
        told.append([each["kind"] for each in alerts if "DOCKING_FAILED" in each["message"]])
        _carry_out(scenario, scenario.robot.next_command(), "FAILED")
    assert told == [[], [], [], ["ROBOT_ERROR"]]


def _state_capabilities(scenario: Scenario, **capabilities: bool) -> None:
    boot = {"boot_id": str(uuid.uuid4()), "capabilities": capabilities}
    opened = scenario.robot.call("POST", "/session", json=boot)
    scenario.robot.epoch = opened.json()["data"]["epoch"]
    scenario.robot.heartbeat()


@pytest.mark.parametrize(("action", "body"), [("pause", {}), ("announce", {"text": "Hello"})])
def test_robot_is_not_asked_for_what_it_states_that_it_cannot(
    scenario: Scenario, action: str, body: dict[str, str]
) -> None:
    _state_capabilities(scenario, pause=False, say=False)
    path = f"/robot/robots/{scenario.robot.id}/{action}"
    refused = scenario.call(scenario.librarian, "PUT", path, 409, json=body)
    assert code_of(refused) == "ROBOT_UNAVAILABLE"
    assert scenario.robot.next_command() is None


def test_robot_that_can_speak_announces_its_arrival(scenario: Scenario) -> None:
    _state_capabilities(scenario, say=True)
    scenario.until_handover()
    spoken = scenario.robot.next_command()
    assert spoken["type"] == "ANNOUNCE"
    assert spoken["payload"]["text"] == "A book for you. Please confirm in LUNA that you have it."
    _carry_out(scenario, spoken)
    scenario.as_student("complete")


def test_robot_without_a_voice_announces_nothing(scenario: Scenario) -> None:
    scenario.until_handover()
    assert scenario.robot.next_command() is None
