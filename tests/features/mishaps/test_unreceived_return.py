"""Never close a return without a person.

robot waits at the return station → after ten minutes staff are alerted, and every 30 minutes
again: one alert with a count → the robot stays → staff receive the book.

The scheduler runs the deadlines; an alert is one row for each open fault.
"""

from tests.scenario import Scenario


def test_unreceived_return_alerts_staff_again_and_again(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    scenario.drive_robot()
    for minutes in (10.1, 30):
        scenario.advance_minutes(minutes)
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    (alert,) = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
    assert (alert["reason"], alert["count"]) == ("NOT_RECEIVED", 2)
    scenario.as_librarian("complete")
    scenario.run_events()
    assert scenario.current_request["status"] == "COMPLETED"
    assert scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN") == []
