"""A client of the catalogue API, as a librarian and as a student."""

from dataclasses import dataclass
from typing import Any

from tests.factories.users import SignedInUser

BOOK: dict[str, Any] = {
    "title": "The Mythical Man-Month",
    "author": "Frederick P. Brooks",
    "isbn": "0-201-83595-9",
    "publisher": "Addison-Wesley",
    "publication_year": 1995,
    "language": "en",
    "subjects": ["software engineering", "project management"],
    "shelf_location": "A-01-6",
}


def body_without_isbn(**changes: Any) -> dict[str, Any]:
    return {**BOOK, "isbn": None, **changes}


@dataclass
class CatalogueClient:
    api: Any
    librarian: SignedInUser
    student: SignedInUser

    def add(self, **changes: Any) -> dict[str, Any]:
        """Create a book and return it."""
        response = self.create({**BOOK, **changes})
        assert response.status_code == 201, response.text
        data: dict[str, Any] = response.json()["data"]
        return data

    def create(self, body: Any, **headers: str) -> Any:
        return self.api.post("/api/v1/books", json=body, headers=self._librarian_headers(headers))

    def change(self, book_id: str, body: Any, **headers: str) -> Any:
        return self.api.put(
            f"/api/v1/books/{book_id}", json=body, headers=self._librarian_headers(headers)
        )

    def delete(self, path: str) -> Any:
        return self.api.delete(f"/api/v1{path}", headers=self.librarian.headers)

    def staff_get(self, path: str, **params: Any) -> Any:
        return self.api.get(f"/api/v1{path}", params=params, headers=self.librarian.headers)

    def get(self, path: str, **params: Any) -> Any:
        """Send a GET request as the student."""
        return self.api.get(f"/api/v1{path}", params=params, headers=self.student.headers)

    def read(self, book_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self.get(f"/books/{book_id}").json()["data"]
        return data

    def titles(self, **params: Any) -> list[str]:
        """Return the titles of a search result, in order."""
        response = self.get("/books", **params)
        assert response.status_code == 200, response.text
        return [book["title"] for book in response.json()["data"]]

    def _librarian_headers(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {**self.librarian.headers, **named}
