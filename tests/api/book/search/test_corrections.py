"""Search: corrections and suggestions follow the catalogue."""

import pytest
from sqlalchemy import Engine

from backend.book.search import spelling, vocabulary
from backend.shared.infra import database
from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.search import search_library
from tests.api.book.search.search_library import search


@pytest.fixture
def library(catalogue: CatalogueClient) -> CatalogueClient:
    """A small catalogue whose vocabulary is known."""
    search_library.fill(catalogue)
    return catalogue


@pytest.mark.parametrize(
    ("q", "title"),
    [
        ("the trail", "The Trial"),  # "trail" is a word of another title
        ("the tr ial", "The Trial"),
        ("pan b", "Plan B"),
    ],
)
def test_title_misspelt_as_another_word_is_found(
    library: CatalogueClient, q: str, title: str
) -> None:
    library.add(title="Peter Pan and Tinker Bell on the long trail", author="A", isbn=None)
    library.add(title="The tr and ial", author="A", isbn=None)
    event_runner.run_periodic("catalog.refresh_vocabulary")
    assert title in library.titles(q=q)
    assert title not in library.titles(q=q, exact=True)
    assert search(library, q=q)["did_you_mean"] is None


def test_new_title_is_found_misspelt_before_the_vocabulary_knows_it(
    library: CatalogueClient,
) -> None:
    library.add(title="Middlemarch", author="George Eliot", isbn=None)
    assert library.titles(q="midlemarch") == ["Middlemarch"]


def test_vocabulary_follows_the_catalogue(library: CatalogueClient) -> None:
    library.add(title="Xylophone", author="A", isbn=None)
    event_runner.run_periodic("catalog.refresh_vocabulary")
    assert search(library, q="xilophon")["did_you_mean"] == "xylophone"
    with database.transaction() as session:
        vocabulary.refresh(session)
        assert vocabulary.refresh_if_stale(session) is True  # titles of the last minute


def test_suggestions_follow_the_catalogue(library: CatalogueClient) -> None:
    before = library.get("/books/suggest", q="hung").json()["data"]
    library.add(title="Hungry Ghosts", author="B", isbn=None)
    after = library.get("/books/suggest", q="hung").json()["data"]
    assert [row["text"] for row in after if row not in before] == ["Hungry Ghosts"]


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xbc", 1),
     ("kitten", "sitting", 3), ("abcd", "wxyz", 4), ("short", "muchlonger", 4)],
)  # fmt: skip
def test_edits_are_counted_up_to_a_limit(one: str, other: str, count: int) -> None:
    assert spelling.edits(one, other, 3) == min(count, 4)


def test_look_up_after_an_import_does_not_read_every_new_word(
    clean: None, superuser: Engine
) -> None:
    words = (
        "INSERT INTO search_words"
        " SELECT left(md5(n::text), 12), 1 FROM generate_series(1, 9000) AS n"
    )
    look_up = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT FROM search_words WHERE word % 'zzzz'"
    with superuser.begin() as connection:
        connection.exec_driver_sql(words)
        # only the index of similar words is tried, whatever is known of their number
        connection.exec_driver_sql(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off;"
            "SET LOCAL enable_indexonlyscan = off"
        )
        (explained,) = connection.exec_driver_sql(look_up.replace("%", "%%")).scalars()
    assert explained[0]["Plan"]["Shared Hit Blocks"] < 20
