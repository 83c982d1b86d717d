"""The catalogue's API in words: what a librarian does to it and what a student sees of it."""

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


def without_isbn(**changes: Any) -> dict[str, Any]:
    return {**BOOK, "isbn": None, **changes}


@dataclass
class Library:
    api: Any
    librarian: SignedInUser
    student: SignedInUser

    def add(self, **changes: Any) -> dict[str, Any]:
        """A new title, as the answer tells it."""
        answer = self.create({**BOOK, **changes})
        assert answer.status_code == 201, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def create(self, body: Any, **headers: str) -> Any:
        return self.api.post("/api/v1/books", json=body, headers=self._staff(headers))

    def change(self, book_id: str, body: Any, **headers: str) -> Any:
        return self.api.put(f"/api/v1/books/{book_id}", json=body, headers=self._staff(headers))

    def delete(self, path: str) -> Any:
        return self.api.delete(f"/api/v1{path}", headers=self.librarian.headers)

    def staff_get(self, path: str, **params: Any) -> Any:
        return self.api.get(f"/api/v1{path}", params=params, headers=self.librarian.headers)

    def get(self, path: str, **params: Any) -> Any:
        """As the student."""
        return self.api.get(f"/api/v1{path}", params=params, headers=self.student.headers)

    def read(self, book_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self.get(f"/books/{book_id}").json()["data"]
        return data

    def titles(self, **question: Any) -> list[str]:
        """The titles that answer a question, in their order."""
        answer = self.get("/books", **question)
        assert answer.status_code == 200, answer.text
        return [book["title"] for book in answer.json()["data"]]

    def _staff(self, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {**self.librarian.headers, **named}
