"""One example a feature: what happens when things do not go straight."""

from typing import Any

from sqlalchemy import Engine

from tests import event_runner, scenario
from tests.factories import users
from tests.scenario import code_of


def test_a_student_changes_their_mind_while_the_book_is_on_its_way(api: Any, owner: Engine) -> None:
    """The request is cancelled at once; the robot turns round; staff take the book back.

    request → loaded → cancel: request CANCELLED, journey BRINGING_BACK → robot at the desk →
    staff complete: journey CANCELLED, book on its shelf.
    """
    tale = scenario.begin(api).on_the_way()
    assert tale.mine("cancel", reason="Found it").json()["data"]["status"] == "CANCELLED"
    assert tale.state == "IN_PROGRESS/BRINGING_BACK"
    assert tale.drive()["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert tale.staff("complete").json()["data"]["status"] == "CANCELLED"
    assert tale.custody() == "ON_SHELF"
    scenario.check_whole(owner)


def test_a_librarian_confirms_the_wrong_robot(api: Any, owner: Engine) -> None:
    """A delivery changed robots: naming the first one moves neither.

    robot 1 at the desk, nobody loads → freed, robot 2 is sent → “on robot 1” is refused.
    """
    tale = scenario.begin(api, robots=2).at_desk()
    tale.minutes(10)
    sent = tale.task["assigned_robot_id"]
    second = next(robot for robot in tale.robots if str(robot.id) == sent)
    other = next(robot for robot in tale.robots if robot is not second)
    tale.drive(second)
    assert code_of(tale.staff("book-placed", 409, robot_id=str(other.id))) == "WRONG_ROBOT"
    assert [robot.next() for robot in tale.robots] == [None, None]
    tale.staff("book-placed", robot_id=str(second.id))
    assert second.next()["payload"]["waypoint"]["name"] == "Study Room 201"
    scenario.check_whole(owner)


def test_an_emergency_stop_and_its_end(api: Any, owner: Engine) -> None:
    """Stop: the drive is void and the task keeps its stage. Resume: it is told again.

    driving → stop → the bridge halts and says so → resume with a reason → a new command.
    """
    tale = scenario.begin(api).on_the_way()
    drive = tale.robot.next()
    tale.robot.report(drive, "STARTED")
    stop = tale.call(tale.librarian, "POST", "/robot/emergency-stop").json()["data"]
    told = tale.robot.call("GET", "/stop?after=0&wait=0").json()["data"]
    assert told == {"stop_version": stop["stop_version"], "stopped": True, "reason": None}
    assert code_of(tale.robot.report(drive, "PROGRESS")) == "LEASE_LOST"
    stands = {"stop_version": stop["stop_version"], "type": "MOTION_STOPPED"}
    tale.robot.call("POST", "/stop/events", json=stands)
    assert tale.state == "IN_PROGRESS/TO_DESTINATION"
    tale.call(tale.librarian, "POST", "/robot/resume", json={"reason": "All clear"})
    tale.drive()
    assert tale.state == "IN_PROGRESS/HANDOVER"
    scenario.check_whole(owner)


def test_nobody_comes_to_the_robot(api: Any, owner: Engine) -> None:
    """Two reminders, then the robot brings the book back and the request ends as NO_SHOW."""
    tale = scenario.begin(api).at_the_room()
    for _ in range(3):
        tale.minutes(3.4)
    assert (tale.cause["status"], tale.cause["cancel_reason"]) == ("CANCELLED", "NO_SHOW")
    tale.drive()
    tale.staff("complete")
    assert tale.custody() == "ON_SHELF"
    scenario.check_whole(owner)


def test_a_phone_that_sends_twice_asks_once(api: Any, owner: Engine) -> None:
    """The same Idempotency-Key again gets the first answer again, byte for byte."""
    tale = scenario.begin(api)
    body = {"book_id": str(tale.book), "request_location": "SR-201"}
    key = {"Idempotency-Key": "from-my-phone-1"}
    first = tale.call(tale.student, "POST", "/requests", 201, json=body, headers=key)
    again = tale.call(tale.student, "POST", "/requests", 201, json=body, headers=key)
    assert again.content == first.content
    assert len(tale.get(tale.student, "/requests")) == 1
    scenario.check_whole(owner)


def test_a_robot_is_lost_on_its_way_to_the_desk(api: Any, owner: Engine) -> None:
    """15 s of silence: another robot takes over, and the first is not to be loaded."""
    tale = scenario.begin(api, robots=1)
    tale.ask()
    tale.run()
    event_runner.run_periodic("robot.connectivity")
    tale.let_pass(scenario.offline_after())
    event_runner.run_periodic("robot.connectivity")
    assert (tale.state, tale.task["attempt"]) == ("QUEUED", 2)
    tale.robot.beat()  # it is back, and free
    cancelled = tale.robot.next()
    assert cancelled is None or cancelled["type"] == "CANCEL"
    scenario.check_whole(owner)


def test_a_member_follows_the_journey(api: Any, owner: Engine) -> None:
    """The request shows stage, robot, arrival time and, at the door, the code for its owner."""
    tale = scenario.begin(api).on_the_way()
    seen = tale.cause
    assert (seen["task"]["stage"], seen["handover_code"]) == ("TO_DESTINATION", None)
    assert seen["task"]["robot_position"]["floor"] == 1
    assert seen["task"]["eta"] > seen["requested_at"]
    tale.drive()
    assert len(tale.cause["handover_code"]) == 4
    told = [each["title"] for each in tale.get(tale.student, "/notifications")]
    assert len(told) >= 3
    tale.call(users.student(), "GET", f"/requests/{tale.request['id']}", 404)
    scenario.check_whole(owner)
