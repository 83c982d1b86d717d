"""Load a library: its map, accounts, robots and catalogue. Idempotent.

`python -m ops.demo.seed --robots N --state-dir DIR` loads the demo library and writes the key and
the initial waypoint of each robot to DIR; `--file FILE` loads a document {map, accounts, books}.
"""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.auth.service import accounts
from backend.book.schemas.books import BookCreate
from backend.book.service import books as catalogue
from backend.robot.schemas.maps import MapBody
from backend.robot.service import map_editor, registry
from backend.shared.infra import database, logs
from backend.shared.models import Book, Robot, Role, User, Waypoint
from backend.shared.web.schemas.accounts import NewUser
from ops.home import write_atomically

DEMO = Path(__file__).parent / "library"


def demo_library() -> dict[str, Any]:
    """Read the demo library as one document."""
    content = {
        name: json.loads((DEMO / f"{name}.json").read_text()) for name in ("map", "accounts")
    }
    for floor in content["map"]["floors"]:
        floor["svg"] = (DEMO / floor["plan"]).read_text()
    return {
        **content,
        "books": json.loads((DEMO / "catalogue.json").read_text())["books"],
        "robots": json.loads((DEMO / "robots.json").read_text()),
    }


def load(session: Session, library: dict[str, Any]) -> None:
    """Load what is missing; accounts first, because an admin is the author of the rest."""
    logs.rebind(part="seed")
    for person in library.get("accounts", []):
        _account(session, person)
    by = session.execute(
        select(User.id).where(User.role == Role.ADMIN).order_by(User.created_at).limit(1)
    ).scalar_one_or_none()
    has_map = session.execute(select(Waypoint.id).limit(1)).scalar_one_or_none() is not None
    if "map" in library and not has_map:
        map_editor.load(session, MapBody.model_validate(library["map"]), by)
    if by is not None:
        for book in library.get("books", []):
            _book(session, by, BookCreate.model_validate(book))


def _account(session: Session, person: dict[str, Any]) -> None:
    known = session.execute(
        select(User.id).where(func.lower(User.email) == person["email"].lower())
    ).scalar_one_or_none()
    if known is None:
        new_user = {name: value for name, value in person.items() if name != "password"}
        accounts.create_user(session, NewUser.model_validate(new_user), person["password"])


def _book(session: Session, by: UUID, book: BookCreate) -> None:
    same = (
        Book.isbn == book.isbn
        if book.isbn is not None
        else (Book.title == book.title) & (Book.author == book.author)
    )
    if session.execute(select(Book.id).where(same).limit(1)).scalar_one_or_none() is None:
        catalogue.create(session, by, book)


def add_robots(robots: list[dict[str, Any]], count: int, folder: Path) -> None:
    """Register so many robots; write the key and the initial waypoint of each to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = {f"luna-bot-{each + 1}": robots[each % len(robots)] for each in range(count)}
    with database.transaction() as session:  # one: a commit for each of 200 robots takes seconds
        starts = _starts(session)
        keys = {
            name: _robot_key(session, name, entry.get("model"), folder / f"{name}.key")
            for name, entry in entries.items()
        }
    for name, entry in entries.items():
        (folder / f"{name}.json").write_text(json.dumps(starts[entry["start_waypoint"]]))
        if (key := keys[name]) is not None:
            write_atomically(folder / f"{name}.key", key)


def _starts(session: Session) -> dict[str, dict[str, Any]]:
    """Return where a robot starts at each waypoint, by location code."""
    return {
        waypoint.location_code: {
            "waypoint": waypoint.name,
            "x": waypoint.x_coordinate,
            "y": waypoint.y_coordinate,
            "floor": waypoint.floor,
        }
        for waypoint in session.execute(select(Waypoint)).scalars()
    }


def _robot_key(session: Session, name: str, model: str | None, file: Path) -> str | None:
    """Return a new key for the robot, or None when its file holds one."""
    robot = session.execute(select(Robot).where(Robot.robot_name == name)).scalar_one_or_none()
    if robot is None:
        robot = registry.register(session, name, model, None)
    elif file.exists():
        return None
    return registry.new_key(session, robot.id, None)


def main(
    robots: Annotated[int, typer.Option(help="simulated robots to register")] = 0,
    state_dir: Annotated[Path | None, typer.Option(help="folder for their keys")] = None,
    file: Annotated[Path | None, typer.Option(help="another library")] = None,
) -> None:
    library = json.loads(file.read_text()) if file is not None else demo_library()
    with database.transaction() as session:
        load(session, library)
    if robots and state_dir is not None:
        add_robots(library["robots"], robots, state_dir)


if __name__ == "__main__":
    typer.run(main)
