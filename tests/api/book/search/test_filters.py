"""Search: matches, ranking, filters, sorting, pages and caching."""

import pytest

from backend.shared.domain.circulation import custody
from backend.shared.infra import cache, database, redis
from tests.api.book.catalogue_client import CatalogueClient


@pytest.fixture
def similar_titles(catalogue: CatalogueClient) -> CatalogueClient:
    """Titles that share words."""
    for title, author, more in (
        ("The Hunger Games", "Suzanne Collins", {"isbn": "0439023483", "publication_year": 2008}),
        ("The Hunger Games Companion", "Lois Gresh", {"publication_year": 2011}),
        ("Hunger", "Knut Hamsun", {"language": "no", "publication_year": 1890}),
        ("Catch-22", "Joseph Heller", {"publisher": "Simon & Schuster"}),
        ("Cien años de soledad", "Gabriel García Márquez", {"language": "es"}),
        ("A Life", "Suzanne Games", {"subjects": ["hunger"]}),
    ):
        given = {"publisher": None, "subjects": [], "language": "en", "isbn": None, **more}
        catalogue.add(title=title, author=author, **given)
    return catalogue


def test_exact_title_ranks_first(similar_titles: CatalogueClient) -> None:
    found = similar_titles.titles(q="the hunger games")
    assert found[0] == "The Hunger Games"
    assert similar_titles.titles(q="hunger")[0] == "Hunger"


def test_all_words_must_match_in_any_field(similar_titles: CatalogueClient) -> None:
    assert similar_titles.titles(q="collins hunger") == ["The Hunger Games"]
    assert similar_titles.titles(q="collins catch") == []
    found = similar_titles.titles(q="hunger suzanne")
    assert found == ["The Hunger Games", "A Life"]  # a title weighs more than a subject


def test_last_word_matches_as_prefix(similar_titles: CatalogueClient) -> None:
    assert similar_titles.titles(q="hunger compa") == ["The Hunger Games Companion"]


def test_search_ignores_accents_and_case(similar_titles: CatalogueClient) -> None:
    for q in ("anos de soledad", "AÑOS", "garcia marquez", "García Márquez"):
        assert similar_titles.titles(q=q) == ["Cien años de soledad"], q


def test_punctuation_separates_words(similar_titles: CatalogueClient) -> None:
    for q in ("catch-22", "catch 22", "Catch‐22", "simon schuster"):
        assert similar_titles.titles(q=q) == ["Catch-22"], q


def test_isbn_matches_in_any_spelling(similar_titles: CatalogueClient) -> None:
    for number in (
        *("0439023483", "0-439-02348-3", "9780439023481"),
        *("978-0-439-02348-1", "978 0 439 02348 1"),
    ):
        assert similar_titles.titles(q=number) == ["The Hunger Games"], number
        assert similar_titles.titles(isbn=number) == ["The Hunger Games"], number


