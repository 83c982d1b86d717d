"""Free a robot that nobody loads.

robot waits at the desk → staff are reminded at half time → after ten minutes the robot is freed
and the task queued again → after the second time the task has FAILED with NOT_LOADED.

The scheduler runs the deadlines, SQLAlchemy applies each transition with its history row.
"""

from tests.scenario import Scenario


def test_robot_is_freed_and_after_the_second_time_the_task_fails(scenario: Scenario) -> None:
    scenario.until_loading()
    scenario.advance_minutes(5.1)
    titles = [note["title"] for note in scenario.get(scenario.librarian, "/notifications")]
    assert "A robot still waits to be loaded" in titles
    scenario.robot.heartbeat()
    scenario.advance_minutes(5)
    assert (scenario.state, scenario.task["attempt"]) == ("ASSIGNED/TO_SOURCE", 2)
    scenario.drive_robot()
    scenario.advance_minutes(10.1)
    assert (scenario.state, scenario.task["failure_reason"]) == ("FAILED", "NOT_LOADED")
    (alert,) = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
    assert alert["kind"] == "TASK_FAILED"
