"""Duplicates are joined and separated again; copies, loans and holds are kept."""

from typing import Any

from backend.shared.domain import invariants
from backend.shared.infra import database
from tests.api.circulation.desk_client import Desk
from tests.factories import catalogue, users


def _check_invariants() -> None:
    with database.reading_engine().connect() as connection:
        assert invariants.find_violations(connection) == {}


def _merge(desk: Desk, book: Any, into: Any, expect: int = 201) -> Any:
    path = f"/books/{book}/merge"
    return desk.call(desk.librarian, "POST", path, expect, json={"into": str(into)})


def test_merged_title_leads_to_the_other_and_can_be_restored(desk: Desk) -> None:
    duplicate = catalogue.add_book("The Left Hand of Darkness, again", copies=2)
    loan = desk.check_out(book_id=str(duplicate))
    merge = _merge(desk, duplicate, desk.book)
    assert len(merge["copies"]) == 2
    led = desk.call(desk.member, "GET", f"/books/{duplicate}")
    assert (led["id"], led["merged_into"]) == (str(desk.book), str(desk.book))
    assert (led["copies_total"], led["copies_available"]) == (3, 2)
    assert desk.loan(loan)["book_id"] == str(desk.book)
    _check_invariants()
    for _ in range(2):  # a repeat changes nothing
        desk.call(desk.librarian, "DELETE", f"/books/merges/{merge['id']}")
    restored = desk.call(desk.member, "GET", f"/books/{duplicate}")
    assert (restored["id"], restored["copies_total"]) == (str(duplicate), 2)
    assert desk.call(desk.member, "GET", f"/books/{desk.book}")["copies_total"] == 1
    assert desk.loan(loan)["book_id"] == str(duplicate)
    _check_invariants()


def test_merge_joins_the_queues_and_serves_them(desk: Desk) -> None:
    desk.check_out()
    first, second = users.student(), users.student()
    hold = desk.place_hold(first)
    duplicate = catalogue.add_book("Duplicate", copies=1)
    desk.check_out(users.student(), book_id=str(duplicate))
    other = desk.place_hold(second, book_id=str(duplicate))
    both = desk.place_hold(first, book_id=str(duplicate))
    merge = _merge(desk, duplicate, desk.book)
    assert (desk.hold(hold)["position"], desk.hold(other)["position"]) == (1, 2)
    assert desk.hold(both)["status"] == "CANCELLED"
    desk.call(desk.librarian, "DELETE", f"/books/merges/{merge['id']}")
    assert desk.hold(other)["book_id"] == str(duplicate)
    _check_invariants()


def test_free_copy_of_a_duplicate_serves_the_queue_of_the_other(desk: Desk) -> None:
    desk.check_out()
    hold = desk.place_hold(users.student())
    duplicate = catalogue.add_book("Duplicate", copies=1)
    _merge(desk, duplicate, desk.book)
    assert desk.hold(hold)["status"] == "READY"
    _check_invariants()


def test_merge_is_refused_into_itself_or_nothing(desk: Desk) -> None:
    _merge(desk, desk.book, desk.book, 422)
    _merge(desk, desk.book, desk.member.id, 404)
    desk.call(desk.librarian, "DELETE", f"/books/merges/{desk.book}", 404)
