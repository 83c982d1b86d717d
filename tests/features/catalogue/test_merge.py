"""Join a title that is in the catalogue twice, and take it back.

merge → copies, loans and holds of the duplicate belong to the other title, its address leads
there → undo → the duplicate has them back.

SQLAlchemy moves the rows in one transaction and records which ones, PostgreSQL locks both titles,
Redis forgets the cached pages, FastAPI answers the old address with the other title.
"""

from tests.factories import catalogue
from tests.scenario import Scenario


def test_merged_title_leads_to_the_other_until_the_merge_is_undone(scenario: Scenario) -> None:
    duplicate = catalogue.add_book("The Left Hand of Darkness (again)", copies=2)
    before = scenario.get(scenario.student, f"/books/{scenario.book}")
    body = {"into": str(scenario.book)}
    path = f"/books/{duplicate}/merge"
    merge = scenario.call(scenario.librarian, "POST", path, 201, json=body).json()["data"]

    led = scenario.get(scenario.student, f"/books/{duplicate}")
    assert (led["id"], led["merged_into"]) == (str(scenario.book), str(scenario.book))
    assert led["copies_total"] == before["copies_total"] + 2

    scenario.call(scenario.librarian, "DELETE", f"/books/merges/{merge['id']}")
    for book, copies in ((duplicate, 2), (scenario.book, before["copies_total"])):
        shown = scenario.get(scenario.student, f"/books/{book}")
        assert (shown["id"], shown["copies_total"]) == (str(book), copies)
