"""Answer a repeated call with the resource as it is.

book-placed twice, complete twice, cancel twice → 200 each time, the same resource, nothing written.

Each rule looks whether its effect is the resource's last step before it changes a row.
"""

from sqlalchemy import Engine, text

from tests.scenario import Scenario

_WRITTEN = text("SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM task_status_history)")


def test_repeated_step_answers_200_and_writes_nothing(scenario: Scenario, owner: Engine) -> None:
    scenario.until_loading()
    first = scenario.as_librarian("book-placed").json()["data"]["version"]
    with owner.connect() as connection:
        written = connection.execute(_WRITTEN).one()
        assert scenario.as_librarian("book-placed").json()["data"]["version"] == first
        assert connection.execute(_WRITTEN).one() == written
    scenario.drive_robot()
    done = scenario.as_student("complete").json()["data"]
    with owner.connect() as connection:
        written = connection.execute(_WRITTEN).one()
        assert scenario.as_student("complete").json()["data"] == done
        assert connection.execute(_WRITTEN).one() == written
