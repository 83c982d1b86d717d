"""Any sequence of steps at the desk and in the queue agrees with the model."""

import os
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text

from backend.shared.domain import invariants
from backend.shared.infra import clock, database
from tests import emptying, event_runner
from tests.api.circulation.circulation_model import Model
from tests.api.circulation.desk_client import Desk
from tests.factories import users

EXAMPLES = int(os.environ.get("LUNA_TEST_EXAMPLES", "5"))
_MEMBERS, _MAX_COPIES = 4, 4
_TITLES = 3  # that are imported
_STATE = """
    SELECT copy.barcode, copy.custody, loan.user_id AS borrower, loan.state, loan.renewals,
           hold.user_id AS kept_for
    FROM copies AS copy
    LEFT JOIN loans AS loan ON loan.copy_id = copy.id AND loan.returned_at IS NULL
    LEFT JOIN holds AS hold ON hold.copy_id = copy.id AND hold.status = 'READY'
    WHERE copy.book_id = :book
"""
_QUEUE = """
    SELECT user_id, suspended_until IS NOT NULL AS suspended FROM holds
    WHERE status = 'QUEUED' AND book_id = :book ORDER BY sequence
"""
_OTHERS = "SELECT title FROM books WHERE withdrawn_at IS NULL AND id <> :book"


