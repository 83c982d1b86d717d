"""Map a MARC21 record to the fields of a title, and a title to a MARC21 record."""

import re
from collections.abc import Iterable
from typing import Any

from pymarc import Field, Indicators, Record, Subfield

from backend.book.schemas import isbn

_OWN = "LUNA"  # control field 003 of exported records, whose values are taken as they are
_ENDING = re.compile(r"[\s/:;,=]+$")
_NAME_ENDING = re.compile(r"[\s,;:/]+$|(?<=\w{3})\.$")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_ISBN = re.compile(r"[0-9Xx][0-9Xx\- ]*")
_PEOPLE = ("100", "110", "111")
_CONTRIBUTORS = ("700", "710", "711")
_SUBJECTS = ("600", "610", "630", "650", "651")
_INVERTED = "1"  # first indicator of a personal name that begins with the surname
_LANGUAGE = slice(35, 38)  # of control field 008
_DATE = slice(7, 11)


def to_values(record: Record) -> dict[str, Any]:
    """Return the values by field; a field without a value is left out."""
    is_own = _control(record, "003") == _OWN
    values = {
        **_titles(record, is_own=is_own),
        **_people(record, is_own=is_own),
        **_isbns(record),
        **_publication(record, is_own=is_own),
        "subjects": _subjects(record),
        "language": _first(record, "041", "a") or _coded(record, _LANGUAGE),
        "description": _first(record, "520", "a"),
        "edition": _first(record, "250", "a"),
        "cover_image_url": _first(record, "856", "u") if is_own else None,
        "call_number": _call_number(record),
        "shelf_location": _first(record, "952", "c") if is_own else None,
        "copies": _first(record, "952", "n") if is_own else None,
    }
    return {name: value for name, value in values.items() if value}


def _control(record: Record, tag: str) -> str:
    field = record.get(tag)
    return (field.data or "").strip() if field is not None and field.data else ""


def _coded(record: Record, position: slice) -> str | None:
    value = _control(record, "008")[position].strip("|# ")
    return value if value.isalnum() else None


def _texts(record: Record, tags: Iterable[str], code: str) -> list[str]:
    return [
        text
        for field in record.get_fields(*tags)
        for text in field.get_subfields(code)
        if text and text.strip()
    ]


def _first(record: Record, tag: str, code: str) -> str | None:
    return next(iter(_texts(record, [tag], code)), None)


def _trim(text: str | None, *, is_own: bool) -> str | None:
    return text if is_own or text is None else _ENDING.sub("", text)


def _titles(record: Record, *, is_own: bool) -> dict[str, Any]:
    field = record.get("245")
    if field is None:
        return {}
    parts = [text for text in field.get_subfields("a", "n", "p") if text]
    if is_own:
        return {"title": " ".join(parts), "subtitle": _first(record, "245", "b")}
    title = " ".join(_ENDING.sub("", text) for text in parts)
    return {"title": title, "subtitle": _trim(_first(record, "245", "b"), is_own=False)}


def _people(record: Record, *, is_own: bool) -> dict[str, Any]:
    main = [_name(field, is_own=is_own) for field in record.get_fields(*_PEOPLE)]
    others = [_name(field, is_own=is_own) for field in record.get_fields(*_CONTRIBUTORS)]
    names = [name for name in [*main, *others] if name]
    if is_own:
        return {"author": next(iter(main), None), "contributors": [name for name in others if name]}
    return {"author": names[0] if names else None, "contributors": list(dict.fromkeys(names[1:]))}


def _name(field: Field, *, is_own: bool) -> str | None:
    text = next(iter(field.get_subfields("a")), None)
    if text is None or is_own:
        return text
    name = _NAME_ENDING.sub("", text)
    surname, comma, given = name.partition(", ")
    return f"{given} {surname}" if comma and field.indicator1 == _INVERTED else name


