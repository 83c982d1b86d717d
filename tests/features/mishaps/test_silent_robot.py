"""Keep a book with its robot when the robot falls silent.

robot leaves with the book → 15 s without a heartbeat: OFFLINE → the task keeps the robot, staff
are alerted → the robot returns, drives on, and the alert is resolved.

The scheduler sweeps the connectivity; a started command is never sent again blindly.
"""

from tests import event_runner
from tests.scenario import Scenario, seconds_until_offline


def test_task_keeps_a_silent_robot_and_goes_on_when_it_returns(scenario: Scenario) -> None:
    scenario.until_departed()
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")
    scenario.run_events()
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    alerts = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
    assert {alert["kind"] for alert in alerts} == {"ROBOT_OFFLINE", "TASK_NEEDS_ATTENTION"}
    scenario.robot.heartbeat()
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    assert scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN") == []
