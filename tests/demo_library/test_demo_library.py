"""The services accept the demo library's catalogue and accounts."""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest
from email_validator import validate_email
from stdnum import isbn

FOLDER = Path(__file__).resolve().parents[2] / "ops" / "demo" / "library"
FIRST_PRINTED_BOOK = 1454


class Book(TypedDict):
    title: str
    subtitle: NotRequired[str]
    author: str
    publication_year: int
    publisher: str
    isbn: NotRequired[str]
    language: str
    subjects: list[str]
    description: str
    call_number: str
    shelf_location: str
    copies: int


class Account(TypedDict):
    email: str
    password: str
    first_name: str
    last_name: str
    role: str
    phone_number: NotRequired[str]


BOOKS: list[Book] = json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8"))["books"]
ACCOUNTS: list[Account] = json.loads((FOLDER / "accounts.json").read_text(encoding="utf-8"))
TITLE = "{0[title]}".format


def test_catalogue_has_several_languages_and_single_copies() -> None:
    assert len(BOOKS) >= 100
    languages = Counter(book["language"] for book in BOOKS)
    assert {"en", "tr", "de", "fr", "es", "ja"} <= languages.keys()
    assert sum(book["copies"] == 1 for book in BOOKS) >= 10, "titles with a single copy"


def test_works_isbns_and_shelves_are_unique() -> None:
    works = [(book["title"].casefold(), book["author"].casefold()) for book in BOOKS]
    assert len(works) == len(set(works))
    numbers = [book["isbn"] for book in BOOKS if "isbn" in book]
    assert len(numbers) == len(set(numbers))
    places = [book["shelf_location"] for book in BOOKS]
    assert len(places) == len(set(places))


def test_every_isbn_is_a_valid_isbn13() -> None:
    for book in BOOKS:
        if "isbn" in book:
            assert isbn.validate(book["isbn"]) == book["isbn"], book["title"]
            assert isbn.isbn_type(book["isbn"]) == "ISBN13", book["title"]


def test_only_books_since_1961_have_an_isbn() -> None:
    assert all(book["publication_year"] >= 1961 for book in BOOKS if "isbn" in book)
    assert sum("isbn" not in book for book in BOOKS) >= 20


@pytest.mark.parametrize("book", BOOKS, ids=TITLE)
def test_every_book_has_valid_fields(book: Book) -> None:
    assert book["title"].strip() == book["title"] != ""
    assert book["author"]
    assert book["publisher"]
    assert FIRST_PRINTED_BOOK <= book["publication_year"] <= 2026
    assert re.fullmatch(r"[a-z]{2}", book["language"])
    assert 2 <= len(set(book["subjects"])) == len(book["subjects"]) <= 5
    assert 30 <= len(book["description"]) <= 300
    assert re.fullmatch(r"\d{3}(\.\d+)? [A-Z]{3}", book["call_number"])
    assert re.fullmatch(r"[A-HJ-M]-\d{2}-[1-9]", book["shelf_location"])
    assert 1 <= book["copies"] <= 4


def test_shelves_are_ordered_by_call_number() -> None:
    for shelf in {book["shelf_location"][0] for book in BOOKS}:
        here = [book for book in BOOKS if book["shelf_location"][0] == shelf]
        here.sort(key=lambda book: book["call_number"])
        bays = [book["shelf_location"].split("-")[1] for book in here]
        assert all(left <= right for left, right in pairwise(bays)), shelf


def test_accounts_exist_for_every_role() -> None:
    roles = Counter(account["role"] for account in ACCOUNTS)
    assert roles == {"ADMIN": 1, "LIBRARIAN": 2, "STUDENT": 4}
    assert len({account["email"].casefold() for account in ACCOUNTS}) == len(ACCOUNTS)


@pytest.mark.parametrize("account", ACCOUNTS, ids="{0[email]}".format)
def test_every_account_satisfies_the_registration_rules(account: Account) -> None:
    email = validate_email(account["email"], check_deliverability=False)
    assert email.domain == "luna.example"
    password = account["password"]
    assert 8 <= len(password) <= 128
    assert re.search(r"[A-Za-z]", password)
    assert re.search(r"\d", password)
    assert re.search(r"[^A-Za-z0-9\s]", password)
    assert email.local_part.casefold() not in password.casefold()
    assert account["first_name"]
    assert account["last_name"]
    assert re.fullmatch(r"\+[\d ]{8,20}", account.get("phone_number", "+90 555 010 0000"))
