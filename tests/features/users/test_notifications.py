"""Notify a student about a delivery.

each step publishes its event with its change → the notification service selects the recipients
and formats the text → the student lists the notifications and marks them as read.

Celery calls the consumer, the inbox table lets each event take effect once, SQLAlchemy stores the
notification, FastAPI lists it.
"""

from tests.factories import users
from tests.scenario import Scenario


def test_student_is_notified_of_each_step_and_nobody_else(scenario: Scenario) -> None:
    scenario.until_handover()
    listed = scenario.get(scenario.student, "/notifications")
    assert len(listed) == len({each["title"] for each in listed}) == 4
    assert scenario.get(scenario.student, "/notifications/unread-count")["unread"] == 4

    scenario.call(scenario.student, "PUT", f"/notifications/{listed[0]['id']}/read")
    scenario.call(scenario.student, "PUT", "/notifications/read-all")
    assert scenario.get(scenario.student, "/notifications/unread-count")["unread"] == 0
    assert scenario.get(users.student(), "/notifications") == []
