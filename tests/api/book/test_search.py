"""Searching the catalogue: what is found, in which order, page by page."""

import pytest

from backend.shared.domain import custody
from backend.shared.infra import cache, database, redis
from tests.api.book.catalogue_client import Library


@pytest.fixture
def shelves(library: Library) -> Library:
    """A few titles that are easily mistaken for one another."""
    for title, author, more in (
        ("The Hunger Games", "Suzanne Collins", {"isbn": "0439023483", "publication_year": 2008}),
        ("The Hunger Games Companion", "Lois Gresh", {"publication_year": 2011}),
        ("Hunger", "Knut Hamsun", {"language": "no", "publication_year": 1890}),
        ("Catch-22", "Joseph Heller", {"publisher": "Simon & Schuster"}),
        ("Cien años de soledad", "Gabriel García Márquez", {"language": "es"}),
        ("A Life", "Suzanne Games", {"subjects": ["hunger"]}),
    ):
        given = {"publisher": None, "subjects": [], "language": "en", "isbn": None, **more}
        library.add(title=title, author=author, **given)
    return library


def test_the_exact_title_comes_first(shelves: Library) -> None:
    found = shelves.titles(q="the hunger games")
    assert found[0] == "The Hunger Games"
    assert shelves.titles(q="hunger")[0] == "Hunger"


def test_all_words_must_occur_wherever_they_stand(shelves: Library) -> None:
    assert shelves.titles(q="collins hunger") == ["The Hunger Games"]
    assert shelves.titles(q="collins catch") == []
    found = shelves.titles(q="hunger suzanne")
    assert found == ["The Hunger Games", "A Life"]  # a title says more than a subject


def test_the_beginning_of_the_last_word_is_enough(shelves: Library) -> None:
    assert shelves.titles(q="hunger compa") == ["The Hunger Games Companion"]


def test_accents_and_case_do_not_matter(shelves: Library) -> None:
    for q in ("anos de soledad", "AÑOS", "garcia marquez", "García Márquez"):
        assert shelves.titles(q=q) == ["Cien años de soledad"], q


def test_punctuation_parts_words_alike_on_both_sides(shelves: Library) -> None:
    for q in ("catch-22", "catch 22", "Catch‐22", "simon schuster"):
        assert shelves.titles(q=q) == ["Catch-22"], q


def test_an_isbn_finds_its_title_in_any_spelling(shelves: Library) -> None:
    for number in (
        *("0439023483", "0-439-02348-3", "9780439023481"),
        *("978-0-439-02348-1", "978 0 439 02348 1"),
    ):
        assert shelves.titles(q=number) == ["The Hunger Games"], number
        assert shelves.titles(isbn=number) == ["The Hunger Games"], number


def test_a_filter_keeps_what_it_names(shelves: Library) -> None:
    shelves.add(title="Other", publication_year=1995)
    for question, titles in (
        ({"author": "suzanne"}, {"The Hunger Games", "A Life"}),
        ({"author": "hunger"}, set()),
        ({"subject": "Hunger"}, {"A Life"}),
        ({"subject": "hung"}, set()),
        ({"publisher": "simon"}, {"Catch-22"}),
        ({"language": "no"}, {"Hunger"}),
        ({"year_from": 2008, "year_to": 2010}, {"The Hunger Games"}),
        ({"q": "hunger", "year_to": 1900}, {"Hunger"}),
        ({"isbn": "no isbn"}, set()),
        ({"status": "CHECKED_OUT"}, set()),
        ({"q": "???"}, set()),
    ):
        assert set(shelves.titles(**question)) == titles, question


def test_available_is_what_has_a_copy_on_the_shelf(library: Library) -> None:
    taken = library.add(title="Taken")
    library.add(title="Free", isbn=None)
    with database.transaction() as session:
        custody.reserve_any(session, taken["id"])
    assert library.titles(available=True) == ["Free"]
    assert library.titles(available=False) == ["Taken"]
    assert library.titles(status="RESERVED") == ["Taken"]


def test_nothing_a_person_types_is_a_bad_query(shelves: Library) -> None:
    for given in (
        "'; DROP TABLE books; --",
        "& | ! <-> :* ( ) ",
        "a:* & b'",
        "\\' \\\\",
        "%_%",
        "hunger\u0301\u202e\ufeff",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 😀",
        "(" * 300,
        "x" * 300,
        "http://a.b/c?d=e a@b.c -1.5e10 1/2",
        "٣٤ 東京 война",
    ):
        for name in ("q", "author", "publisher", "subject", "isbn", "language"):
            assert shelves.get("/books", **{name: given}).status_code == 200, (name, given)


