"""Charge an idle robot before it serves again.

battery low while idle → the robot is sent to its dock → while it charges tasks wait, with that
reason → above the set charge it serves the task that waits.

The scheduler looks for low batteries; the dispatch policy is a pure function over a snapshot.
"""

from tests import event_runner
from tests.scenario import Scenario


def test_robot_with_a_low_battery_charges_then_serves(scenario: Scenario) -> None:
    robot = scenario.robot
    robot.at = "Study Room 201"
    scenario.advance_seconds(61)
    robot.heartbeat(battery=0.1)
    event_runner.run_periodic("robot.docking")
    to_dock = robot.next_command()
    assert to_dock["payload"]["waypoint"]["name"] == "Dock 1"
    robot.drive(to_dock)
    robot.heartbeat(battery=0.1, charging=True, docked=True)
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.task["waiting_reason"] == "ROBOTS_CHARGING"
    scenario.advance_seconds(61)
    robot.heartbeat(battery=0.59, charging=True, docked=True)
    scenario.run_events()
    assert scenario.state == "QUEUED"
    robot.heartbeat(battery=0.61, charging=True, docked=True)
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"
    assert robot.next_command()["type"] == "UNDOCK"