class CirculationMachine(RuleBasedStateMachine):
    """One title, four members, one librarian."""

    def __init__(self, api: Any, owner: Engine) -> None:
        super().__init__()
        emptying.empty(owner, truncate=True)
        self.desk = Desk(api, copies=2)
        self.owner = owner
        self.members = [users.student() for _ in range(_MEMBERS)]
        self.barcodes = [self.desk.barcode(n) for n in range(2)]
        self.model = Model(2)

    def _send(self, user: users.SignedInUser, method: str, path: str, body: Any = None) -> int:
        answered = self.desk.api.request(method, f"/api/v1{path}", json=body, headers=user.headers)
        status: int = answered.status_code
        assert status < 500, answered.text
        return status

    def _open(self, member: int, kind: str, statuses: str) -> str | None:
        found = self.desk.call(self.members[member], "GET", f"/{kind}?limit=100")
        ids = [each["id"] for each in found if each.get("status") in statuses.split()]
        return ids[0] if ids else None

    @rule(member=st.integers(0, _MEMBERS - 1), copy=st.integers(0, _MAX_COPIES - 1))
    def borrow(self, member: int, copy: int) -> None:
        if copy >= self.model.copies:
            return
        allowed = self.model.can_borrow(member, copy)
        body = {"user_id": str(self.members[member].id), "copy_barcode": self.barcodes[copy]}
        status = self._send(self.desk.librarian, "POST", "/loans", body)
        assert status == (201 if allowed else 409)
        if allowed:
            self.model.borrow(member, copy)

    @rule(copy=st.integers(0, _MAX_COPIES - 1))
    def give_back(self, copy: int) -> None:
        if copy >= self.model.copies:
            return
        body = {"copy_barcode": self.barcodes[copy]}
        assert self._send(self.desk.librarian, "POST", "/loans/check-in", body) == 200
        self.model.give_back(copy)

    @rule(member=st.integers(0, _MEMBERS - 1))
    def place_hold(self, member: int) -> None:
        allowed = self.model.can_hold(member)
        body = {"book_id": str(self.desk.book)}
        status = self._send(self.members[member], "POST", "/holds", body)
        assert status == (201 if allowed else 409)
        if allowed:
            self.model.hold(member)

    @rule(member=st.integers(0, _MEMBERS - 1), resumes=st.booleans())
    def suspend_or_resume(self, member: int, resumes: bool) -> None:  # noqa: FBT001 (drawn by Hypothesis)
        hold = self._open(member, "holds", "QUEUED READY")
        if hold is None:
            return
        far = clock.now().replace(year=clock.now().year + 1)
        body = {"until": None if resumes else clock.iso(far)}
        status = self._send(self.members[member], "PUT", f"/holds/{hold}/suspend", body)
        assert status == (200 if member in self.model.queue else 409)
        if status == 200:
            (self.model.resume if resumes else self.model.suspend)(member)

    @rule(member=st.integers(0, _MEMBERS - 1))
    def cancel(self, member: int) -> None:
        hold = self._open(member, "holds", "QUEUED READY")
        if hold is not None:
            assert self._send(self.members[member], "DELETE", f"/holds/{hold}") == 200
            self.model.cancel(member)

    def _loan_of(self, copy: int) -> str:
        found = self.desk.call(self.desk.librarian, "GET", "/loans?limit=100")
        return next(
            str(each["id"])
            for each in found
            if each["barcode"] == self.barcodes[copy] and each["returned_at"] is None
        )

    @rule(
        copy=st.integers(0, _MAX_COPIES - 1),
        action=st.sampled_from(["lost", "claimed-returned", "found"]),
    )
    def handle_loan(self, copy: int, action: str) -> None:
        if copy not in self.model.loans:
            return
        path = f"/loans/{self._loan_of(copy)}/{action}"
        status = self._send(self.desk.librarian, "PUT", path)
        is_refused = action == "found" and self.model.loans[copy].state == "ACTIVE"
        assert status == (409 if is_refused else 200)
        if action == "found" and not is_refused:
            self.model.give_back(copy)
        elif action in {"lost", "claimed-returned"}:
            states = {"lost": "LOST", "claimed-returned": "CLAIMED_RETURNED"}
            self.model.report(copy, states[action])

    @rule(copy=st.integers(0, _MAX_COPIES - 1))
    def approach_due_date(self, copy: int) -> None:
        if copy in self.model.loans:
            tomorrow = {"due": clock.now() + timedelta(days=1), "loan": self._loan_of(copy)}
            with self.owner.begin() as connection:
                connection.execute(
                    text("UPDATE loans SET due_at = :due WHERE id = :loan"), tomorrow
                )
            self.model.approach_due_date(copy)

    @rule(copy=st.integers(0, _MAX_COPIES - 1), by_member=st.booleans())
    def renew(self, copy: int, by_member: bool) -> None:  # noqa: FBT001 (drawn by Hypothesis)
        if copy not in self.model.loans:
            return
        loan, allowed = self._loan_of(copy), self.model.can_renew(copy)
        borrower = self.members[self.model.loans[copy].member]
        user = borrower if by_member else self.desk.librarian
        assert self._send(user, "PUT", f"/loans/{loan}/renew") == (200 if allowed else 409)
        if allowed:
            self.model.renew(copy)

    @rule(numbers=st.sets(st.integers(0, _TITLES - 1), min_size=1), dry_run=st.booleans())
    def import_titles(self, numbers: set[int], dry_run: bool) -> None:  # noqa: FBT001 (drawn by Hypothesis)
        rows = [f"Duplicate {n},Ursula K. Le Guin,{n + 1970},1" for n in sorted(numbers)]
        content = "\n".join(["title,author,year,copies", *rows, ",Nobody,,"]).encode()
        headers = self.desk.librarian.headers
        answered = self.desk.api.post(
            "/api/v1/books/bulk-import",
            files={"file": ("books.csv", content, "text/csv")},
            data={"dry_run": str(dry_run).lower()},
            headers=headers,
        )
        assert answered.status_code == 202, answered.text
        event_runner.run_events()
        job = self.desk.call(self.desk.librarian, "GET", answered.headers["Location"][7:])
        new = len(numbers - self.model.imported)
        if not dry_run:
            assert self.model.import_titles(numbers) == new
        counts = [job[name] for name in ("created", "unchanged", "updated", "failed")]
        assert counts == [new, len(numbers) - new, 0, 1]

    @rule(
        number=st.integers(0, _TITLES - 1),
        borrower=st.none() | st.integers(0, _MEMBERS - 1),
        waiting=st.none() | st.integers(0, _MEMBERS - 1),
    )
    def merge(self, number: int, borrower: int | None, waiting: int | None) -> None:
        """Merge an imported title whose copy may be lent, and waited for by another member."""
        if number not in self.model.imported or self.model.copies >= _MAX_COPIES:
            return
        query = f'/books?exact=true&q="Duplicate {number}"'
        (book,) = self.desk.call(self.desk.librarian, "GET", query)
        path = f"/books/{book['id']}"
        (copy,) = self.desk.call(self.desk.librarian, "GET", f"{path}/copies")
        if borrower is not None:
            body = {"user_id": str(self.members[borrower].id), "book_id": book["id"]}
            assert self._send(self.desk.librarian, "POST", "/loans", body) == 201
        if borrower is None or waiting == borrower:
            waiting = None
        if waiting is not None:
            body = {"book_id": book["id"]}
            assert self._send(self.members[waiting], "POST", "/holds", body) == 201
        body = {"into": str(self.desk.book)}
        assert self._send(self.desk.librarian, "POST", f"{path}/merge", body) == 201
        led = self.desk.call(self.desk.librarian, "GET", path)
        assert led["merged_into"] == str(self.desk.book)
        self.barcodes.append(copy["barcode"])
        self.model.merge(number, borrower, waiting)

    @rule()
    def add_copy(self) -> None:
        if self.model.copies >= _MAX_COPIES:
            return
        path = f"/books/{self.desk.book}/copies"
        copy = self.desk.call(self.desk.librarian, "POST", path, 201, json={})
        self.barcodes.append(copy["barcode"])
        self.model.add_copy()

    @invariant()
    def agrees_with_the_model(self) -> None:
        numbers = {member.id: number for number, member in enumerate(self.members)}
        with database.reading_engine().connect() as connection:
            of = {"book": self.desk.book}
            rows = connection.execute(text(_STATE), of).all()
            queue = connection.execute(text(_QUEUE), of).all()
            others = set(connection.execute(text(_OTHERS), of).scalars())
            violated = invariants.find_violations(connection)
        assert violated == {}
        copies = {self.barcodes.index(row.barcode): row for row in rows}
        loans = {
            n: (numbers[row.borrower], row.state, row.renewals)
            for n, row in copies.items()
            if row.borrower
        }
        kept = {n: numbers[row.kept_for] for n, row in copies.items() if row.kept_for}
        assert loans == {
            n: (loan.member, loan.state, loan.renewals) for n, loan in self.model.loans.items()
        }
        assert others == {f"Duplicate {n}" for n in self.model.imported}
        assert set(kept.values()) == set(self.model.kept.values())
        assert len(kept) == len(self.model.kept)
        self.model.kept = kept  # which of several free copies is taken is not fixed
        assert [numbers[row.user_id] for row in queue] == self.model.queue
        assert {numbers[row.user_id] for row in queue if row.suspended} == self.model.suspended


def test_any_sequence_of_steps_agrees_with_the_model(api: Any, superuser: Engine) -> None:
    run_state_machine_as_test(
        lambda: CirculationMachine(api, superuser),  # type: ignore[arg-type]  # a function is a factory too
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
