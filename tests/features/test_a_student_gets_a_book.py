"""A student asks for a book; a librarian loads it; the robot brings it; the student takes it.

request → (dispatch) robot to the desk → book-placed → robot to the room → complete → loan.
Later the same book is fetched back: return → robot to the room → picked-up → robot to the return
station → complete → on the shelf again.
"""

from typing import Any

from tests import chain, library, people


def _task(api: Any, librarian: people.Person, task_id: str) -> Any:
    answer = api.get(f"/api/v1/deliveries/{task_id}", headers=librarian.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_book_comes_and_goes_back(api: Any) -> None:
    library.make_map()
    book = library.add_book()
    student, librarian = people.student(), people.librarian()
    robot = library.add_robot(api)

    made = api.post(
        "/api/v1/requests",
        json={"book_id": str(book), "request_location": "sr-201"},
        headers=student.headers,
    )
    assert made.status_code == 201, made.text
    request = made.json()["data"]
    assert request["status"] == "PENDING"
    assert request["request_location"] == "Study Room 201"
    task_id = request["task"]["id"]

    chain.run_events()
    assert _task(api, librarian, task_id)["stage"] == "TO_SOURCE"
    to_desk = robot.next()
    assert to_desk["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert to_desk["payload"]["loading_proof_id"] is None
    robot.drive(to_desk)
    chain.run_events()
    assert _task(api, librarian, task_id)["stage"] == "LOADING"
    assert robot.next() is None  # it waits for the book

    placed = api.put(f"/api/v1/deliveries/{task_id}/book-placed", headers=librarian.headers)
    assert placed.status_code == 200, placed.text
    to_room = robot.next()
    assert to_room["payload"]["waypoint"]["name"] == "Study Room 201"
    assert to_room["payload"]["loading_proof_id"] is not None
    robot.drive(to_room)
    chain.run_events()

    there = api.get(f"/api/v1/requests/{request['id']}", headers=student.headers).json()["data"]
    assert there["task"]["stage"] == "HANDOVER"
    assert len(there["handover_code"]) == 4
    done = api.put(f"/api/v1/requests/{request['id']}/complete", headers=student.headers)
    assert done.status_code == 200, done.text
    assert done.json()["data"]["status"] == "COMPLETED"

    chain.run_events()
    back = api.post(
        "/api/v1/returns",
        json={"book_id": str(book), "pickup_location": "Study Room 201"},
        headers=student.headers,
    )
    assert back.status_code == 201, back.text
    returned = back.json()["data"]
    chain.run_events()
    robot.drive(robot.next())
    chain.run_events()
    assert robot.next() is None
    picked = api.put(f"/api/v1/returns/{returned['id']}/picked-up", headers=student.headers)
    assert picked.status_code == 200, picked.text
    to_station = robot.next()
    assert to_station["payload"]["waypoint"]["name"] == "Return Station"
    robot.drive(to_station)
    chain.run_events()
    shelved = api.put(
        f"/api/v1/deliveries/{returned['task']['id']}/complete", headers=librarian.headers
    )
    assert shelved.status_code == 200, shelved.text
    assert shelved.json()["data"]["status"] == "COMPLETED"
    chain.run_events()
    told = api.get("/api/v1/notifications", headers=student.headers).json()
    assert told["pagination"]["total"] >= 6, told
