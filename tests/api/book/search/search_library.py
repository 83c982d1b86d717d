"""A small catalogue for searches, whose vocabulary is known."""

from typing import Any

from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient

TITLES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("The Hunger Games", "Suzanne Collins", {"isbn": "0439023483", "publication_year": 2008}),
    ("Harry Potter and the Chamber of Secrets", "J.K. Rowling", {"subjects": ["magic"]}),
    ("Hunger", "Knut Hamsun", {"language": "no", "publication_year": 1890}),
    ("Cien años de soledad", "Gabriel García Márquez", {"language": "es", "subjects": ["magic"]}),
    ("Der Prozess", "Franz Kafka", {"language": "de", "publication_year": 1925}),
    ("The Trial", "Franz Kafka", {"publication_year": 1925, "publisher": "Schocken Books"}),
    ("Plan B", "Anne Lamott", {}),
    ("Catch-22", "Joseph Heller", {"publisher": "Simon & Schuster"}),
)


def fill(catalogue: CatalogueClient) -> None:
    """Add the titles."""
    for title, author, more in TITLES:
        given = {"publisher": None, "subjects": [], "language": "en", "isbn": None, **more}
        catalogue.add(title=title, author=author, **{"publication_year": 1990, **given})
    event_runner.run_periodic("catalog.refresh_vocabulary")


def search(library: CatalogueClient, **params: Any) -> dict[str, Any]:
    response = library.get("/books", **params)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body
