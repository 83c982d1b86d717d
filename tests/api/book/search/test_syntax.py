"""Search syntax, typing errors, facets, suggestions, and why a title matches: what only reads."""

from typing import Any

import pytest

from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.search import search_library
from tests.api.book.search.search_library import search
from tests.factories import users


@pytest.fixture(scope="module")
def library(module_api: Any) -> CatalogueClient:
    """A small catalogue whose vocabulary is known."""
    catalogue = CatalogueClient(module_api, users.librarian(), users.student())
    search_library.fill(catalogue)
    return catalogue


@pytest.mark.parametrize(
    ("q", "title"),
    [
        ("the hunegr games", "The Hunger Games"),  # letters swapped
        ("hungr gams", "The Hunger Games"),  # letters missing, twice
        ("thehunger games", "The Hunger Games"),  # words joined
        ("rolwing chamber", "Harry Potter and the Chamber of Secrets"),
        ("garsia marquez soledad", "Cien años de soledad"),
        ("kafca prozess", "Der Prozess"),
        ("lan b", "Plan B"),
        ("harry poter and the chambr", "Harry Potter and the Chamber of Secrets"),
        ("harry pot ter chamber", "Harry Potter and the Chamber of Secrets"),  # words divided
        ("hung ergames", "The Hunger Games"),
    ],
)
def test_misspelt_search_finds_title(library: CatalogueClient, q: str, title: str) -> None:
    assert library.titles(q=q)[0] == title
    assert library.titles(q=q, exact=True) == []


def test_correction_is_reported_only_when_it_was_needed(library: CatalogueClient) -> None:
    assert search(library, q="the hunegr games")["did_you_mean"] == "the hunger games"
    for q in ("hunger", "the hung", "Hunger collins", "zzzz qqqq"):
        assert search(library, q=q)["did_you_mean"] is None, q
    assert search(library, q="the hunegr games", exact=True)["did_you_mean"] is None


@pytest.mark.parametrize(
    ("q", "titles"),
    [
        ('"the trial"', {"The Trial"}),
        ('"trial the"', set()),
        ("kafka -prozess", {"The Trial"}),
        ("kafka -title:trial", {"Der Prozess"}),
        ('kafka -"der prozess"', {"The Trial"}),
        ("author:hunger", set()),
        ("title:hunger", {"The Hunger Games", "Hunger"}),
        ("title:hunger author:collins", {"The Hunger Games"}),
        ("subject:magic", {"Harry Potter and the Chamber of Secrets", "Cien años de soledad"}),
        ("subject:magic lang:es", {"Cien años de soledad"}),
        ("publisher:schocken", {"The Trial"}),
        ('publisher:"simon schuster"', {"Catch-22"}),
        ("year:1925", {"Der Prozess", "The Trial"}),
        ("kafka year:1925..", {"Der Prozess", "The Trial"}),
        ("year:..1900", {"Hunger"}),
        ("isbn:0-439-02348-3", {"The Hunger Games"}),
        ("ISBN-13: 978-0-439-02348-1", {"The Hunger Games"}),
        ("urn:isbn:9780439023481", {"The Hunger Games"}),
        ("978 0 439 02348 1", {"The Hunger Games"}),
        ("978\u20110\u2011439\u201102348\u20111", {"The Hunger Games"}),
        ("978.0.439.02348.1", {"The Hunger Games"}),
        ("ISBN10: 0439023483", {"The Hunger Games"}),
        ("isbn=0 439 02348 3", {"The Hunger Games"}),
        ("439023483", {"The Hunger Games"}),  # a spreadsheet dropped the zero
        ("der -prozess-", {"Der Prozess"}),
    ],
)
def test_search_syntax_restricts(library: CatalogueClient, q: str, titles: set[str]) -> None:
    assert set(library.titles(q=q)) == titles


@pytest.mark.parametrize(
    "q",
    [
        *(
            '"',
            '""',
            '"open',
            "-",
            "--x",
            '-"',
            "author:",
            "author:-",
            "year:x",
            "year:..",
            "isbn:",
        ),
        *("year:99999", 'title:"', "a:b:c", ":", "::", "-author:", "'\\'", "\\", "%", "_", "a_b%"),
        *("& | ! <-> :*", "year:-5..5", "()", "x" * 300, "😀 -😀", "١٢٣", "- - -", "lang:"),
    ],
)
def test_odd_syntax_is_no_error(library: CatalogueClient, q: str) -> None:
    for more in ({}, {"facets": True}, {"exact": True}, {"sort": "title"}):
        search(library, q=q, **more)
    assert library.get("/books/suggest", q=q).status_code == 200


def test_matching_fields_are_named(library: CatalogueClient) -> None:
    def fields(q: str) -> list[tuple[str, str]]:
        first = search(library, q=q)["data"][0]
        return [(match["field"], match["text"]) for match in first["match"]]

    assert fields("hunger collins") == [
        ("title", "The Hunger Games"),
        ("author", "Suzanne Collins"),
    ]
    assert fields("garcia") == [("author", "Gabriel García Márquez")]
    assert fields("hungre games")[0] == ("title", "The Hunger Games")
    assert fields("magic soledad") == [("title", "Cien años de soledad"), ("subjects", "magic")]
    assert fields("978-0-439-02348-1") == [("isbn", "9780439023481")]
    assert all(book["match"] == [] for book in search(library)["data"])


def test_facets_count_the_matches_without_their_own_filter(library: CatalogueClient) -> None:
    def facets(**params: Any) -> dict[str, dict[str, int]]:
        found = search(library, facets=True, **params)["facets"]
        return {
            facet["name"]: {value["value"]: value["count"] for value in facet["values"]}
            for facet in found
        }

    every = facets()
    assert every["language"] == {"en": 5, "de": 1, "es": 1, "no": 1}
    assert every["subject"] == {"magic": 2}
    assert every["decade"] == {"1990": 4, "1920": 2, "1890": 1, "2000": 1}
    assert every["available"] == {"true": 8}
    assert every["author"]["Franz Kafka"] == 2
    kafka = facets(q="kafka", language="de")
    assert kafka["language"] == {"de": 1, "en": 1}
    assert (kafka["decade"], kafka["publisher"]) == ({"1920": 1}, {})
    assert "facets" not in search(library, q="kafka")


def test_suggestions_complete_titles_authors_and_subjects(library: CatalogueClient) -> None:
    def suggest(q: str, **params: Any) -> list[tuple[str, str]]:
        response = library.get("/books/suggest", q=q, **params)
        assert response.status_code == 200
        return [(row["kind"], row["text"]) for row in response.json()["data"]]

    assert suggest("hun") == [("TITLE", "Hunger")]
    assert suggest("the h") == [("TITLE", "The Hunger Games")]
    assert suggest("franz") == [("AUTHOR", "Franz Kafka")]
    assert suggest("gabriel gar") == [("AUTHOR", "Gabriel García Márquez")]
    assert suggest("mag") == [("SUBJECT", "magic")]
    assert ("AUTHOR", "Franz Kafka") in suggest("kafka")
    assert ("AUTHOR", "Joseph Heller") in suggest("josph heller")
    assert suggest("  ") == suggest("???") == []
    assert len(suggest("the", limit=1)) == 1
    book = library.get("/books/suggest", q="hunger").json()["data"][0]
    assert library.read(book["book_id"])["title"] == "Hunger"
