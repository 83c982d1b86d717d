"""Rows that benchmarks need beside the demo library, added through the models."""

from uuid import UUID

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from backend.shared.infra import ids
from backend.shared.models import Book, Copy, Robot, Role, User
from ops.bench.system import System


def _add(system: System, rows: list[Book] | list[Copy] | list[Robot] | list[User]) -> None:
    engine = create_engine(system.environment["LUNA_DATABASE_OWNER_URL"])
    with Session(engine) as session, session.begin():
        session.add_all(rows)
    engine.dispose()


def add_members(system: System, count: int) -> list[UUID]:
    """Add students who never sign in; return their ids."""
    members = [
        User(
            id=ids.uuid7(),
            email=f"{ids.uuid7().hex}@bench.example",
            password_hash="-",  # noqa: S106 (matches no password)
            first_name="Bench",
            last_name=str(number),
            role=Role.STUDENT,
        )
        for number in range(count)
    ]
    found = [member.id for member in members]
    _add(system, members)
    return found


def add_books(system: System, count: int, copies: int) -> list[UUID]:
    """Add titles with copies on the shelf; return the ids of the titles."""
    found = [ids.uuid7() for _ in range(count)]
    _add(system, [Book(id=book, title=f"Bench {book}", author="Luna") for book in found])
    _add(
        system,
        [
            Copy(book_id=book, barcode=ids.uuid7().hex.upper(), shelf_location="A-01")
            for book in found
            for _ in range(copies)
        ],
    )
    return found


def add_robots(system: System, count: int) -> None:
    """Add robots that have never connected."""
    _add(system, [Robot(robot_name=f"bench-{ids.uuid7().hex[-12:]}") for _ in range(count)])