def test_filters_select_matching_titles(similar_titles: CatalogueClient) -> None:
    similar_titles.add(title="Other", publication_year=1995)
    for params, titles in (
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
        assert set(similar_titles.titles(**params)) == titles, params


def test_available_filter_selects_titles_with_copy_on_shelf(catalogue: CatalogueClient) -> None:
    taken = catalogue.add(title="Taken")
    catalogue.add(title="Free", isbn=None)
    with database.transaction() as session:
        custody.reserve_any(session, taken["id"])
    assert catalogue.titles(available=True) == ["Free"]
    assert catalogue.titles(available=False) == ["Taken"]
    assert catalogue.titles(status="RESERVED") == ["Taken"]


def test_any_text_is_a_valid_query(similar_titles: CatalogueClient) -> None:
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
            assert similar_titles.get("/books", **{name: given}).status_code == 200, (name, given)


def test_invalid_parameter_is_refused_by_name(catalogue: CatalogueClient) -> None:
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
        response = catalogue.get("/books", **{name: value})
        assert (response.status_code, response.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
        assert list(response.json()["error"]["details"]["fields"]) == [name]


def test_list_is_sorted_by_sort_and_order(catalogue: CatalogueClient) -> None:
    for title, author, year in (("b", "a", None), ("A", "Z", 1999), ("C", "m", 1950)):
        catalogue.add(title=title, author=author, publication_year=year, isbn=None)
    for sort, order, titles in (
        ("title", "asc", ["A", "b", "C"]),
        ("title", "desc", ["C", "b", "A"]),
        ("author", None, ["b", "C", "A"]),
        ("publication_year", "desc", ["A", "C", "b"]),
        ("created_at", "asc", ["b", "A", "C"]),
        (None, None, ["C", "A", "b"]),
    ):
        params = {name: value for name, value in (("sort", sort), ("order", order)) if value}
        assert catalogue.titles(**params) == titles, params


def test_pages_are_complete_and_do_not_overlap(catalogue: CatalogueClient) -> None:
    for number in range(5):
        catalogue.add(title=f"Book {number}", isbn=None)
    response = catalogue.get("/books", q="book", limit=2, page=3)
    pagination = {"page": 3, "limit": 2, "total": 5, "total_pages": 3, "next_cursor": None}
    assert response.json()["pagination"] == pagination
    pages = [catalogue.titles(q="book", limit=2, page=page) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sorted(title for page in pages for title in page) == [
        f"Book {number}" for number in range(5)
    ]


def test_page_past_ten_thousandth_row_is_refused(catalogue: CatalogueClient) -> None:
    assert catalogue.get("/books", page=100, limit=100).status_code == 200
    response = catalogue.get("/books", page=101, limit=100)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "PAGE_TOO_DEEP")


def test_search_is_cached_until_catalogue_changes(similar_titles: CatalogueClient) -> None:
    first = similar_titles.get("/books", q="hunger").json()
    keys = list(redis.client().scan_iter("search:*"))
    assert len(keys) == 1
    assert 800 < redis.client().ttl(keys[0]) <= 900
    again = similar_titles.get("/books", q="hunger").json()
    assert again["data"] == first["data"]
    assert again["meta"]["request_id"] != first["meta"]["request_id"]
    similar_titles.add(title="Hunger strikes", isbn=None)
    assert "Hunger strikes" in similar_titles.titles(q="hunger")


def test_cached_title_is_invalidated_when_copy_changes_custody(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    assert catalogue.read(book["id"])["status"] == "AVAILABLE"
    assert 500 < redis.client().ttl(cache.book_key(book["id"])) <= 600
    with database.transaction() as session:
        custody.reserve_any(session, book["id"])
    assert catalogue.read(book["id"])["status"] == "RESERVED"


def test_read_racing_with_change_is_not_cached(
    catalogue: CatalogueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The title changes between a read and its cache write."""
    from backend.book.service import cached_reads

    book = catalogue.add()
    read = cached_reads.read_book

    def read_then_change(connection: object, book_id: object) -> object:
        found = read(connection, book_id)  # type: ignore[arg-type]  # passed through as it came
        monkeypatch.setattr(cached_reads, "read_book", read)
        catalogue.change(book["id"], {"title": "Changed meanwhile"})
        return found

    monkeypatch.setattr(cached_reads, "read_book", read_then_change)
    assert catalogue.read(book["id"])["title"] == book["title"]
    assert catalogue.read(book["id"])["title"] == "Changed meanwhile"


def test_catalogue_works_without_redis(
    catalogue: CatalogueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = catalogue.add()
    monkeypatch.setattr(redis, "is_up", lambda: False)
    assert catalogue.titles(q="mythical") == [book["title"]]
    assert catalogue.read(book["id"])["id"] == book["id"]


def test_search_requires_authentication(catalogue: CatalogueClient) -> None:
    for path in ("/books", "/books/x", "/books?limit=x"):
        assert catalogue.api.get(f"/api/v1{path}").status_code == 401
