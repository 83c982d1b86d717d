"""Return, hold, cancel and check-out of one title at the same time: the invariants hold."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from backend.shared.domain import invariants
from backend.shared.infra import database
from tests.api.circulation.desk_client import Desk
from tests.factories import users

_ROUNDS = int(os.environ.get("LUNA_TEST_RACES", "25"))
_SEED = int(os.environ.get("LUNA_TEST_SEED", "20261121"))
_AT_ONCE = 8


def _violations() -> dict[str, list[dict[str, Any]]]:
    with database.reading_engine().connect() as connection:
        return invariants.find_violations(connection)


def test_return_hold_and_cancel_at_once_keep_the_invariants(api: Any) -> None:
    """Rounds of eight calls; a refusal (409, 503) is an answer, a 500 is not."""
    desk = Desk(api, copies=2)
    members = [users.student() for _ in range(4)]
    choose = random.Random(_SEED)

    def borrow() -> int:
        member = choose.choice(members)
        body = {"user_id": str(member.id), "book_id": str(desk.book)}
        return _status(desk, desk.librarian, "POST", "/loans", body)

    def give_back() -> int:
        body = {"copy_barcode": desk.barcode(choose.randrange(2))}
        return _status(desk, desk.librarian, "POST", "/loans/check-in", body)

    def queue() -> int:
        return _status(desk, choose.choice(members), "POST", "/holds", {"book_id": str(desk.book)})

    def cancel() -> int:
        member = choose.choice(members)
        headers = member.headers
        mine = desk.api.get("/api/v1/holds", headers=headers).json()["data"]
        if not mine:
            return 200
        path = f"/api/v1/holds/{mine[0]['id']}"
        status: int = desk.api.delete(path, headers=headers).status_code
        return status

    steps: list[Callable[[], int]] = [borrow, borrow, give_back, give_back, queue, queue, cancel]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in range(_ROUNDS):
            calls = [pool.submit(choose.choice(steps)) for _ in range(_AT_ONCE)]
            statuses = {call.result() for call in calls}
            assert statuses <= {200, 201, 409, 503}
            assert _violations() == {}


def _status(desk: Desk, user: users.SignedInUser, method: str, path: str, body: Any) -> int:
    answered = desk.api.request(method, f"/api/v1{path}", json=body, headers=user.headers)
    status: int = answered.status_code
    return status
