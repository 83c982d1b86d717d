"""Charge an idle robot before it serves again.

battery low while idle → the robot is sent to its dock → while it charges tasks wait, with that
reason → above the set charge it serves the task that waits.

The scheduler looks for low batteries; the dispatch policy is a pure function over a snapshot.
"""

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario


def test_robot_with_a_low_battery_charges_then_serves(scenario: Scenario) -> None:
    scenario.until_on_loan()
    robot = scenario.robot
    scenario.advance_seconds(61)
    for order in ("NAVIGATE", "DOCK"):
        robot.heartbeat(battery=0.1)
        event_runner.run_periodic("robot.docking")
        command = robot.next_command()
        assert (command["type"], command["payload"]["waypoint"]["name"]) == (order, "Dock 1")
        robot.drive(command)
    robot.heartbeat(battery=0.1, charging=True)
    scenario.book = catalogue.add_book("Another book")
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.task["waiting_reason"] == "ROBOTS_CHARGING"
    scenario.advance_seconds(61)
    for battery, state in ((0.59, "QUEUED"), (0.61, "ASSIGNED/TO_SOURCE")):
        robot.heartbeat(battery=battery, charging=True)
        scenario.run_events()
        assert scenario.state == state
    assert scenario.drive_robot()["type"] == "UNDOCK"
