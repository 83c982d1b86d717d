"""Returns: a borrowed book is fetched."""

from sqlalchemy import Engine, text

from tests.factories import users
from tests.scenario import Story, code_of, details_of


def test_only_a_book_on_loan_to_the_caller_is_fetched(tale: Story) -> None:
    assert code_of(tale.ask_back(expect=409)) == "NOT_BORROWED"
    tale.lent()
    borrower, tale.student = tale.student, users.student()
    assert code_of(tale.ask_back(expect=409)) == "NOT_BORROWED"
    tale.student = borrower
    assert code_of(tale.ask_back("Nowhere", 422)) == "UNKNOWN_LOCATION"
    tale.ask_back()
    assert code_of(tale.ask_back(expect=409)) == "ALREADY_RETURNING"


def test_a_book_is_fetched_and_shelved(tale: Story, owner: Engine) -> None:
    tale.lent()
    tale.ask_back("sr-202")
    assert tale.mine("picked-up", 409).status_code == 409  # the robot is not there
    tale.run()
    assert tale.cause["status"] == "PICKUP_SCHEDULED"
    tale.drive()
    assert tale.robot.next() is None
    assert tale.mine("picked-up").json()["data"]["status"] == "PICKED_UP"
    assert tale.mine("picked-up").json()["data"]["status"] == "PICKED_UP"
    assert tale.custody() == "ON_ROBOT"
    assert tale.drive()["payload"]["waypoint"]["name"] == "Return Station"
    tale.staff("complete")
    assert (tale.cause["status"], tale.custody()) == ("COMPLETED", "ON_SHELF")
    tale.staff("complete")
    with owner.connect() as connection:
        loans = connection.execute(text("SELECT returned_at, processed_at FROM loans")).one()
    assert None not in tuple(loans)


def test_a_return_is_called_off_before_the_robot_has_the_book_and_never_after(tale: Story) -> None:
    tale.lent()
    tale.ask_back()
    tale.run()
    tale.drive()
    assert tale.mine("cancel").json()["data"]["status"] == "CANCELLED"
    assert tale.custody() == "ON_LOAN"
    tale.ask_back()
    tale.run()
    tale.drive()
    tale.mine("picked-up")
    refused = tale.mine("cancel", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused)["allowed"] == ["ARRIVE", "FAIL"]
    assert code_of(tale.staff("cancel", 409)) == "INVALID_STATE_TRANSITION"


def test_anothers_return_is_not_there(tale: Story) -> None:
    tale.lent()
    tale.ask_back()
    other = users.student()
    tale.call(other, "GET", f"/returns/{tale.request['id']}", 404)
    tale.step(other, "picked-up", 404)
    tale.step(other, "cancel", 404)
    assert tale.get(other, "/returns") == []


def test_a_failed_return_with_the_book_on_board_is_closed_by_where_the_book_is(
    tale: Story,
) -> None:
    tale.lent()
    tale.ask_back()
    tale.run()
    tale.drive()
    tale.mine("picked-up")
    tale.staff("fail", reason="It fell", book_location="Lift 2")
    assert code_of(tale.staff("retry", 409)) == "CONFLICT"
    tale.staff("cancel", book_location="Return Station")
    assert (tale.cause["status"], tale.custody()) == ("COMPLETED", "ON_SHELF")