def _isbns(record: Record) -> dict[str, Any]:
    """Return the first valid ISBN, the other valid ones, and the first invalid one if none is."""
    given = _texts(record, ["020"], "a")
    valid: list[str] = []
    invalid: list[str] = []
    for text in given:
        digits = _ISBN.search(text)
        number = isbn.normalize(digits[0].strip()) if digits else None
        if number is None:
            invalid.append(text)
        elif number not in valid:
            valid.append(number)
    identifiers = {
        "ISBN": valid[1:],
        "CANCELLED_ISBN": _texts(record, ["020"], "z"),
        "ISSN": _texts(record, ["022"], "a"),
        "LCCN": _texts(record, ["010"], "a"),
        "OTHER": _texts(record, ["035"], "a"),
    }
    return {
        "isbn": valid[0] if valid else invalid[0] if invalid else None,
        "invalid_isbns": invalid if valid else invalid[1:],
        "other_identifiers": {
            scheme: [text.strip() for text in texts]
            for scheme, texts in identifiers.items()
            if texts
        },
    }


def _publication(record: Record, *, is_own: bool) -> dict[str, Any]:
    publisher = _first(record, "264", "b") or _first(record, "260", "b")
    date = _first(record, "264", "c") or _first(record, "260", "c") or ""
    if is_own:
        return {"publisher": publisher, "publication_year": date}
    year = _YEAR.search(_control(record, "008")[_DATE]) or _YEAR.search(date)
    return {
        "publisher": _trim(publisher, is_own=False),
        "publication_year": year[1] if year else None,
    }


def _subjects(record: Record) -> list[str]:
    found = []
    for field in record.get_fields(*_SUBJECTS):
        parts = [text.strip(" .,;") for text in field.get_subfields("a", "x", "y", "z") if text]
        found.append(" -- ".join(part for part in parts if part))
    return list(dict.fromkeys(text for text in found if text))


def _call_number(record: Record) -> str | None:
    for tag in ("090", "050", "082"):
        field = record.get(tag)
        if field is not None and (parts := field.get_subfields("a", "b")):
            return " ".join(part.strip() for part in parts if part)[:64]
    return None


def to_record(book: dict[str, Any]) -> Record:
    """Return a record in UTF-8 from which `to_values` reads the same title."""
    record = Record(leader="     nam a22     uu 4500")
    record.fields += [Field(tag="001", data=str(book["id"])), Field(tag="003", data=_OWN)]
    identifiers = book["other_identifiers"]
    isbns = [*([book["isbn"]] if book["isbn"] else []), *identifiers.get("ISBN", [])]
    _add(record, "010", "a", identifiers.get("LCCN", []))
    _add(record, "020", "a", isbns)
    _add(record, "020", "z", identifiers.get("CANCELLED_ISBN", []))
    _add(record, "022", "a", identifiers.get("ISSN", []))
    _add(record, "035", "a", identifiers.get("OTHER", []))
    _add(record, "041", "a", [book["language"]])
    _add(record, "090", "a", [book["call_number"]])
    _add(record, "100", "a", [book["author"]])
    record.fields.append(_field("245", {"a": book["title"], "b": book["subtitle"]}))
    _add(record, "250", "a", [book["edition"]])
    published = {"b": book["publisher"], "c": book["publication_year"]}
    if any(value is not None for value in published.values()):
        record.fields.append(_field("264", published))
    _add(record, "520", "a", [book["description"]])
    _add(record, "650", "a", book["subjects"])
    _add(record, "700", "a", book["contributors"])
    _add(record, "856", "u", [book["cover_image_url"]])
    record.fields.append(_field("952", {"c": book["shelf_location"], "n": book["copies"]}))
    return record


def _add(record: Record, tag: str, code: str, texts: Iterable[str | None]) -> None:
    for text in texts:
        if text:
            record.fields.append(_field(tag, {code: text}))


def _field(tag: str, values: dict[str, Any]) -> Field:
    subfields = [Subfield(code, str(value)) for code, value in values.items() if value is not None]
    return Field(tag=tag, indicators=Indicators(" ", " "), subfields=subfields)
