"""Try a failed drive again, then give the task to another robot.

robot reports FAILED → the same drive is commanded again → after the third failure the task is
queued for another robot (attempt 2), and the error is kept in its history.

Celery carries the reports to the workflow, which acts on the newest command alone.
"""

from tests.factories import catalogue
from tests.scenario import Scenario


def test_failed_drive_is_tried_three_times_then_another_robot_comes(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    catalogue.add_robot(scenario.api, "luna-bot-2", at="Study Room 203")
    for _ in range(3):
        assert scenario.task["attempt"] == 1
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="wheel slips")
        scenario.run_events()
    task = scenario.task
    assert task["attempt"] == 2
    assert "ROBOT_ERROR: wheel slips" in {step["reason"] for step in task["history"]}
    assert scenario.state == "ASSIGNED/TO_SOURCE"
