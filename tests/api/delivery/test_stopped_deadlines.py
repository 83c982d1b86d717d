"""Time limits of a task whose robot is under an emergency stop: it keeps its stage."""

from typing import Any

import pytest

from tests import event_runner
from tests.scenario import Scenario, start_scenario

_SWEEPS = 10  # each leaves rows that are locked, such as by the write of a heartbeat, to the next


def _stop(scenario: Scenario, robot: str = "") -> None:
    scenario.call(scenario.librarian, "POST", f"/robot/emergency-stop{robot}")


def _resume(scenario: Scenario, robot: str = "") -> None:
    body = {"reason": "The aisle is free"}
    scenario.call(scenario.librarian, "POST", f"/robot/resume{robot}", json=body)
    scenario.robot.heartbeat()


def _alerts(scenario: Scenario) -> list[tuple[str, int]]:
    for _ in range(_SWEEPS):
        listed = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
        if found := [(alert["reason"], alert["count"]) for alert in listed if alert["task_id"]]:
            return found
        event_runner.run_periodic("delivery.deadlines")
    return []


@pytest.mark.parametrize("fleet", [True, False])
def test_stopped_robot_is_not_released_by_the_loading_timeout(api: Any, fleet: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    scenario = start_scenario(api).until_loading()
    robot = "" if fleet else f"/{scenario.robot.id}"
    _stop(scenario, robot)
    scenario.advance_minutes(10.1)
    assert (scenario.state, scenario.task["attempt"]) == ("ASSIGNED/LOADING", 1)
    assert _alerts(scenario) == [("ROBOT_STOPPED", 1)]
    scenario.advance_minutes(30)
    assert _alerts(scenario) == [("ROBOT_STOPPED", 2)]
    _resume(scenario, robot)
    scenario.advance_minutes(9)
    assert (scenario.state, scenario.task["attempt"]) == ("ASSIGNED/LOADING", 1)
    scenario.advance_minutes(1.1)
    assert scenario.task["attempt"] == 2


def test_stop_at_the_hand_over_does_not_send_the_book_back(scenario: Scenario) -> None:
    scenario.until_handover()
    until = scenario.current_request["task"]["wait_until"]
    scenario.advance_minutes(8)
    _stop(scenario)
    scenario.advance_minutes(5)
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    _resume(scenario)
    scenario.advance_minutes(4)
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    assert scenario.current_request["task"]["wait_until"] > until
    scenario.as_student("complete")


def test_receiver_is_reminded_again_after_a_resume(scenario: Scenario) -> None:
    scenario.until_handover()
    _stop(scenario)
    scenario.advance_minutes(10.1)
    _resume(scenario)
    before = len(scenario.get(scenario.student, "/notifications"))
    scenario.advance_minutes(3.4)
    assert len(scenario.get(scenario.student, "/notifications")) == before + 1


def test_stopped_robot_on_its_way_to_the_desk_keeps_its_task(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    _stop(scenario)
    scenario.advance_minutes(31)
    assert (scenario.state, scenario.task["attempt"]) == ("ASSIGNED/TO_SOURCE", 1)
    assert _alerts(scenario) == [("ROBOT_STOPPED", 1)]
    _resume(scenario)
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Circulation Desk"