def test_a_wrong_parameter_is_named(library: Library) -> None:
    for name, value in (
        ("q", "x\0y"),
        ("q", "x" * 301),
        ("year_from", "soon"),
        ("year_from", 10**20),
        ("available", "perhaps"),
        ("status", "GONE"),
        ("sort", "isbn"),
        ("order", "up"),
        ("limit", 101),
        ("limit", 0),
        ("page", 0),
    ):
        answer = library.get("/books", **{name: value})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
        assert list(answer.json()["error"]["details"]["fields"]) == [name]


def test_lists_are_sorted_as_asked(library: Library) -> None:
    for title, author, year in (("b", "a", None), ("A", "Z", 1999), ("C", "m", 1950)):
        library.add(title=title, author=author, publication_year=year, isbn=None)
    for sort, order, titles in (
        ("title", "asc", ["A", "b", "C"]),
        ("title", "desc", ["C", "b", "A"]),
        ("author", None, ["b", "C", "A"]),
        ("publication_year", "desc", ["A", "C", "b"]),
        ("created_at", "asc", ["b", "A", "C"]),
        (None, None, ["C", "A", "b"]),
    ):
        wanted = {name: value for name, value in (("sort", sort), ("order", order)) if value}
        assert library.titles(**wanted) == titles, wanted


def test_pages_are_complete_and_do_not_overlap(library: Library) -> None:
    for number in range(5):
        library.add(title=f"Book {number}", isbn=None)
    answer = library.get("/books", q="book", limit=2, page=3)
    wanted = {"page": 3, "limit": 2, "total": 5, "total_pages": 3}
    assert answer.json()["pagination"] == wanted
    pages = [library.titles(q="book", limit=2, page=page) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sorted(title for page in pages for title in page) == [
        f"Book {number}" for number in range(5)
    ]


def test_a_page_past_the_ten_thousandth_row_is_refused(library: Library) -> None:
    assert library.get("/books", page=100, limit=100).status_code == 200
    answer = library.get("/books", page=101, limit=100)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "PAGE_TOO_DEEP")


def test_a_search_is_remembered_until_the_catalogue_changes(shelves: Library) -> None:
    first = shelves.get("/books", q="hunger").json()
    keys = list(redis.client().scan_iter("search:*"))
    assert len(keys) == 1
    assert 800 < redis.client().ttl(keys[0]) <= 900
    again = shelves.get("/books", q="hunger").json()
    assert again["data"] == first["data"]
    assert again["meta"]["request_id"] != first["meta"]["request_id"]
    shelves.add(title="Hunger strikes", isbn=None)
    assert "Hunger strikes" in shelves.titles(q="hunger")


def test_a_remembered_title_is_forgotten_when_a_copy_moves(library: Library) -> None:
    book = library.add()
    assert library.read(book["id"])["status"] == "AVAILABLE"
    assert 500 < redis.client().ttl(cache.book_key(book["id"])) <= 600
    with database.transaction() as session:
        custody.reserve_any(session, book["id"])
    assert library.read(book["id"])["status"] == "RESERVED"


def test_an_answer_read_before_a_change_is_not_remembered_after_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone reads the title; before they store it, it changes and is forgotten."""
    from backend.book.service import cached_reads

    book = library.add()
    read = cached_reads.read_book

    def read_then_change(connection: object, book_id: object) -> object:
        found = read(connection, book_id)  # type: ignore[arg-type]  # passed through as it came
        monkeypatch.setattr(cached_reads, "read_book", read)
        library.change(book["id"], {"title": "Changed meanwhile"})
        return found

    monkeypatch.setattr(cached_reads, "read_book", read_then_change)
    assert library.read(book["id"])["title"] == book["title"]
    assert library.read(book["id"])["title"] == "Changed meanwhile"


def test_without_redis_the_catalogue_answers_all_the_same(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = library.add()
    monkeypatch.setattr(redis, "is_up", lambda: False)
    assert library.titles(q="mythical") == [book["title"]]
    assert library.read(book["id"])["id"] == book["id"]


def test_only_those_signed_in_may_search(library: Library) -> None:
    for path in ("/books", "/books/x", "/books?limit=x"):
        assert library.api.get(f"/api/v1{path}").status_code == 401
