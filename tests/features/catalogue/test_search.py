"""Search the catalogue.

GET /books?q=… → words become a PostgreSQL text search query → ranked page of titles → a copy in
Redis answers the same search again until a title changes.

PostgreSQL searches and ranks (tsvector, unaccent), SQLAlchemy Core builds the statement, Redis
caches the response, FastAPI validates the parameters.
"""

from tests.scenario import Scenario


def _titles(scenario: Scenario, query: str) -> list[str]:
    found = scenario.get(scenario.student, f"/books?{query}")
    return [book["title"] for book in found]


def test_student_finds_a_title_by_author_and_word_without_accents(scenario: Scenario) -> None:
    body = {"title": "Cien años de soledad", "author": "Gabriel García Márquez", "language": "es"}
    scenario.call(scenario.librarian, "POST", "/books", 201, json=body)
    assert _titles(scenario, "q=garcia anos") == ["Cien años de soledad"]
    assert _titles(scenario, "language=es") == ["Cien años de soledad"]
    assert _titles(scenario, "q=left hand") == ["The Left Hand of Darkness"]
