"""Wait for a robot when none is there.

request → no robot for five minutes → student and staff are told, an alert is open → a robot comes
online → it is assigned at once, and the alert is resolved.

The scheduler runs the deadlines; Celery carries the events to the dispatcher, the notifications
and the alerts.
"""

from typing import Any

from tests.factories import catalogue
from tests.scenario import start_scenario


def test_student_and_staff_are_told_and_the_task_waits(api: Any) -> None:
    scenario = start_scenario(api, robots=0)
    scenario.request_delivery()
    scenario.run_events()
    scenario.advance_minutes(5.1)
    assert scenario.current_request["task"]["waiting_reason"] == "NO_ROBOT_IN_SERVICE"
    titles = [note["title"] for note in scenario.get(scenario.student, "/notifications")]
    assert "It takes a little longer" in titles
    (alert,) = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
    assert alert["kind"] == "NO_ROBOT"
    catalogue.add_robot(api)
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"
    assert scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN") == []
